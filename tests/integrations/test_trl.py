"""The reward function of TRL, with lists as TRL gives them. In training: test_trl_training.py."""

import logging
import pickle
import subprocess
import sys
from statistics import fmean

import pytest
from masa_rewards import AnswerVerifier, MetaPrompt, Verdict
from masa_rewards.integrations.batch_reward import join_assistant_text
from masa_rewards.integrations.trl import MasaReward

PROMPT = MetaPrompt(min_length=1)
GIVEN = {  # two problems, not in order; 3 solutions and 1 meta response of "a", 1 and 1 of "b"
    "completions": [
        '{"pass_rate": 8, "solution_length": 5, "math_notion": ["parity"]}',
        r"By parity: \boxed{4}",
        r"\boxed{7}",
        "no idea",
        '{"pass_rate": 0, "solution_length": 2}',
        r"By parity: \boxed{5}",
    ],
    "completion_ids": [[0] * 9, [0] * 5, [0] * 3, [0] * 2, [0] * 8, [0] * 6],
    "kind": ["meta", "solution", "solution", "solution", "meta", "solution"],
    "problem_id": ["a", "a", "b", "a", "b", "a"],
    "problem": ["2 + 2", "2 + 2", "3 + 3", "2 + 2", "3 + 3", "2 + 2"],
    "answer": ["4", "4", "6", "4", "6", "4"],
}
# "a": 1 of 3 right, of 5 tokens; parity in one right and one wrong solution. "b": 0 of 1 right.
REWARDS = [(1 + 0.01 ** (2 / 3) + 0) / 3, 1.0, 0.0, 0.0, (0 + 1 + 0) / 3, 0.0]


@pytest.fixture
def reward():
    with AnswerVerifier(workers=1) as verifier:
        yield MasaReward(PROMPT, verifier=verifier)


def test_by_hand(reward):
    assert reward(prompts=["..."] * 6, trainer_state=None, **GIVEN) == pytest.approx(REWARDS)


def test_conversations(reward):
    chats = [[{"role": "assistant", "content": text}] for text in GIVEN["completions"]]
    assert reward(**GIVEN | {"completions": chats}) == pytest.approx(REWARDS)


def test_the_order_does_not_matter(reward):
    order = [3, 0, 5, 4, 2, 1]
    shuffled = {name: [values[i] for i in order] for name, values in GIVEN.items()}
    assert reward(**shuffled) == pytest.approx([REWARDS[i] for i in order])


def test_what_is_logged(reward):
    figures, table = {}, {}
    reward(
        log_metric=lambda name, value: figures.setdefault(name, []).append(value),
        log_extra=table.__setitem__,
        **GIVEN,
    )
    means = {name: fmean(values) for name, values in figures.items()}
    assert means == pytest.approx(
        {
            "solution/pass_rate": 1 / 4,
            "solution/length": 4.0,
            "solution/unparsable": 1 / 4,
            "solution/verifier_failed": 0.0,
            "meta/reward": (REWARDS[0] + REWARDS[4]) / 2,
            "meta/reward_length": 1 / 2,
            "meta/reward_difficulty": (0.01 ** (2 / 3) + 1) / 2,
            "meta/reward_notion": 0.0,
            "meta/length": 8.5,
            "meta/unrewarded": 0.0,
            "meta/unreadable_pass_rate": 0.0,
            "meta/unreadable_length": 0.0,
            "meta/unreadable_notion": 1 / 2,
        }
    )
    said = ["length 1.00, difficulty 0.05, notion 0.00", "correct", "incorrect", "unparsable"]
    assert table == {"masa": [*said, "length 0.00, difficulty 1.00, notion 0.00", "incorrect"]}


class FailingVerifier(AnswerVerifier):
    def verify_many(self, pairs):
        timeout = Verdict(status="timeout", answer=None, detail="5 s")
        failing = ["boxed{7}" in text or "no idea" in text for text, _ in pairs]
        verdicts = zip(failing, super().verify_many(pairs), strict=True)
        return [timeout if fails else verdict for fails, verdict in verdicts]


def test_a_failing_verifier_pushes_nobody(caplog):
    figures = []
    with FailingVerifier(workers=1) as verifier, caplog.at_level(logging.WARNING):
        rewards = MasaReward(PROMPT, verifier=verifier)(
            log_metric=lambda name, value: figures.append((name, value)), **GIVEN
        )
    # "a": 1 of 2 right, and the third gets their mean; of "b" nothing is known.
    meta = (1 + 0.01**0.5 + 0) / 3
    assert rewards == pytest.approx([meta, 1.0, 0.0, 0.5, 0.0, 0.0])
    assert "the verifier failed for 2 of 4 solutions" in caplog.text
    assert "timeout" in caplog.text
    assert [value for name, value in figures if name == "solution/verifier_failed"] == [0, 1, 1, 0]
    assert [value for name, value in figures if name == "meta/unrewarded"] == [0, 1]


