from __future__ import annotations

import itertools
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_rewards.statistics import (
    UNKNOWN,
    Z95,
    ClusteredMean,
    Interval,
    StreamedCorrelation,
    difference_interval,
    fit_isotonic,
    mean_interval,
    mean_known,
    pearson_correlation,
    rate_interval,
    student_t_quantile,
    wilson_bounds,
    wilson_interval,
)

RATES = st.floats(0, 1)
VALUES = RATES.map(lambda value: round(value, 6))
PAIRS = st.lists(st.tuples(VALUES, VALUES), max_size=20)


# -- Student's t -----------------------------------------------------------------------------------


# From the tables of Student's distribution.
@pytest.mark.parametrize(
    ("degrees", "quantile"),
    [
        (1, 12.7062),
        (2, 4.3027),
        (9, 2.2622),
        (10, 2.2281),
        (15, 2.1314),
        (30, 2.0423),
        (120, 1.9799),
        (10**6, 1.9600),
    ],
)
def test_quantiles_of_student(degrees, quantile):
    assert student_t_quantile(degrees) == pytest.approx(quantile, abs=2e-4)


def test_quantiles_of_student_fall_to_the_normal_one():
    quantiles = [student_t_quantile(degrees) for degrees in range(1, 300)]
    assert all(a > b for a, b in itertools.pairwise(quantiles))
    assert student_t_quantile(10**12) == pytest.approx(Z95, abs=1e-9)
    assert statistics.NormalDist().inv_cdf(0.975) == pytest.approx(Z95, abs=1e-12)


@pytest.mark.parametrize("degrees", [0, -1])
def test_without_a_degree_of_freedom_there_is_no_quantile(degrees):
    with pytest.raises(ValueError, match=f"at least one degree of freedom, got {degrees}"):
        student_t_quantile(degrees)


# -- Wilson ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "cases", "low", "high"),
    [
        # 9 of 10: (0.9 + z²/20 ± z sqrt(0.009 + z²/400)) / (1 + z²/10)
        (0.9, 10, 0.5958, 0.9821),
        (0.5, 100, 0.4038, 0.5962),
        (0.0, 10, 0.0, Z95 * Z95 / (10 + Z95 * Z95)),
        (1.0, 10, 10 / (10 + Z95 * Z95), 1.0),
    ],
)
def test_wilson_by_hand(share, cases, low, high):
    assert wilson_interval(share, cases) == pytest.approx((share, low, high), abs=1e-4)


def test_wilson_of_what_is_known_has_no_width():
    assert wilson_interval(0.3, math.inf) == (0.3, 0.3, 0.3)


@given(RATES, st.floats(0.5, 1e6), st.floats(1.1, 100), st.floats(0.1, 3))
def test_wilson_holds_the_share_and_narrows_with_cases(share, cases, more, z):
    low, high = wilson_bounds(share, cases, z=z)
    assert wilson_interval(share, cases, z=z) == (share, low, high)
    assert 0 <= low <= share <= high <= 1
    narrow_low, narrow_high = wilson_bounds(share, cases * more, z=z)
    assert low <= narrow_low + 1e-12
    assert narrow_high <= high + 1e-12


@pytest.mark.parametrize(
    ("share", "cases", "z", "told"),
    [
        (-0.1, 10, 1, "share -0.1"),
        (1.1, 10, 1, "share 1.1"),
        (math.nan, 10, 1, "share nan"),
        (0.5, 0, 1, "cases 0"),
        (0.5, 10, 0, "z 0"),
    ],
)
def test_wilson_refuses_what_is_no_share(share, cases, z, told):
    with pytest.raises(ValueError, match=told):
        wilson_bounds(share, cases, z=z)


# -- means -----------------------------------------------------------------------------------------


def test_a_mean_by_hand():
    """1, 2, 6: mean 3, s² = (4 + 1 + 9) / 2 = 7, half 4.302653 * sqrt(7 / 3) = 6.572411."""
    found = mean_interval([1, 2, 6])
    assert found == pytest.approx((3, 3 - 6.572411, 3 + 6.572411), abs=1e-6)
    assert mean_interval([0.5]) == (0.5, None, None)
    assert mean_interval([]) == UNKNOWN
    assert mean_interval([2, 2, 2]) == (2, 2, 2)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=20), st.floats(-50, 50))
def test_an_interval_moves_with_its_values(values, by):
    found, moved = mean_interval(values), mean_interval([value + by for value in values])
    assert moved == pytest.approx([end + by for end in found], abs=1e-6)
    assert found.low <= found.value <= found.high


def test_the_mean_of_what_is_known():
    assert mean_known([0.2, None, 0.4, None]) == pytest.approx(0.3)
    assert mean_known([None, 0]) == 0
    assert mean_known([None]) is None
    assert mean_known([]) is None


