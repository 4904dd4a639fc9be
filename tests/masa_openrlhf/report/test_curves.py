import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_openrlhf.report.analysis.bands import pool_curves
from masa_openrlhf.report.analysis.curves import (
    Curve,
    cost_to_reach,
    make_monotone,
    paired_ratio,
    tokens_to,
)
from masa_openrlhf.report.analysis.intervals import interval_over_runs


def curve(*accuracy, tokens=None, low=(), high=()):
    """Points 100 tokens, one step and two seconds apart."""
    count = range(len(accuracy))
    return Curve(
        tokens=tuple(tokens or (100.0 * i for i in count)),
        steps=tuple(map(float, count)),
        seconds=tuple(2.0 * i for i in count),
        accuracy=accuracy,
        low=low,
        high=high,
    )


def test_a_curve_that_falls_is_levelled():
    assert make_monotone((0.3, 0.5, 0.4, 0.6)) == pytest.approx((0.3, 0.45, 0.45, 0.6))
    assert make_monotone((0.9, 0.3, 0.3)) == pytest.approx((0.5, 0.5, 0.5))
    assert make_monotone((0.3, 0.5, 0.4, 0.6), "best") == (0.3, 0.5, 0.5, 0.6)
    assert make_monotone(()) == ()


@given(st.lists(st.floats(0, 1), max_size=30))
def test_levelled_curves_rise_and_keep_their_mean(values):
    level = make_monotone(values)
    assert all(a <= b for a, b in itertools.pairwise(level))
    assert math.fsum(level) == pytest.approx(math.fsum(values))
    assert make_monotone(level) == pytest.approx(level)


def test_between_two_evaluations_accuracy_moves_on_a_straight_line():
    one = curve(0.2, 0.4, 0.8)
    assert tokens_to(one, 0.4) == 100.0
    assert tokens_to(one, 0.5) == pytest.approx(125.0)
    assert cost_to_reach(one, 0.6, by="steps") == pytest.approx(1.5)
    assert cost_to_reach(one, 0.6, by="seconds") == pytest.approx(3.0)
    assert tokens_to(one, 0.8) == 200.0


def test_what_a_run_never_reaches_and_what_it_begins_with():
    assert tokens_to(curve(0.2, 0.4), 0.5) is None
    assert tokens_to(curve(0.2, 0.4), 0.1) == 0.0
    assert tokens_to(curve(), 0.1) is None


def test_one_lucky_evaluation_counts_by_the_best_alone():
    lucky = curve(0.2, 0.6, 0.2, 0.4)
    assert tokens_to(lucky, 0.5, how="best") == pytest.approx(75.0)
    assert tokens_to(lucky, 0.5) is None  # levelled: 0.2, 0.4, 0.4, 0.4


def test_a_curve_is_checked():
    with pytest.raises(ValueError, match="one length"):
        Curve((0.0,), (0.0,), (0.0,), ())
    with pytest.raises(ValueError, match="tokens of a curve must not fall"):
        curve(0.1, 0.2, tokens=(5.0, 4.0))


def test_ratios_are_paired_and_their_mean_is_geometric():
    """Base needs 200 and 400 tokens, other 100 and 100: ratios 1/2 and 1/4, mean 1/√8."""
    base = [curve(0.0, 0.5, 1.0), curve(0.0, 0.25, 0.5, 0.75, 1.0)]
    other = [curve(0.0, 1.0), curve(0.0, 1.0)]
    ratio = paired_ratio(base, other, 1.0)
    assert ratio.value == pytest.approx(1 / math.sqrt(8))
    assert (ratio.low, ratio.high) == pytest.approx((0.25, 0.5))  # a pair drawn twice
    assert ratio.pairs == 2
    wide = paired_ratio(base, other, 1.0, method="t")
    # Logs -0.693 and -1.386: mean -1.040, s / √2 = 0.3466, t(1) = 12.706.
    assert wide.low == pytest.approx(math.exp(-1.0397 - 12.706 * 0.34657), rel=1e-3)
    assert wide.high == pytest.approx(math.exp(-1.0397 + 12.706 * 0.34657), rel=1e-3)
    assert paired_ratio(base, other, 1.0) == ratio  # the same draws again


def test_pairs_that_cannot_be_divided_are_counted():
    there, never, at_once = curve(0.0, 1.0), curve(0.0, 0.1), curve(1.0, 1.0)
    base = [there, there, never, never, at_once]
    other = [there, never, there, never, there]
    ratio = paired_ratio(base, other, 0.5)
    assert ratio == (1.0, None, None, 1, 1, 1, 1, 1)
    assert paired_ratio([never], [never], 0.5).value is None
    with pytest.raises(ValueError, match="zip"):
        paired_ratio([there], [], 0.5)


def test_each_pair_can_have_an_accuracy_of_its_own():
    steep, flat = curve(0.0, 1.0), curve(0.0, 0.5)
    assert paired_ratio([steep, flat], [flat, flat], [0.25, 0.5]).value == pytest.approx(2**0.5)
    with pytest.raises(ValueError, match="zip"):
        paired_ratio([steep, flat], [flat, flat], [0.25])


def test_an_interval_needs_two():
    for method in ("t", "bootstrap"):
        assert interval_over_runs([0.5], method=method) == (0.5, None, None)
        assert interval_over_runs([], method=method) == (None, None, None)
    assert interval_over_runs([0.4, 0.6]) == pytest.approx((0.5, -0.7706, 1.7706), abs=1e-4)
    drawn = interval_over_runs([0.4, 0.6], method="bootstrap")
    assert drawn == pytest.approx((0.5, 0.4, 0.6))


def test_runs_are_pooled_where_all_of_them_were():
    """The second was evaluated at 50, 150 tokens; in common are 50 to 100."""
    band = pool_curves([curve(0.2, 0.4), curve(0.3, 0.5, tokens=(50.0, 150.0))], "tokens")
    assert band.x == (50.0, 100.0)
    assert band.mean == pytest.approx((0.3, 0.4))  # 0.3 and 0.3; 0.4 and 0.4
    assert band.low == pytest.approx((0.3, 0.4))
    assert band.runs == 2
    steps = pool_curves([curve(0.2, 0.4), curve(0.4, 0.6)], "steps")
    assert steps.mean == pytest.approx((0.3, 0.5))
    assert steps.low == (0.0, 0.0)  # t(1) is wide: cut at 0 and 1
    assert steps.high == (1.0, 1.0)


def test_a_single_run_has_its_own_intervals():
    alone = curve(0.2, 0.4, low=(0.1, 0.3), high=(0.3, 0.5))
    assert pool_curves([alone, curve()], "steps") == (
        (0.0, 1.0),
        (0.2, 0.4),
        (0.1, 0.3),
        (0.3, 0.5),
        1,
    )
    assert pool_curves([curve(0.2)], "steps").low is None
    assert pool_curves([], "steps") is None
    apart = curve(0.1, 0.2, tokens=(500.0, 600.0))
    assert pool_curves([curve(0.2, 0.4), apart], "tokens") is None