SKIP_B = [name == "b" for name in GIVEN["problem_id"]]


class RecordingVerifier(AnswerVerifier):
    def verify_many(self, pairs):
        pairs = list(pairs)
        self.asked = [text for text, _ in pairs]
        return super().verify_many(pairs)


def test_what_a_gate_skipped_has_no_reward_and_is_in_no_figure():
    figures, table = {}, {}
    with RecordingVerifier(workers=1) as verifier:
        reward = MasaReward(PROMPT, verifier=verifier)
        rewards = reward(
            log_metric=lambda name, value: figures.setdefault(name, []).append(value),
            log_extra=table.__setitem__,
            masa_skipped=SKIP_B,
            **GIVEN,
        )
    expected = [None if skipped else r for r, skipped in zip(REWARDS, SKIP_B, strict=True)]
    assert rewards == [r if r is None else pytest.approx(r) for r in expected]
    assert verifier.asked == [GIVEN["completions"][place] for place in (1, 3, 5)]
    assert [cell == "skipped" for cell in table["masa"]] == SKIP_B
    assert figures["solution/length"] == [5, 2, 6]
    assert figures["solution/verifier_failed"] == [0, 0, 0]
    # Its prediction was made, though nothing judges it.
    assert figures["meta/length"] == [9, 8]
    assert figures["meta/unreadable_notion"] == [0, 1]
    assert figures["meta/unrewarded"] == [0]
    assert figures["meta/reward"] == [pytest.approx(REWARDS[0])]
    skipped = reward.last_results[4]
    assert (skipped.reward, skipped.components, skipped.prediction.pass_rate) == (None, None, 0.0)


def test_no_solution_is_asked_for_where_a_gate_skipped(reward):
    alone = {name: [values[4], values[2]] for name, values in GIVEN.items()}
    assert reward(masa_skipped=[True, True], **alone) == [None, None]
    only_meta = {name: values[4:5] for name, values in GIVEN.items()}
    assert reward(masa_skipped=[True], **only_meta) == [None]


def test_it_can_be_pickled(reward):
    other = pickle.loads(pickle.dumps(reward))
    with other.verifier:
        assert other(**GIVEN) == pytest.approx(REWARDS)


def test_a_meta_prompt_without_its_solutions(reward):
    alone = {name: values[4:] for name, values in GIVEN.items()}
    with pytest.raises(ValueError, match=r"'b' has 1 meta .* shuffle_dataset=False.* multiple of"):
        reward(**alone)


def test_a_verifier_that_is_closed(reward):
    reward.verifier.close()
    with pytest.raises(RuntimeError, match="closed; make a new AnswerVerifier"):
        reward(**GIVEN)


def test_a_column_that_is_missing(reward):
    given = {name: values for name, values in GIVEN.items() if name != "problem_id"}
    with pytest.raises(ValueError, match=r"lacks the columns \['problem_id'\].*'answer'.*rows"):
        reward(**given)


def test_a_sample_of_no_problem(reward):
    with pytest.raises(ValueError, match=r"must not be None: \{'kind': 'meta', 'problem_id': None"):
        reward(**GIVEN | {"problem_id": ["a", "a", "b", "a", None, "a"]})


def test_numbers_for_ids_and_answers(reward):
    numbers = {
        "problem_id": [0 if each == "a" else 1 for each in GIVEN["problem_id"]],
        "answer": [int(each) for each in GIVEN["answer"]],
    }
    assert reward(**GIVEN | numbers) == pytest.approx(REWARDS)


def test_no_stack_is_imported():
    modules = "trl, ms_swift, rows, distributed"
    code = f"import sys; from masa_rewards.integrations import {modules}; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    stack = {"trl", "swift", "torch", "accelerate", "datasets", "transformers", "sympy"}
    assert "masa_rewards.integrations.ms_swift" in printed.stdout.split(), printed.stderr
    assert not stack & set(printed.stdout.split())


@pytest.mark.parametrize(
    ("completion", "text"),
    [
        ("as it is", "as it is"),
        ([], ""),
        ([{"role": "assistant", "content": None}], ""),
        ([{"role": "assistant", "reasoning_content": "hm", "content": "so"}], "hm\nso"),
        ([{"role": "assistant", "content": [{"type": "text", "text": "block"}]}], "block"),
        ([{"role": "tool", "content": "4"}, {"role": "assistant", "content": "four"}], "four"),
    ],
)
def test_the_text_of_a_completion(completion, text):
    assert join_assistant_text(completion) == text


def test_a_completion_of_another_kind():
    with pytest.raises(TypeError, match=r"got 4"):
        join_assistant_text(4)