def estimate_mean(clusters):
    mean = ClusteredMean()
    for cluster in clusters:
        mean.add(cluster)
    return mean.interval


def test_a_clustered_mean_by_hand():
    # Sums of five pairs; mean 0.5; residuals 0, 0.2, -0.2, 0.1, -0.1;
    # se^2 = 5/4 * 0.1 / 10^2, t of four degrees is 2.776
    got = estimate_mean([[0.5, 0.5], [0.9, 0.3], [0.4, 0.4], [0.1, 1.0], [0.0, 0.9]])
    half = 2.776445 * math.sqrt(0.00125)
    assert got == pytest.approx((0.5, 0.5 - half, 0.5 + half))


def test_what_is_not_defined_is_none():
    assert estimate_mean([]) == UNKNOWN
    assert estimate_mean([[], []]) == UNKNOWN
    assert estimate_mean([[0.2, 0.4]]) == (pytest.approx(0.3), None, None)


@given(st.lists(VALUES, min_size=2, max_size=20))
def test_clusters_of_one_give_the_plain_interval(values):
    got, plain = estimate_mean([[value] for value in values]), mean_interval(values)
    assert got.value == pytest.approx(plain.value)
    assert got.low == pytest.approx(max(0, plain.low), abs=1e-6)
    assert got.high == pytest.approx(min(1, plain.high), abs=1e-6)


@given(st.lists(VALUES, min_size=2, max_size=9), st.integers(2, 5))
def test_saying_a_thing_again_makes_it_no_surer(values, times):
    once, often = estimate_mean([[v] for v in values]), estimate_mean([[v] * times for v in values])
    assert often.low == pytest.approx(once.low, abs=1e-6)
    assert often.high == pytest.approx(once.high, abs=1e-6)


# -- rates -----------------------------------------------------------------------------------------


def test_rates_by_hand():
    """Rates 0, 1/2, 1, 1: mean 5/8, s^2 = (25 + 1 + 9 + 9) / 64 / 3, t(3) = 3.182446."""
    half = 3.182446 * math.sqrt(44 / 64 / 3) / 2
    assert half > 0.625
    assert rate_interval([0.0, 0.5, 1.0, 1.0]) == (0.625, 0.0, 1.0)  # cut at both ends
    wide = rate_interval([0.0, 0.5, 1.0, 1.0] * 25)
    assert wide.high == pytest.approx(
        0.625 + 1.984217 * math.sqrt(44 / 64 * 25 / 99) / 10, abs=1e-5
    )
    assert wide.low == pytest.approx(1.25 - wide.high)


def test_rates_that_are_all_alike():
    """30 of 30 wrong: the chance of that is 2.5 % at a rate of 11.57 %."""
    assert rate_interval([0.0] * 30) == (0.0, 0.0, pytest.approx(0.115703, abs=1e-6))
    assert rate_interval([1.0] * 30) == (1.0, pytest.approx(1 - 0.115703, abs=1e-6), 1.0)
    assert (1 - rate_interval([0.0] * 30).high) ** 30 == pytest.approx(0.025)


def test_few_rates():
    assert rate_interval([]) == UNKNOWN
    assert rate_interval([0.5]) == (0.5, None, None)
    assert rate_interval([1.0]) == (1.0, None, None)


@given(st.lists(RATES, min_size=2, max_size=30))
def test_rates_hold_their_mean(values):
    found = rate_interval(values)
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


@pytest.mark.parametrize("rate", [-0.1, 1.5, math.nan])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(ValueError, match=f"a rate must lie in .*, got {rate!r}"):
        rate_interval([0.5, rate])
    with pytest.raises(ValueError, match=f"a rate must lie in .*, got {rate!r}"):
        difference_interval([(0.5, 0.5), (0.5, rate)])


def test_a_difference_by_hand():
    """Gains 0.5, 0, 0, 0.5: mean 0.25, s = sqrt(1/12), half 3.182446 * s / 2 = 0.459346."""
    found = difference_interval([(0.0, 0.5), (0.5, 0.5), (1.0, 1.0), (0.25, 0.75)])
    assert found == pytest.approx((0.25, 0.25 - 0.459346, 0.709346), abs=1e-6)


def test_pairing_finds_what_two_intervals_do_not():
    """Questions from 0 to 0.9, each 0.1 better: the gap is sure, though the means overlap."""
    before = [i / 10 for i in range(10)]
    now = [min(1.0, rate + 0.1 - (i % 2) * 0.01) for i, rate in enumerate(before)]
    assert rate_interval(before).high > rate_interval(now).low
    gain = difference_interval(list(zip(before, now, strict=True)))
    assert gain.low > 0.09
    assert gain.value == pytest.approx(0.095)


