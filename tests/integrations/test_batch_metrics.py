"""Metrics of a batch have the names, and the values, of masa-control's metrics of a step."""

import asyncio

import pytest
from masa_control import MetaSettings, SolutionSettings, run_episode, step_metrics
from masa_control.episode.settings import EpisodeSettings
from masa_rewards import Verdict
from masa_rewards.integrations.batch_metrics import measure_samples
from masa_rewards.integrations.samples import Sample, reward_samples

from tests.masa_control.fakes import PROBLEM, ScriptedEngine, make_completion, make_prediction_text

OF_A_BATCH_ALONE = {"meta/unrewarded"}
"""An episode leaves a prediction without a reward where nothing judges it, and counts none."""

METAS = [
    (make_prediction_text(4, 20, "sum"), 6),
    (make_prediction_text(2, 30, "proof"), 5),
    ("Hm.", 2),
]
SOLUTIONS = [("by a sum 4", 20), ("a sum, 5", 40), ("no answer", 9), ("too slow", 30)]
STATUSES = ["correct", "incorrect", "unparsable", "timeout"]


class ScriptedVerifier:
    """Gives each solution its verdict."""

    async def averify(self, text, gold):
        return choose_verdict(text)


def choose_verdict(text):
    texts = [each for each, _ in SOLUTIONS]
    return Verdict(status=STATUSES[texts.index(text)], answer=None)


SETTINGS = EpisodeSettings(
    meta=MetaSettings(rollouts=len(METAS), prompt={"min_length": 1}),
    solution=SolutionSettings(rollouts=len(SOLUTIONS), max_tokens=100),
)


def measure_episode():
    engine = ScriptedEngine(
        meta=[make_completion(*each) for each in METAS],
        solution=[make_completion(*each) for each in SOLUTIONS],
    )
    playing = run_episode(PROBLEM, engine=engine, verifier=ScriptedVerifier(), settings=SETTINGS)
    return step_metrics([asyncio.run(playing)])


def measure_batch():
    ours = ("meta", PROBLEM.id, PROBLEM.text), ("solution", PROBLEM.id, PROBLEM.text)
    samples = [Sample(*ours[0], *each) for each in METAS]
    samples += [Sample(*ours[1], *each, PROBLEM.answer) for each in SOLUTIONS]
    verdicts = [choose_verdict(s.text) if s.kind == "solution" else None for s in samples]
    results = reward_samples(samples, verdicts, prompt=SETTINGS.meta_prompt)
    columns = measure_samples(samples, results)
    return {name: sum(values) / len(values) for name, values in columns.items()}


def test_names_and_values_are_those_of_a_step():
    step, batch = measure_episode(), measure_batch()
    assert batch.keys() - step.keys() == OF_A_BATCH_ALONE
    shared = batch.keys() - OF_A_BATCH_ALONE
    assert {name: batch[name] for name in shared} == pytest.approx(
        {name: step[name] for name in shared}
    )


def test_the_values_by_hand():
    batch = measure_batch()
    # One right of the three that have a verdict; one of four timed out; one of three is unreadable.
    assert batch["solution/pass_rate"] == pytest.approx(1 / 3)
    assert batch["solution/verifier_failed"] == batch["solution/unparsable"] == 0.25
    assert batch["meta/unreadable_length"] == pytest.approx(1 / 3)
    # The length 20 is the right one's, 30 is not; the sum is in one right and one wrong rollout.
    assert batch["meta/reward_length"] == pytest.approx(1 / 3)
    assert batch["meta/reward_notion"] == 0.0
