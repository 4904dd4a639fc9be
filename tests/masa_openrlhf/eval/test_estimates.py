import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_openrlhf.eval.estimates import difference, interval, pass_at_k, spread


@pytest.mark.parametrize(
    ("n", "c", "k", "expected"),
    [
        (4, 1, 1, 0.25),
        (4, 1, 2, 0.5),  # 3 of the 6 pairs hold the right one
        (4, 2, 2, 5 / 6),  # only the pair of both wrong ones does not
        (4, 0, 4, 0.0),
        (4, 4, 1, 1.0),
        (4, 1, 4, 1.0),
        (32, 3, 8, 1 - (24 * 23 * 22) / (32 * 31 * 30)),
    ],
)
def test_pass_at_k_by_hand(n, c, k, expected):
    assert pass_at_k(n, c, k) == pytest.approx(expected, rel=1e-15)


@given(st.integers(1, 7), st.data())
def test_pass_at_k_is_what_counting_all_draws_says(n, data):
    c = data.draw(st.integers(0, n))
    k = data.draw(st.integers(1, n))
    right = [True] * c + [False] * (n - c)
    draws = list(itertools.combinations(right, k))
    assert pass_at_k(n, c, k) == float(Fraction(sum(map(any, draws)), len(draws)))


@given(st.integers(1, 400), st.data())
def test_pass_at_k_grows_with_c_and_with_k(n, data):
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    value = pass_at_k(n, c, k)
    assert 0 <= value <= 1
    assert value == 0 if c == 0 else value > 0
    if c < n:
        assert pass_at_k(n, c + 1, k) >= value
    if k < n:
        assert pass_at_k(n, c, k + 1) >= value


def test_pass_at_k_loses_no_digit_where_the_formula_in_floats_does():
    """1 - C(n - c, k) / C(n, k) in floats is off in the tenth digit here."""
    assert pass_at_k(10**6, 1, 1) == 1e-6
    assert 1 - (10**6 - 1) / 10**6 != 1e-6
    assert pass_at_k(5000, 1, 2500) == 0.5  # C(5000, 2500) is beyond every float


@pytest.mark.parametrize(("n", "c", "k"), [(4, 1, 0), (4, 1, 5), (4, 5, 1), (4, -1, 1), (0, 0, 1)])
def test_pass_at_k_refuses_what_is_none(n, c, k):
    with pytest.raises(ValueError, match="must be|c must"):
        pass_at_k(n, c, k)


def test_interval_by_hand():
    """Rates 0, 1/2, 1, 1: mean 5/8, s^2 = (25 + 1 + 9 + 9) / 64 / 3, t(3) = 3.182446."""
    half = 3.182446 * math.sqrt(44 / 64 / 3) / 2
    found = interval([0.0, 0.5, 1.0, 1.0])
    assert found.mean == 0.625
    assert half > 0.625
    assert (found.low, found.high) == (0.0, 1.0)  # cut at both ends
    wide = interval([0.0, 0.5, 1.0, 1.0] * 25)
    assert wide.high == pytest.approx(
        0.625 + 1.984217 * math.sqrt(44 / 64 * 25 / 99) / 10, abs=1e-5
    )
    assert wide.low == pytest.approx(1.25 - wide.high)


def test_interval_of_questions_that_all_went_alike():
    """30 of 30 wrong: the chance of that is 2.5 % at a rate of 11.57 %."""
    assert interval([0.0] * 30) == (0.0, 0.0, pytest.approx(0.115703, abs=1e-6))
    assert interval([1.0] * 30) == (1.0, pytest.approx(1 - 0.115703, abs=1e-6), 1.0)
    assert (1 - interval([0.0] * 30).high) ** 30 == pytest.approx(0.025)


def test_interval_of_few():
    assert interval([]) == (None, None, None)
    assert interval([0.5]) == (0.5, None, None)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_interval_holds_its_mean(values):
    found = interval(values)
    assert 0 <= found.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.high <= 1


def test_difference_by_hand():
    """Gaps 0.5, 0, 0, 0.5: mean 0.25, s = sqrt(1/12), half 3.182446 * s / 2 = 0.459346."""
    found = difference([(0.0, 0.5), (0.5, 0.5), (1.0, 1.0), (0.25, 0.75)])
    assert found == (
        0.25,
        pytest.approx(0.25 - 0.459346, abs=1e-6),
        pytest.approx(0.709346, abs=1e-6),
    )


def test_pairing_finds_what_two_intervals_do_not():
    """Questions from 0 to 0.9, each 0.1 better: the gap is sure, though the means overlap."""
    before = [i / 10 for i in range(10)]
    now = [rate + 0.1 + (i % 2) * 0.01 for i, rate in enumerate(before)]
    assert interval(before).high > interval(now).low
    gain = difference(list(zip(before, now, strict=True)))
    assert gain.low > 0.09
    assert gain.mean == pytest.approx(0.105)


def test_two_that_agree_everywhere_may_still_differ():
    assert difference([(0.5, 0.5)] * 30) == (
        0.0,
        pytest.approx(-0.115703, abs=1e-6),
        pytest.approx(0.115703, abs=1e-6),
    )
    assert difference([]) == (None, None, None)
    assert difference([(0, 1)]) == (1, None, None)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=20))
def test_difference_turns_round_with_its_sides(pairs):
    one, other = difference(pairs), difference([(b, a) for a, b in pairs])
    assert one.mean == pytest.approx(-other.mean)
    assert one.low == pytest.approx(-other.high)


def test_spread_of_single_runs_by_hand():
    """Runs score 1/2, 1, 0: std 1/2."""
    found = spread([[True, True, False], [False, True, False]])
    assert found == (3, 0.5, 0.0, 1.0)
    assert spread([[True, False], [True]]) == (1, None, 1.0, 1.0)  # the shorter one decides
    assert spread([]) == (0, None, None, None)
