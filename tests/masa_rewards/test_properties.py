"""What must hold for every input, of all that judges: rewards, notions, reading, samples."""

from __future__ import annotations

import json
import math
import re
from typing import get_args

import hypothesis
import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from masa_rewards import (
    AnswerVerifier,
    MetaPrediction,
    MetaPrompt,
    NotionRules,
    Rollout,
    RolloutGroup,
    Verdict,
    meta_reward,
    meta_rewards,
    notion_reward,
)
from masa_rewards.integrations.samples import Sample, neutral_rewards, reward_samples
from masa_rewards.missing import COMPONENTS
from masa_rewards.notions.phrases import find_phrases, to_phrase
from masa_rewards.verify.verdict import Status

# Forms of one word, words in words, phrases, and what holds no word at all.
WORDS = st.sampled_from(
    [
        *("identity", "identities", "matrix", "Matrices", "sum", "sums", "art", "part"),
        *("prime number", "primes", "number", "Vieta's formula", "vieta formulas", "***", "\\sqrt"),
    ]
)
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)
ROLLOUTS = st.builds(Rollout, text=TEXTS, length=st.integers(0, 40), correct=st.booleans())
GROUPS = st.builds(
    RolloutGroup,
    problem=st.just("Find it.") | TEXTS,  # what it holds is left out: mostly, it holds nothing
    rollouts=st.lists(ROLLOUTS, min_size=1, max_size=6).map(tuple),
)
NOTIONS = st.lists(WORDS, max_size=4).map(tuple)
PREDICTIONS = st.builds(
    MetaPrediction,
    pass_rate=st.none() | st.floats(0, 1),
    length=st.none() | st.integers(0, 40),
    notions=st.none() | NOTIONS,
)
COUNTINGS = st.sampled_from(["rollout", "rate"])
RULES = st.builds(NotionRules, counting=COUNTINGS) | st.builds(
    NotionRules,
    counting=COUNTINGS,
    min_length=st.integers(1, 8),
    stop_words=st.frozensets(WORDS, max_size=3),
)
BASES = st.floats(1e-6, 1 - 1e-6)
# Everything a string can hold: lone surrogates, NUL, what is not seen, marks that join, our braces.
ODD = [
    "\ud800",
    "\udfff",
    "\x00",
    "\x1b",
    "\u200b",
    "\u202e",
    "e\u0301",
    "\u0301",
    "\ufb01",
    "²",
    "勾",
]
BRACES = ["{problem}", "{scale}", "{", "}", "{{", "\\1", "\\g<0>", "%s"]
ANY_TEXT = st.lists(st.text(max_size=5) | st.sampled_from(ODD + BRACES), max_size=8).map("".join)


def given_untimed(*strategies, **more):
    """Hypothesis' `given` without a clock: a slow case says something of the machine."""
    unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], **more)
    return lambda test: unhurried(hypothesis.given(*strategies)(test))


def replace_rollouts(group: RolloutGroup, *rollouts: Rollout) -> RolloutGroup:
    return RolloutGroup(problem=group.problem, rollouts=rollouts)


# Bounds


@given_untimed(PREDICTIONS, GROUPS, BASES, RULES)
def test_every_reward_lies_between_zero_and_one(prediction, group, base, rules):
    reward = meta_reward(prediction, group, base=base, notion_rules=rules)
    assert reward.length in (0.0, 1.0)
    assert 0.0 <= reward.notion <= 1.0
    lowest = 0.0 if prediction.pass_rate is None else base * (1 - 1e-9)
    assert lowest <= reward.difficulty <= 1.0
    assert math.isclose(reward.total, (reward.length + reward.difficulty + reward.notion) / 3)


# What changes nothing


@given_untimed(st.lists(PREDICTIONS, max_size=4), GROUPS, RULES, st.randoms())
def test_the_order_of_rollouts_changes_nothing(predictions, group, rules, random):
    shuffled = list(group.rollouts)
    random.shuffle(shuffled)
    expected = meta_rewards(predictions, group, notion_rules=rules)
    other = replace_rollouts(group, *shuffled)
    assert meta_rewards(predictions, other, notion_rules=rules) == expected


