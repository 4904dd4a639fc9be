"""The fifteen lines of docs/guides/stacks/own-loop.md, run as they stand there."""

import random

import pytest
from masa_rewards import AnswerVerifier, MetaPrompt

from tests.integrations.doc_pages import read_code_blocks
from tests.integrations.scripted_answers import PROBLEMS, REWARDS, choose_answer


@pytest.fixture(scope="module")
def page():
    """The page's two blocks, run with a scripted engine; what `update` was given, and `judged`."""
    asked, given = {}, []

    def generate(prompts):
        told = {}
        order = list(enumerate(prompts))
        random.Random(0).shuffle(order)  # an engine ends them in any order
        for place, prompt in order:
            asked[prompt] = asked.get(prompt, -1) + 1
            told[place] = choose_answer(prompt, asked[prompt])
        return [told[place] for place in range(len(prompts))]

    def update(samples, advantages):
        given.append((samples, advantages))

    problems = [(entry["problem"], entry["answer"]) for entry in PROBLEMS]
    names = {"generate": generate, "update": update, "batches": [problems, problems]}
    for block in read_code_blocks("own-loop"):
        exec(block, names)
    with AnswerVerifier(workers=1) as verifier:
        judged = names["step"](
            problems, MetaPrompt(), verifier, generate, update, solutions=2, predictions=4
        )
    return given, judged


def test_the_page_plays_every_batch(page):
    given, _ = page
    assert [len(samples) for samples, _ in given] == [48, 48, 12]


def test_rewards_are_as_by_hand(page):
    given, judged = page
    samples, _ = given[-1]
    found = {}
    for sample, known in zip(samples, judged, strict=True):
        found.setdefault((sample.problem[8:13], sample.kind), []).append(known.reward)
    expected = {key: values * (2 if key[1] == "meta" else 1) for key, values in REWARDS.items()}
    assert {key: sorted(values) for key, values in found.items()} == {
        key: pytest.approx(sorted(values), abs=1e-6) for key, values in expected.items()
    }


def test_advantages_are_within_a_kind(page):
    given, _ = page
    for samples, advantages in given:
        groups = {}
        for sample, advantage in zip(samples, advantages, strict=True):
            groups.setdefault((sample.problem_id, sample.kind), []).append(advantage)
        assert len(groups) == 4
        for values in groups.values():
            assert sum(values) == pytest.approx(0, abs=1e-9)
        # 2 + 3: half of each kind are worth 1, half 0.
        assert set(groups["0", "solution"]) == set(groups["0", "meta"]) == {-0.5, 0.5}
        # 2 + 4: every solution is right.
        assert set(groups["1", "solution"]) == {0.0}
