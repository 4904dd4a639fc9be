import asyncio

import pytest
from masa_control import ConfusionCounts, Ledger, SavingsEstimate, run_episode

from tests.masa_control import factories
from tests.masa_control.fakes import (
    PROBLEM,
    ScriptedEngine,
    ScriptedVerifier,
    make_completion,
    make_prediction_text,
    make_settings,
)


def episode():
    engine = ScriptedEngine(
        meta=[
            make_completion(make_prediction_text(9, 3), tokens=5),
            make_completion("no", tokens=7),
        ],
        solution=[make_completion("it is 4", tokens=10), make_completion("it is ?", tokens=20)],
    )
    return asyncio.run(
        run_episode(
            PROBLEM, engine=engine, verifier=ScriptedVerifier(), settings=make_settings(2, 2)
        )
    )


def test_counts_of_one_episode():
    ledger = Ledger()
    ledger.observe(episode())
    metrics = ledger.metrics()
    assert metrics["ledger/problems"] == 1
    assert metrics["ledger/meta_tokens"] == 12
    assert metrics["ledger/solution_tokens"] == 30
    assert metrics["ledger/meta_rollouts"] == 2
    assert metrics["ledger/solution_rollouts"] == 2
    assert metrics["ledger/verdict_correct"] == 1
    assert metrics["ledger/verdict_timeout"] == 1
    assert metrics["ledger/unreadable_pass_rate_out_of_range"] == 1
    assert metrics["ledger/unreadable_pass_rate_no_json"] == 1


def test_goes_on_from_its_state():
    ledger, other = Ledger(), Ledger()
    ledger.observe(episode())
    other.load_state_dict(ledger.state_dict())
    assert other.metrics() == ledger.metrics()
    other.observe(episode())
    assert other.metrics()["ledger/problems"] == 2
    assert ledger.metrics()["ledger/problems"] == 1


@pytest.mark.parametrize("state", [{}, {"version": 99, "counts": {}}, {"version": 1}])
def test_refuses_what_is_no_ledger(state):
    with pytest.raises(ValueError, match="not the state of a ledger"):
        Ledger().load_state_dict(state)


def decided():
    """Two skipped, one audited (wrongly), one solved; one cut whole, one spared by an audit."""
    solved = [factories.make_solution("r", 10), factories.make_solution("w", 20)]
    lowered = factories.make_plan(allowed=50, cutoff_epsilon=0.5)
    spared = factories.make_plan(allowed=50, spared=True, cutoff_epsilon=0.5)
    return [
        factories.make_episode(
            "", [factories.make_meta_rollout(0, total_reward=None)], factories.make_plan(True)
        ),
        factories.make_episode(
            "",
            [factories.make_meta_rollout(8, total_reward=None)],
            factories.make_plan(True, mean=1.0),
        ),
        factories.make_episode(
            solved, [factories.make_meta_rollout(0)], factories.make_plan(True, audited=True)
        ),
        factories.make_episode(
            solved, [factories.make_meta_rollout(None)], factories.make_plan(mean=None)
        ),
        factories.make_episode(
            [factories.make_solution("c", 50)] * 2, [factories.make_meta_rollout(4)], lowered
        ),
        factories.make_episode(
            [factories.make_solution("w", 80), factories.make_solution("r", 20)],
            [factories.make_meta_rollout(4)],
            spared,
        ),
    ]


def test_decisions_are_counted_by_reason():
    ledger = Ledger()
    for one in decided():
        ledger.observe(one)
    metrics = ledger.metrics()
    expected = {
        "planned": 6,
        "skipped_trivial": 1,
        "skipped_unsolvable": 1,
        "gate_audits": 1,
        "cutoff_audits": 1,
        "rollouts_cut": 2,
        "groups_cut_whole": 1,
        "undecided_predictions": 1,
        "hinted": 0,
        "problems": 6,
        "solution_tokens": 30 + 30 + 100 + 100,
    }
    assert {name: metrics[f"ledger/{name}"] for name in expected} == expected
    # The gate: 3 flagged, one audited, wrongly; of the others the one cut whole may agree: missed.
    assert ledger.tallies["gate"] == sum(
        [
            ConfusionCounts.of(1, 0),
            ConfusionCounts.of(1, 0),
            ConfusionCounts.of(1, 0, right=0, weight=4.0),
            ConfusionCounts.of(0, 1),
        ],
        ConfusionCounts(),
    )
    assert metrics["ledger/gate_precision"] == 0.0
    # The cutoff: 2 cut, and one that would be, rightly.
    assert ledger.tallies["cutoff"] == sum(
        [ConfusionCounts.of(2, 0), ConfusionCounts.of(1, 0, right=1, weight=2.0)], ConfusionCounts()
    )
    assert metrics["ledger/cutoff_f1"] == 1.0
    # One audit of each says too little of the tokens that were saved; none are invented.
    assert "ledger/gate_tokens_saved" not in metrics
    assert "ledger/cutoff_tokens_saved" not in metrics