@given_untimed(st.lists(PREDICTIONS, max_size=4), GROUPS, RULES, st.integers(2, 4))
def test_a_group_that_is_there_several_times_is_worth_the_same(predictions, group, rules, times):
    repeated = replace_rollouts(group, *group.rollouts * times)
    once = meta_rewards(predictions, group, notion_rules=rules)
    for many, one in zip(
        meta_rewards(predictions, repeated, notion_rules=rules), once, strict=True
    ):
        assert many.model_dump() == pytest.approx(one.model_dump())


@given_untimed(PREDICTIONS, GROUPS, RULES, st.randoms())
def test_the_order_of_notions_and_saying_one_again_change_nothing(prediction, group, rules, random):
    notions = [*(prediction.notions or ()), *(prediction.notions or ())[:1] * 3]
    random.shuffle(notions)
    again = prediction.model_copy(update={"notions": tuple(notions)})
    assert notion_reward(again, group, rules=rules) == notion_reward(prediction, group, rules=rules)


OLD = ("identity", "matrix", "sum", "art", "number")
# Syllables that no dictionary has, and no plural ends so.
NEW = st.lists(
    st.text("bdgkvz", min_size=5, max_size=7).map(lambda text: f"x{text}o"),
    min_size=len(OLD),
    max_size=len(OLD),
    unique=True,
)


@given_untimed(st.data(), NEW, COUNTINGS)
def test_other_names_for_the_notions_change_nothing(data, new, counting):
    assert all(to_phrase(word) == (word,) for word in new)  # each its own lemma, as the old ones
    words = st.sampled_from(OLD)
    phrases = st.lists(words, min_size=1, max_size=2).map(" ".join)
    texts = st.lists(words | st.just("and"), max_size=5).map(" ".join)
    rollouts = st.builds(Rollout, text=texts, length=st.just(1), correct=st.booleans())
    group = RolloutGroup(
        problem=data.draw(texts, label="problem"),
        rollouts=tuple(data.draw(st.lists(rollouts, min_size=1, max_size=5), label="rollouts")),
    )
    notions = data.draw(st.lists(phrases, max_size=4), label="notions")

    def renamed(text: str) -> str:
        return re.sub(r"\w+", lambda word: names.get(word.group(), word.group()), text)

    names = dict(zip(OLD, new, strict=True))
    other = RolloutGroup(
        problem=renamed(group.problem),
        rollouts=tuple(
            rollout.model_copy(update={"text": renamed(rollout.text)}) for rollout in group.rollouts
        ),
    )
    rules = NotionRules(counting=counting)
    before = notion_reward(MetaPrediction(notions=tuple(notions)), group, rules=rules)
    after = MetaPrediction(notions=tuple(map(renamed, notions)))
    assert notion_reward(after, other, rules=rules) == before


@given_untimed(st.lists(PREDICTIONS, max_size=5), GROUPS, RULES, BASES, st.randoms())
def test_a_batch_is_worth_what_each_is_alone_in_any_order(predictions, group, rules, base, random):
    alone = [meta_reward(each, group, base=base, notion_rules=rules) for each in predictions]
    assert meta_rewards(predictions, group, base=base, notion_rules=rules) == alone
    order = list(range(len(predictions)))
    random.shuffle(order)
    shuffled = [predictions[index] for index in order]
    expected = [alone[index] for index in order]
    assert meta_rewards(shuffled, group, base=base, notion_rules=rules) == expected


# What one rollout more does: `rollout` and `rate` agree on those that hold the notion


@given_untimed(WORDS, GROUPS, COUNTINGS, st.booleans())
def test_one_more_rollout_with_a_notion_pushes_the_way_it_went(notion, group, counting, correct):
    rules, prediction = NotionRules(counting=counting), MetaPrediction(notions=(notion,))
    more = replace_rollouts(
        group, *group.rollouts, Rollout(text=f"so {notion}", length=1, correct=correct)
    )
    before = notion_reward(prediction, group, rules=rules)
    after = notion_reward(prediction, more, rules=rules)
    assert after >= before if correct else after <= before


@given_untimed(WORDS, GROUPS, COUNTINGS, st.booleans())
def test_one_more_rollout_without_it_matters_by_rate_only(notion, group, counting, correct):
    rules, prediction = NotionRules(counting=counting), MetaPrediction(notions=(notion,))
    more = replace_rollouts(group, *group.rollouts, Rollout(text="so", length=1, correct=correct))
    before = notion_reward(prediction, group, rules=rules)
    after = notion_reward(prediction, more, rules=rules)
    if counting == "rollout":
        assert after == before
    else:
        assert after <= before if correct else after >= before


