"""The gate for readers that give a probability."""

import pytest
from masa_control import (
    Belief,
    DistanceGate,
    GateDecision,
    Planner,
    PredictiveGate,
    ThresholdGateSettings,
)
from masa_rewards import MetaPrediction

BOTH = ThresholdGateSettings(low=0.05, high=0.95)


@pytest.mark.parametrize(
    ("mean", "reason"),
    [(0.0, "unsolvable"), (0.049, "unsolvable"), (0.05, None), (0.95, None), (0.96, "trivial")],
)
def test_it_skips_beyond_its_limits(mean, reason):
    decided = BOTH.judge(Belief(mean, 0.0, "probe", 40))
    assert (decided.skip, decided.reason) == (reason is not None, reason)
    assert (decided.source, decided.read, decided.mean) == ("probe", 40, mean)
    assert BOTH.decide([mean, mean]).reason == reason


def test_one_end_may_be_left_alone():
    assert not ThresholdGateSettings().judge(Belief(1.0, 0.0, "probe")).skip
    assert not ThresholdGateSettings(low=0.0).judge(Belief(0.0, 0.0, "probe")).skip


def test_it_may_ask_for_sureness():
    held = ThresholdGateSettings(low=0.1, high=0.9, hold_back=2.0)
    assert held.judge(Belief(0.05, 0.02**2, "probe")).skip  # 0.05 + 0.04 < 0.1
    assert not held.judge(Belief(0.05, 0.03**2, "probe")).skip
    assert not held.judge(Belief(0.95, 0.03**2, "probe")).skip


@pytest.mark.parametrize("gate", [BOTH, PredictiveGate(), DistanceGate(0.1, 0.1)])
def test_where_too_little_is_known_nothing_is_skipped(gate):
    assert gate.judge(None) == GateDecision(False, None, source="reader")
    assert gate.decide([None, None, 0.0]).skip is False
    plan = Planner(step=1, seed=0, reader="given", gate=gate).plan("p", (), 9)
    assert plan.explain() == "rolled out: the reader knows too little"


@pytest.mark.parametrize(
    ("gate", "skips"),
    [
        (PredictiveGate(max_std=0.1, tolerance=0.05), True),
        (PredictiveGate(max_std=0.02, tolerance=0.05), False),
        (DistanceGate(trivial=None, unsolvable=0.06), True),
        (DistanceGate(trivial=None, unsolvable=0.04), False),
    ],
)
def test_other_gates_take_any_reader(gate, skips):
    # 0.03 from the end and 0.04 wide: 0.05 in all.
    decided = gate.judge(Belief(0.03, 0.04**2, "words", 12))
    assert decided.skip == skips
    assert decided.distance == pytest.approx(0.05)


def test_a_belief_goes_before_predictions_where_a_reader_decides():
    said = [MetaPrediction(pass_rate=0.5)] * 4
    made = Planner(step=1, seed=0, reader="given", gate=BOTH)
    plan = made.plan("p", said, 9, belief=Belief(0.01, 0.0001, "words", 64))
    assert (plan.solve, plan.belief.source) == (False, "words")
    assert "a pass rate read from words, on 64 seen, of mean 0.010" in plan.explain()
    assert Planner(step=1, seed=0, gate=BOTH).plan("p", said, 9).solve


def test_a_planner_says_whether_it_needs_predictions():
    assert Planner(step=1, seed=0).needs_predictions
    assert not Planner(step=1, seed=0, reader="given").needs_predictions
    with pytest.raises(ValueError, match="'distribution' reads by `distribution`"):
        Planner(step=1, seed=0, reader="distribution")