def test_tokens_saved_are_those_of_audits():
    ledger = Ledger()
    solved = [factories.make_solution("r", 10), factories.make_solution("w", 20)]
    for one in [
        *[factories.make_episode("", [], factories.make_plan(True))] * 6,
        *[factories.make_episode(solved, [], factories.make_plan(True, audited=True))] * 2,
    ]:
        ledger.observe(one)
    # 6 skipped, 30 tokens each
    ends = ("", "_low", "_high")
    assert [ledger.metrics()[f"ledger/gate_tokens_saved{end}"] for end in ends] == [180.0] * 3


def test_where_nothing_is_decided_there_are_no_figures_of_decisions():
    ledger = Ledger()
    ledger.observe(episode())
    assert not [n for n in ledger.metrics() if "gate" in n or "cutoff" in n or "planned" in n]


def test_clones_and_steps_without_update_are_counted():
    ledger = Ledger()
    ledger.cloned([10, 20])
    ledger.cloned([])
    ledger.without_update()
    metrics = ledger.metrics()
    assert metrics["ledger/cloned_sequences"] == 2
    assert metrics["ledger/cloned_tokens"] == 30
    assert metrics["ledger/steps_without_update"] == 1


def test_the_state_is_the_identity_in_json_and_pickle_too():
    ledger = Ledger()
    for one in decided():
        ledger.observe(one)
    for state in factories.list_saved_forms(ledger.state_dict()):
        other = Ledger()
        other.load_state_dict(state)
        assert factories.to_json_data(other.state_dict()) == factories.to_json_data(
            ledger.state_dict()
        )
        assert other.metrics() == ledger.metrics()


TALLY = dict.fromkeys(ConfusionCounts.__slots__, 0.0)
TOTAL = dict.fromkeys(SavingsEstimate.__slots__, 0.0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"counts": {"problems": -1}}, "counts.problems\n.*input_value=-1"),
        ({"counts": {"problems": 1.5}}, "counts.problems\n.*input_value=1.5"),
        ({"tallies": {"gate": TALLY}}, r"\['cutoff', 'gate'\] are needed, got \['gate'\]"),
        ({"saved": {"gate": TOTAL, "other": TOTAL}}, "saved.other"),
        ({"tallies": {"gate": TALLY, "cutoff": {**TALLY, "audits": "no"}}}, "cutoff.audits\n"),
        ({"tallies": {"gate": TALLY, "cutoff": [1.0]}}, r"input_value=\[1.0\]"),
        ({"news": 1}, "news\n"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(change, says):
    ledger = Ledger()
    for one in decided():
        ledger.observe(one)
    before = ledger.state_dict()
    with pytest.raises(ValueError, match=says):
        ledger.load_state_dict({**before, **change})
    assert ledger.state_dict() == before


def test_the_counts_of_0_1_0_are_read():
    ledger = Ledger()
    ledger.load_state_dict({**ledger.state_dict(), "counts": {"unread_length_no_key": 2}})
    assert ledger.metrics() == {"ledger/unreadable_length_no_key": 2.0}


def test_a_group_that_was_cut_in_part_is_not_cut_whole():
    ledger = Ledger()
    lowered = factories.make_plan(allowed=50)
    ledger.observe(
        factories.make_episode(
            [factories.make_solution("c", 50), factories.make_solution("r", 20)], [], lowered
        )
    )
    metrics = ledger.metrics()
    assert metrics["ledger/rollouts_cut"] == 1
    assert metrics["ledger/groups_cut_whole"] == 0