@given_untimed(NOTIONS, GROUPS)
def test_a_right_rollout_with_a_notion_lowers_no_prediction_that_names_it(notions, group):
    # By rollout the other notions are where they were. By rate they may fall.
    assume(notions)
    prediction = MetaPrediction(notions=notions)
    right = Rollout(text=f"so {notions[0]}", length=1, correct=True)
    more = replace_rollouts(group, *group.rollouts, right)
    assert notion_reward(prediction, more) >= notion_reward(prediction, group)


@given_untimed(st.integers(0, 60), GROUPS, st.integers(0, 60), st.booleans())
def test_one_more_rollout_never_takes_a_length_away(length, group, other, correct):
    prediction = MetaPrediction(length=length)
    more = replace_rollouts(group, *group.rollouts, Rollout(text="", length=other, correct=correct))
    before, after = meta_reward(prediction, group).length, meta_reward(prediction, more).length
    assert after >= before if correct else after == before


# Reading

KEYS = st.permutations(["right", "tokens", "ideas", "pass_rate", "solution_length"])


@st.composite
def draw_prompts(draw) -> MetaPrompt:
    low = draw(st.integers(0, 200))
    rate, length, notions = draw(KEYS)[:3]
    return MetaPrompt(
        pass_rate_key=rate,
        length_key=length,
        notions_key=notions,
        scale=draw(st.integers(1, 64)),
        min_length=low,
        max_length=draw(st.integers(max(low, 1), 20_000)),
    )


PLAIN_NOTIONS = st.lists(st.text(min_size=1), min_size=1, max_size=4).map(tuple)


@given_untimed(
    draw_prompts(), st.data(), st.sampled_from(["", "<meta>{'x': 1}</meta>\n", "```json\n"])
)
def test_what_is_written_is_read_back_under_any_prompt(prompt, data, before):
    prediction = MetaPrediction(
        pass_rate=data.draw(
            st.none() | st.integers(0, prompt.scale).map(lambda k: k / prompt.scale)
        ),
        length=data.draw(st.none() | st.integers(prompt.min_length, prompt.max_length)),
        notions=data.draw(st.none() | PLAIN_NOTIONS),
    )
    assume(prediction.notions != ())  # of nothing but blanks and controls nothing is left
    back = prompt.parse(before + prompt.format(prediction))
    for name in COMPONENTS:
        assert getattr(back, name) == getattr(prediction, name)


@pytest.mark.parametrize("scale", [1, 8, 49, 64])
def test_every_step_of_a_scale_is_read_back(scale):
    # 1 / 49 * 49 is not 1
    prompt = MetaPrompt(scale=scale)
    rates = [step / scale for step in range(scale + 1)]
    read = [prompt.parse(prompt.format(MetaPrediction(pass_rate=rate))) for rate in rates]
    assert [prediction.pass_rate for prediction in read] == rates


@given_untimed(draw_prompts(), ANY_TEXT)
def test_a_prompt_holds_the_problem_as_it_is(prompt, problem):
    rendered = prompt.render(problem)
    before, after = prompt.render("\0\0").split("\0\0")
    assert rendered == before + problem + after
    assert f'"{prompt.length_key}"' in before
    assert f"from 0 to {prompt.scale}" in before


# Total functions: any text at all


@given_untimed(
    draw_prompts(), ANY_TEXT | ANY_TEXT.map(lambda text: f'{{"right": {text}, "tokens": "{text}"}}')
)
def test_any_text_is_read_as_a_prediction(prompt, text):
    prediction = prompt.parse(text)
    for name in COMPONENTS:
        assert (getattr(prediction, name) is None) == (name in prediction.missing)
    json.dumps(prediction.model_dump()).encode()
    prompt.format(prediction).encode()


