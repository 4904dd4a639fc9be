"""The gate of stacks that make their rollouts in batches; in TRL's trainer: test_trl_gate.py."""

import pytest
from masa_control import (
    AlignedStart,
    AuditedGateSettings,
    ChoiceSettings,
    FixedStart,
    GateOff,
    Problem,
    StaticGateSettings,
    ThresholdGateSettings,
)
from masa_control.integrations.batch_episodes import BatchRollout, build_episodes
from masa_control.integrations.batch_gate import BatchGate, BatchRow
from masa_rewards import MetaPrediction, MetaReward, Verdict
from masa_rewards.integrations.result import RewardResult
from masa_rewards.integrations.samples import MissingSolutionsError

from tests.masa_control.factories import PROMPT, list_saved_forms

NEVER = FixedStart(start=0)
STATUSES = {"r": "correct", "w": "incorrect", "?": "timeout"}


def make_gate(gate=None, schedule=NEVER, seed=0):
    return BatchGate(PROMPT, gate=gate or StaticGateSettings(audit=0), schedule=schedule, seed=seed)


def make_rows(**rates):
    """Two solution rows a problem and a meta row a rate."""
    rows = []
    for name, predicted in rates.items():
        rows += [BatchRow("solution", name, None)] * 2
        rows += [BatchRow("meta", name, MetaPrediction(pass_rate=rate)) for rate in predicted]
    return rows


def plan(gate, rows, step=1):
    return gate.plan(rows, step=step, limit=100)


def make_solution(name, letter, tokens=10):
    verdict = Verdict(status=STATUSES[letter], answer=None)
    return BatchRollout("solution", name, tokens, False, RewardResult.of_solution(verdict))


def make_placeholder(name):
    return BatchRollout("solution", name, 1, False, RewardResult(None))


def make_meta(name, rate, total=None):
    parts = None
    if total is not None:
        parts = MetaReward(length=total, difficulty=total, notion=total, total=total)
    result = RewardResult.of_prediction(MetaPrediction(pass_rate=rate), parts)
    return BatchRollout("meta", name, 5, False, result)


def make_problems(*names):
    return {name: Problem(id=name, text=f"What is {name}?", answer="4") for name in names}


def play_step(gate, step, **problems):
    """One problem a name: its predicted rate, and its solutions as letters if rolled out."""
    plans = plan(
        gate, make_rows(**{name: [rate] * 2 for name, (rate, _) in problems.items()}), step
    )
    rollouts = []
    for name, (rate, letters) in problems.items():
        skipped = name in plans and not plans[name].solve
        rollouts += [make_meta(name, rate, None if skipped else 0.5)] * 2
        for letter in letters:
            rollouts.append(make_placeholder(name) if skipped else make_solution(name, letter))
    return plans, gate.observe(rollouts, plans, make_problems(*problems), step=step)


def test_the_papers_rule_decides_each_problem():
    plans = plan(make_gate(), make_rows(a=[1.0, 1.0], b=[0.0, 0.0], c=[0.5, 1.0], d=[]))
    assert {name: each.solve for name, each in plans.items()} == {
        "a": False,
        "b": False,
        "c": True,
        "d": True,
    }
    assert plans["a"].gate.reason == "trivial"
    assert plans["d"].gate.mean is None
    assert all(each.cutoff is None and each.hint == () for each in plans.values())
    assert plans["c"].max_tokens == 100


def test_nothing_is_planned_before_the_start():
    gate = make_gate(schedule=FixedStart(start=3))
    rows = make_rows(a=[1.0, 1.0])
    assert [bool(plan(gate, rows, step)) for step in (1, 3, 4)] == [False, False, True]
    assert [gate.decides(step) for step in (1, 3, 4)] == [False, False, True]


def test_rows_of_other_problems_and_processes_change_no_plan():
    gate = StaticGateSettings(audit=0.5)
    rows = make_rows(**{str(number): [1.0, 1.0] for number in range(40)})
    plans = plan(make_gate(gate), rows)
    assert plan(make_gate(gate), rows[::-1]) == plans
    assert plan(make_gate(gate), make_rows(**{"7": [1.0, 1.0]})) == {"7": plans["7"]}
    audited = sum(each.gate_audited for each in plans.values())
    assert 8 <= audited <= 32
    assert plan(make_gate(gate, seed=1), rows) != plans
    assert plan(make_gate(gate), rows, step=2) != plans


def test_predictions_without_solution_rows_are_refused_before_a_solution_is_made():
    rows = [row for row in make_rows(a=[0.5], b=[1.0]) if row[:2] != ("solution", "b")]
    with pytest.raises(MissingSolutionsError, match="'b' has meta rows and no solution row"):
        plan(make_gate(), rows)


