import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_openrlhf.eval.results.estimates import estimate_spread, pass_at_k


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


def test_spread_of_single_runs_by_hand():
    """Runs score 1/2, 1, 0: std 1/2."""
    found = estimate_spread([[True, True, False], [False, True, False]])
    assert found == (3, 0.5, 0.0, 1.0)
    assert estimate_spread([[True, False], [True]]) == (
        1,
        None,
        1.0,
        1.0,
    )  # the shorter one decides
    assert estimate_spread([]) == (0, None, None, None)