@given_untimed(ANY_TEXT, st.lists(ANY_TEXT, max_size=4), st.booleans(), RULES)
def test_notions_of_any_text_are_judged_by_any_text(text, notions, correct, rules):
    phrases = [to_phrase(notion) for notion in notions]
    assert find_phrases(text, phrases) <= set(phrases) - {()}
    group = RolloutGroup(problem=text, rollouts=(Rollout(text=text, length=1, correct=correct),))
    prediction = MetaPrediction(notions=tuple(notions))
    # What stands in the only rollout stands in the problem too: nothing can pay.
    assert notion_reward(prediction, group, rules=rules) == 0.0


@pytest.fixture(scope="module")
def verifier():
    with AnswerVerifier(workers=1) as shared:
        yield shared


@given_untimed(ANY_TEXT, ANY_TEXT.filter(str.strip))
def test_a_text_that_states_no_answer_is_never_right(verifier, text, gold):
    assume("box" not in text)
    assert verifier.verify(text, gold).status == "unparsable"


@given_untimed(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12), ANY_TEXT)
def test_whole_numbers_are_right_exactly_when_they_are_equal(verifier, stated, gold, before):
    assume("box" not in before and "{" not in before and "\\" not in before)
    verdict = verifier.verify(f"{before} \\boxed{{{stated}}}", str(gold))
    assert verdict.correct == (stated == gold)
    assert verifier.verify(f"{before} \\boxed{{{gold}}}", str(gold)).correct


SHORT_TEXT = ANY_TEXT.map(lambda text: text[:40])


@given_untimed(SHORT_TEXT, SHORT_TEXT.filter(str.strip), max_examples=30)
def test_any_answer_to_any_gold_has_a_verdict(verifier, answer, gold):
    verdict = verifier.verify(f"\\boxed{{{answer}}}", gold)
    assert verdict.status in get_args(Status)
    json.dumps(verdict.model_dump()).encode()


# Samples of the integrations

STATUSES = st.sampled_from(["correct", "incorrect", "unparsable", "timeout", "error"])
ANSWERS = st.builds(
    lambda rate, length, notions: json.dumps(
        {"pass_rate": rate, "solution_length": length, "math_notion": notions}
    ),
    st.integers(0, 9),
    st.integers(120, 140),
    st.lists(WORDS, max_size=3),
)


@st.composite
def draw_batches(draw) -> list[tuple[Sample, Verdict | None]]:
    batch: list[tuple[Sample, Verdict | None]] = []
    for name in draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)):
        for text in draw(st.lists(TEXTS, min_size=1, max_size=4)):
            sample = Sample("solution", name, f"problem {name}", text, draw(st.integers(125, 135)))
            batch.append((sample, Verdict(status=draw(STATUSES), answer=None)))
        for text in draw(st.lists(ANSWERS | st.just("Hm."), max_size=3)):
            batch.append((Sample("meta", name, f"problem {name}", text, 9), None))
    return batch


@given_untimed(draw_batches(), RULES, st.randoms())
def test_any_order_of_samples_gives_each_the_same(batch, rules, random):
    def rewards(order):
        samples, verdicts = [batch[i][0] for i in order], [batch[i][1] for i in order]
        paid = reward_samples(samples, verdicts, prompt=MetaPrompt(), notion_rules=rules)
        neutral = neutral_rewards(samples, paid)
        return dict(zip(order, zip(paid, neutral, strict=True), strict=True))

    order = list(range(len(batch)))
    expected = rewards(order)
    random.shuffle(order)
    assert rewards(order) == expected


@given_untimed(draw_batches(), RULES)
def test_a_sample_is_worth_what_its_problem_makes_it_worth(batch, rules):
    samples, verdicts = [sample for sample, _ in batch], [verdict for _, verdict in batch]
    paid = reward_samples(samples, verdicts, prompt=MetaPrompt(), notion_rules=rules)
    for (sample, verdict), reward in zip(batch, paid, strict=True):
        if verdict is not None:
            assert reward.reward == (None if verdict.failed else float(verdict.correct))
            continue
        rollouts = [
            Rollout(text=other.text, length=other.length, correct=judged.correct)
            for other, judged in batch
            if other.problem_id == sample.problem_id and judged is not None and not judged.failed
        ]
        group = RolloutGroup(problem=sample.problem, rollouts=tuple(rollouts))
        prediction = MetaPrompt().parse(sample.text)
        alone = meta_reward(prediction, group, notion_rules=rules) if rollouts else None
        assert reward.components == alone
        assert reward.reward == (alone and alone.total)