def test_two_that_agree_everywhere_may_still_differ():
    bound = pytest.approx(0.115703, abs=1e-6)
    found = difference_interval([(0.5, 0.5)] * 30)
    assert (found.value, -found.low, found.high) == (0.0, bound, bound)
    assert difference_interval([]) == UNKNOWN
    assert difference_interval([(0, 1)]) == (1, None, None)


@given(st.lists(st.tuples(RATES, RATES), min_size=2, max_size=20))
def test_a_difference_turns_round_with_its_sides(pairs):
    one, other = difference_interval(pairs), difference_interval([(b, a) for a, b in pairs])
    assert one == pytest.approx((-other.value, -other.high, -other.low))
    assert -1 <= one.low <= one.value + 1e-12
    assert one.value - 1e-12 <= one.high <= 1


# -- correlation -----------------------------------------------------------------------------------


def stream_pairs(pairs):
    stream = StreamedCorrelation()
    for x, y in pairs:
        stream.add(x, y)
    return stream


def test_correlation_by_hand():
    """x 1, 2, 3 from 2: -1, 0, 1; y 1, 3, 2 from 2: -1, 1, 0: 1 / sqrt(2 * 2)."""
    pairs = [(1, 1), (2, 3), (3, 2)]
    assert pearson_correlation(pairs) == pytest.approx(0.5)
    assert pearson_correlation([(0.1, 0.3), (0.2, 0.2), (0.3, 0.1)]) == pytest.approx(-1.0)
    stream = stream_pairs(pairs)
    assert (stream.count, stream.mean_x, stream.mean_y) == (3, 2, 2)
    assert stream.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [(0.1, 0.2)],
        [(0.5, 0.1), (0.5, 0.9)],
        [(0.1, 0.1), (0.7, 0.1), (0.3, 0.1)],
        [(0.1 + 0.2, 0.1), (0.3, 0.9)],  # differ in their last bit alone: 0.30000000000000004
    ],
)
def test_there_is_no_correlation_with_what_does_not_vary(pairs):
    assert pearson_correlation(pairs) is None
    assert stream_pairs(pairs).value is None


@given(PAIRS)
def test_correlation_lies_between_its_ends_and_has_no_sides(pairs):
    found = pearson_correlation(pairs)
    assert found == pearson_correlation([(y, x) for x, y in pairs])
    if found is not None:
        assert -1 <= found <= 1
        turned = pearson_correlation([(1 - x, y) for x, y in pairs])
        assert turned == pytest.approx(-found, abs=1e-6)
        xs, ys = zip(*pairs, strict=True)
        assert found == pytest.approx(statistics.correlation(xs, ys), abs=1e-12)


@given(PAIRS)
def test_the_stream_comes_to_the_same(pairs):
    found, stream = pearson_correlation(pairs), stream_pairs(pairs).value
    assert (stream is None) == (found is None)
    # Of spreads of 1e-6 a stream loses half the digits.
    assert stream is None or stream == pytest.approx(found, abs=1e-3)
    assert stream is None or -1 <= stream <= 1


# -- what does not fall ----------------------------------------------------------------------------


def test_isotonic_by_hand():
    assert fit_isotonic((0.3, 0.5, 0.4, 0.6)) == pytest.approx((0.3, 0.45, 0.45, 0.6))
    assert fit_isotonic((0.9, 0.3, 0.3)) == pytest.approx((0.5, 0.5, 0.5))
    # 1 falls below 4, and their mean 2.5 below 3: all three are one block.
    assert fit_isotonic((3, 4, 1)) == pytest.approx((8 / 3,) * 3)
    assert fit_isotonic(()) == ()


@given(st.lists(RATES, max_size=30))
def test_isotonic_rises_keeps_the_sum_and_changes_nothing_twice(values):
    level = fit_isotonic(values)
    assert all(a <= b for a, b in itertools.pairwise(level))
    assert math.fsum(level) == pytest.approx(math.fsum(values))
    assert fit_isotonic(level) == level
    assert fit_isotonic(sorted(values)) == tuple(sorted(values))


@given(st.lists(RATES, min_size=1, max_size=8), st.lists(RATES, min_size=8, max_size=8))
def test_no_rising_sequence_is_nearer_than_the_isotonic_one(values, others):
    def distance(level):
        return math.fsum((a - b) ** 2 for a, b in zip(values, level, strict=True))

    other = sorted(others)[: len(values)]
    assert distance(fit_isotonic(values)) <= distance(other) + 1e-12


def test_an_interval_is_a_plain_tuple():
    assert Interval(0.5, 0.4, 0.6) == (0.5, 0.4, 0.6)
