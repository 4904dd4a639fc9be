import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_control import DistanceGate, GateDecision, PredictiveGate

RATES = st.lists(st.sampled_from([None, *(k / 8 for k in range(9))]), max_size=10)
LIMITS = st.floats(0, 0.5)


@pytest.mark.parametrize(
    ("rates", "skip", "reason"),
    [
        ([1.0, 1.0, 1.0, 1.0], True, "trivial"),
        ([0.0, 0.0, 0.0, 0.0], True, "unsolvable"),
        ([1.0, 1.0, 1.0, 0.875], False, None),  # the mean is not exactly 1
        ([0.0, 0.0, 0.0, 0.125], False, None),
        ([0.5, 0.5, 0.5, 0.5], False, None),  # they agree, on the middle
        ([0.0, 1.0], False, None),  # they do not agree
        ([1.0], True, "trivial"),
    ],
)
def test_the_papers_rule(rates, skip, reason):
    decision = PredictiveGate().decide(rates)
    assert (decision.skip, decision.reason) == (skip, reason)


def test_a_decision_worked_out_by_hand():
    # mean 0.25, std sqrt((0.25² + 0.25²) / 2) = 0.25; from 0: sqrt(0.25² + 0.25²)
    decision = PredictiveGate().decide([0.0, 0.5, None])
    assert decision == GateDecision(
        skip=False, reason=None, mean=0.25, std=0.25, distance=math.hypot(0.25, 0.25), read=2
    )
    assert decision.end == "unsolvable"
    # The mean is 0.75: 1 is the nearer end.
    other = PredictiveGate().decide([1.0, 0.5])
    assert (other.end, other.distance) == ("trivial", math.hypot(0.25, 0.25))


def test_the_tolerance_takes_in_its_end_and_the_std_does_not():
    # mean 0.9375, std 0.0625
    rates = [1.0, 0.875]
    assert PredictiveGate(tolerance=0.0625).decide(rates).skip
    assert not PredictiveGate(tolerance=0.0624).decide(rates).skip
    assert PredictiveGate(tolerance=0.1, max_std=0.0626).decide(rates).skip
    assert not PredictiveGate(tolerance=0.1, max_std=0.0625).decide(rates).skip
    # The tolerance holds at the other end too.
    assert PredictiveGate(tolerance=0.0625).decide([0.0, 0.125]).reason == "unsolvable"


@pytest.mark.parametrize("gate", [PredictiveGate(), DistanceGate(0.4, 0.4)])
def test_too_few_that_can_be_read_skip_nothing(gate):
    assert gate.decide([1.0, 1.0, None, None]).skip  # half of them
    some = gate.decide([1.0, None, None])
    assert (some.skip, some.mean, some.end, some.read) == (False, None, None, 1)
    none = gate.decide([None] * 8)
    assert (none.skip, none.mean, none.distance, none.read) == (False, None, None, 0)
    assert not gate.decide([]).skip


@pytest.mark.parametrize("kind", [PredictiveGate, lambda **s: DistanceGate(0.1, 0.1, **s)])
def test_how_many_must_be_read_is_a_setting(kind):
    rates = [1.0, None, None, None]
    assert kind(min_readable=0.25).decide(rates).skip
    assert not kind(min_readable=0.26).decide(rates).skip
    assert not kind(min_readable=1.0).decide([1.0, 1.0, None]).skip


def test_each_end_has_a_limit_of_its_own():
    gate = DistanceGate(trivial=0.125, unsolvable=None)
    assert gate.decide([0.875, 0.875]).reason == "trivial"  # exactly at the limit
    assert gate.decide([0.875, 0.875]).limit == 0.125
    assert not gate.decide([0.875, 0.75]).skip
    assert not gate.decide([0.0, 0.0]).skip
    assert gate.decide([0.0, 0.0]).limit is None
    other = DistanceGate(trivial=None, unsolvable=0.125)
    assert other.decide([0.125, 0.125]).reason == "unsolvable"
    assert not other.decide([1.0]).skip


@given(RATES)
def test_at_limit_0_it_is_the_papers_rule(rates):
    papers, distance = PredictiveGate().decide(rates), DistanceGate(0.0, 0.0).decide(rates)
    assert (papers.skip, papers.reason) == (distance.skip, distance.reason)


@given(RATES, st.floats(0.001, 0.6), st.floats(0, 0.49), LIMITS, st.randoms())
def test_the_order_of_predictions_does_not_matter(rates, std, tolerance, limit, rng):
    shuffled = random.Random(rng.random()).sample(rates, len(rates))
    for gate in (PredictiveGate(max_std=std, tolerance=tolerance), DistanceGate(limit, limit)):
        assert gate.decide(rates) == gate.decide(shuffled)


@given(
    RATES, st.floats(0.001, 0.6), st.floats(0, 0.4), st.floats(0, 0.09), st.sampled_from([0.5, 1.0])
)
def test_wider_settings_skip_all_that_narrower_ones_skip(rates, std, tolerance, more, readable):
    narrow = PredictiveGate(max_std=std, tolerance=tolerance, min_readable=readable)
    for wide in (
        PredictiveGate(max_std=std + more, tolerance=tolerance, min_readable=readable),
        PredictiveGate(max_std=std, tolerance=tolerance + more, min_readable=readable),
        PredictiveGate(max_std=std, tolerance=tolerance, min_readable=readable / 2),
    ):
        assert wide.decide(rates).skip >= narrow.decide(rates).skip
    near, far = DistanceGate(tolerance, tolerance), DistanceGate(tolerance + more, tolerance + more)
    assert far.decide(rates).skip >= near.decide(rates).skip


@given(RATES)
def test_what_is_skipped_has_its_reason_and_what_is_not_has_none(rates):
    decision = DistanceGate(0.3, 0.3).decide(rates)
    assert decision.reason == (decision.end if decision.skip else None)
    if decision.mean is not None:
        end = 1.0 if decision.end == "trivial" else 0.0
        known = [p for p in rates if p is not None]
        rms = math.sqrt(sum((p - end) ** 2 for p in known) / len(known))
        assert decision.distance == pytest.approx(rms)


@pytest.mark.parametrize("gate", [PredictiveGate(), DistanceGate(0.1, 0.1)])
@pytest.mark.parametrize("rate", [-0.125, 1.125, math.nan])
def test_what_is_no_pass_rate_is_refused(gate, rate):
    with pytest.raises(ValueError, match=rf"\[0, 1\], got {rate!r}"):
        gate.decide([0.5, rate])


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"max_std": 0.0}, "greater than 0"),
        ({"max_std": math.nan}, "input_value=nan"),
        ({"tolerance": 0.5}, "less than 0.5"),
        ({"tolerance": -0.1}, "input_value=-0.1"),
        ({"min_readable": 0.0}, "greater than 0"),
        ({"min_readable": 1.1}, "less than or equal to 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, says):
    ((name, value),) = settings.items()
    with pytest.raises(ValueError, match=f"{name}\n.*{says}"):
        PredictiveGate(**settings)
    if name == "min_readable":
        with pytest.raises(ValueError, match=rf"min_readable must lie in \(0, 1\], got {value!r}"):
            DistanceGate(0.1, 0.1, **settings)
