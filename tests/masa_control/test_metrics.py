import asyncio
import math

from masa_control import run_episode, step_metrics

from tests.masa_control import factories
from tests.masa_control.fakes import (
    PROBLEM,
    ScriptedEngine,
    ScriptedVerifier,
    make_completion,
    make_prediction_text,
    make_settings,
)


def episode(predicted, right, of=4):
    engine = ScriptedEngine(
        meta=[make_completion(make_prediction_text(p, 5), tokens=6) for p in predicted],
        solution=[make_completion("it is 4", tokens=8)] * right
        + [make_completion("it is 5", tokens=2, truncated=True)] * (of - right),
    )
    return asyncio.run(
        run_episode(
            PROBLEM,
            engine=engine,
            verifier=ScriptedVerifier(),
            settings=make_settings(len(predicted), of),
        )
    )


def test_a_step_worked_out_by_hand():
    metrics = step_metrics([episode((2, 2), 1), episode((4, 8), 3), episode((8, 8), 4)])
    assert math.isclose(metrics["solution/pass_rate"], (0.25 + 0.75 + 1) / 3)
    assert math.isclose(metrics["solution/no_variance"], 1 / 3)
    assert math.isclose(metrics["solution/truncated"], 4 / 12)
    assert metrics["tokens/solution"] == 8 * 8 + 4 * 2
    assert metrics["tokens/meta"] == 6 * 6
    # Predicted 0.25, 0.75, 1: exactly the truth.
    assert math.isclose(metrics["meta/pass_rate_correlation"], 1.0)
    assert math.isclose(metrics["meta/pass_rate_error"], 0.0, abs_tol=1e-12)


def test_what_is_not_defined_is_left_out():
    metrics = step_metrics([episode((), 2)])
    assert "meta/reward" not in metrics
    assert "meta/pass_rate_correlation" not in metrics
    assert step_metrics([]) == {"tokens/meta": 0.0, "tokens/solution": 0.0}


def test_no_length_is_taken_from_wrong_solutions():
    assert "meta/correct_length" not in step_metrics([episode((0, 0), 0)])


def test_decisions_of_a_step_by_hand():
    solved = [factories.make_solution("r", 10), factories.make_solution("w", 20)]
    lowered = factories.make_plan(allowed=50, cutoff_epsilon=0.5)
    metrics = step_metrics(
        [
            factories.make_episode("", [], factories.make_plan(True)),
            factories.make_episode("", [], factories.make_plan(True, mean=1.0)),
            factories.make_episode(solved, [], factories.make_plan(True, audited=True)),
            factories.make_episode(
                [factories.make_solution("c", 50), factories.make_solution("r", 9)], [], lowered
            ),
            factories.make_episode(solved, [], factories.make_plan(allowed=100)),
            factories.make_episode(solved),
        ]
    )
    expected = {
        "gate/skipped": 2 / 5,  # of those that were planned
        "gate/skipped_trivial": 1 / 5,
        "gate/skipped_unsolvable": 1 / 5,
        "gate/audited": 1 / 5,
        "cutoff/cut": 1 / 4,  # rollouts of the two problems that a cutoff limits
        "cutoff/max_tokens": 75.0,
        "cutoff/audited": 0.0,
        "hints/notions": 0.0,
    }
    assert {name: metrics[name] for name in expected} == expected


def test_without_plans_there_are_no_figures_of_decisions():
    metrics = step_metrics([factories.make_episode("rw")])
    assert not [n for n in metrics if n.startswith(("gate/", "cutoff/", "hints/"))]