def test_what_came_of_a_batch_is_counted():
    gate = make_gate()
    plans, figures = play_step(gate, 1, a=(1.0, "rr"), b=(0.5, "rw"), c=(0.75, "rr"))
    assert not plans["a"].solve
    assert figures.batch == {
        "gate/skipped": pytest.approx(1 / 3),
        "gate/skipped_trivial": pytest.approx(1 / 3),
        "gate/skipped_unsolvable": 0.0,
        "gate/audited": 0.0,
        "tokens/meta": 30.0,
        "tokens/solution": 40.0,
    }
    run = figures.run
    assert (run["ledger/problems"], run["ledger/skipped_trivial"]) == (3, 1)
    assert (run["ledger/solution_rollouts"], run["ledger/meta_rollouts"]) == (4, 6)
    assert (run["ledger/verdict_correct"], run["ledger/verdict_incorrect"]) == (3, 1)
    _, figures = play_step(gate, 2, a=(1.0, "rr"))
    assert (figures.run["ledger/problems"], figures.run["ledger/skipped_trivial"]) == (4, 2)


def test_the_audited_gate_opens_by_what_it_sees_and_no_earlier():
    gate = make_gate(AuditedGateSettings(precision=0.7, audit=0.5))
    first, figures = play_step(gate, 1, **{f"a{n}": (1.0, "rr") for n in range(20)})
    assert all(each.solve for each in first.values())
    assert figures.batch["gate/limit_trivial"] == 0.0
    assert "gate/limit_unsolvable" not in figures.batch
    later, figures = play_step(gate, 2, **{f"b{n}": (1.0, "rr") for n in range(20)})
    skipped = sum(not each.solve for each in later.values())
    assert 0 < skipped < 20
    assert figures.run["ledger/gate_precision"] == 1.0
    # Two solutions of ten tokens each of a problem like the audited ones.
    assert figures.run["ledger/gate_tokens_saved"] == pytest.approx(20 * skipped)


def test_an_aligned_start_waits_for_the_gate_to_be_right():
    def play_twice(letters):
        schedule = AlignedStart(start=50, steps=2, precision=0.5, recall=0.1)
        gate = make_gate(schedule=schedule)
        for step in (1, 2):
            play_step(gate, step, **{f"a{n}": (1.0, letters) for n in range(10)})
        return gate.decides(3)

    assert play_twice("rr")
    assert not play_twice("rw")


def test_it_goes_on_from_a_saved_state():
    settings = AuditedGateSettings(precision=0.7, audit=0.5)
    gate = make_gate(settings)
    play_step(gate, 1, **{f"a{n}": (1.0, "rr") for n in range(20)})
    problems = {f"b{n}": (1.0, "rr") for n in range(20)}
    states = list_saved_forms(gate.state_dict())
    expected = play_step(gate, 2, **problems)
    assert any(not each.solve for each in expected[0].values())
    for state in states:
        other = make_gate(settings)
        other.load_state_dict(state)
        assert play_step(other, 2, **problems) == expected


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing():
    gate = make_gate()
    play_step(gate, 1, a=(0.5, "rw"))
    before = gate.state_dict()
    other = make_gate(ThresholdGateSettings())
    with pytest.raises(ValueError, match=r"gate.rule = 'threshold', and this run has 'static'"):
        gate.load_state_dict(other.state_dict())
    damaged = [
        {},
        before | {"version": 9},
        before | {"controller": {}},
        before | {"ledger": {"state_of": "x"}},
    ]
    for state in damaged:
        with pytest.raises(ValueError, match="state"):
            gate.load_state_dict(state)
        assert gate.state_dict() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gate": GateOff()}, "gate.rule = 'off' is not to be had here: take static"),
        ({"gate": ChoiceSettings()}, "gate.rule = 'choice' is not to be had here"),
        ({"gate": StaticGateSettings(refill=True)}, "gate.refill = True.*leave refill at False"),
        ({"schedule": FixedStart(meta_weight=0.5)}, "schedule.meta_weight = 0.5 weighs a part"),
        ({"schedule": AlignedStart(clone_weight=0.0)}, "schedule.clone_weight = 0.0 weighs"),
    ],
)
def test_what_a_batch_of_a_fixed_size_cannot_have_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        make_gate(**changes)


def test_episodes_hold_what_was_made_and_judged():
    rollouts = [
        make_meta("a", 0.5, 0.25),
        make_solution("a", "r", 10),
        make_placeholder("b"),
        make_solution("a", "?", 30),
        make_meta("b", 1.0),
        make_solution("a", "w", 20),
    ]
    first, second = build_episodes(rollouts, {}, make_problems("a", "b"))
    assert [len(s.completion.token_ids) for s in first.solutions] == [10, 30, 20]
    assert [s.reward for s in first.solutions] == [1.0, None, 0.0]
    assert (first.pass_rate, second.pass_rate) == (0.5, None)
    assert [m.total_reward for m in (*first.meta, *second.meta)] == [0.25, None]
    assert second.solutions == ()
    assert second.meta[0].prediction.pass_rate == 1.0
