from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_rewards.score.estimates import ClusteredMean, Correlation, student_t

VALUES = st.floats(0, 1).map(lambda value: round(value, 6))


def estimate(clusters):
    mean = ClusteredMean()
    for cluster in clusters:
        mean.add(cluster)
    return mean.estimate()


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
    assert student_t(degrees) == pytest.approx(quantile, abs=2e-4)


def test_an_interval_by_hand():
    # Sums of five pairs; mean 0.5; residuals 0, 0.2, -0.2, 0.1, -0.1;
    # se^2 = 5/4 * 0.1 / 10^2, t of four degrees is 2.776
    got = estimate([[0.5, 0.5], [0.9, 0.3], [0.4, 0.4], [0.1, 1.0], [0.0, 0.9]])
    half = 2.776445 * math.sqrt(0.00125)
    assert got.mean == pytest.approx(0.5)
    assert (got.low, got.high) == pytest.approx((0.5 - half, 0.5 + half))


def test_what_is_not_defined_is_none():
    assert estimate([]).mean is None
    assert estimate([[], []]).mean is None
    one = estimate([[0.2, 0.4]])
    assert (one.mean, one.low, one.high) == (pytest.approx(0.3), None, None)


@given(st.lists(VALUES, min_size=2, max_size=20))
def test_clusters_of_one_give_the_plain_interval(values):
    got = estimate([[value] for value in values])
    half = student_t(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    assert got.low == pytest.approx(max(0, statistics.fmean(values) - half), abs=1e-6)
    assert got.high == pytest.approx(min(1, statistics.fmean(values) + half), abs=1e-6)


@given(st.lists(VALUES, min_size=2, max_size=9), st.integers(2, 5))
def test_saying_a_thing_again_makes_it_no_surer(values, times):
    once, often = estimate([[v] for v in values]), estimate([[v] * times for v in values])
    assert often.low == pytest.approx(once.low, abs=1e-6)
    assert often.high == pytest.approx(once.high, abs=1e-6)


@given(st.lists(st.tuples(VALUES, VALUES), max_size=20))
def test_the_correlation_is_that_of_the_two_passes(pairs):
    stream = Correlation()
    for x, y in pairs:
        stream.add(x, y)
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    if len(set(xs)) < 2 or len(set(ys)) < 2:
        assert stream.value is None or abs(stream.value) <= 1
    else:
        assert stream.value == pytest.approx(statistics.correlation(xs, ys), abs=1e-3)


def test_there_is_no_correlation_with_what_never_changes():
    stream = Correlation()
    for x in (0.1, 0.7, 0.3):
        stream.add(x, 0.1)
    assert stream.value is None
