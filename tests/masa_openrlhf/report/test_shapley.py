import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from masa_openrlhf.report.analysis.shapley import correlate_columns, shapley_r2
from masa_rewards.statistics import pearson_correlation

A = np.array([1.0, 1.0, -1.0, -1.0])
B = np.array([1.0, -1.0, 1.0, -1.0])


def columns(*values):
    return np.column_stack(values)


def test_variables_that_have_nothing_in_common_have_their_own_r2():
    """Var(2A + B) = 4 + 1: A explains 4/5, B the rest."""
    shares = shapley_r2(columns(A, B), 2 * A + B)
    assert shares.total == pytest.approx(1.0)
    assert shares.parts == pytest.approx((0.8, 0.2))


def test_two_that_are_the_same_share_alike():
    noise = np.array([1.0, -1.0, -1.0, 1.0])  # has nothing in common with A
    shares = shapley_r2(columns(A, A), A + noise)
    assert shares.total == pytest.approx(0.5)
    assert shares.parts == pytest.approx((0.25, 0.25))


def test_what_is_in_common_is_halved():
    """x = A, z = A + B, y = A + 2B, worked out by hand.

    R²(x) = 1/5, R²(z) = (3/√(2·5))² = 9/10, both 1. x: (1/5 + (1 - 9/10)) / 2 = 3/20;
    z: (9/10 + (1 - 1/5)) / 2 = 17/20.
    """
    shares = shapley_r2(columns(A, A + B), A + 2 * B)
    assert shares.total == pytest.approx(1.0)
    assert shares.parts == pytest.approx((0.15, 0.85))


def test_what_does_not_vary():
    assert shapley_r2(columns(A, B), np.ones(4)) is None
    assert shapley_r2(np.zeros((0, 2)), np.zeros(0)) is None
    assert shapley_r2(columns(A, np.ones(4)), A).parts == pytest.approx((1.0, 0.0))
    with pytest.raises(ValueError, match="x must be N x P"):
        shapley_r2(columns(A, B), np.ones(3))


@given(arrays(float, (9, 4), elements=st.floats(-1, 1, width=16)))
def test_parts_add_up_and_none_is_negative(rows):
    shares = shapley_r2(rows[:, :-1], rows[:, -1])
    if shares is not None:
        assert sum(shares.parts) == pytest.approx(shares.total, abs=1e-9)
        assert min(shares.parts) > -1e-9
        assert -1e-9 <= shares.total <= 1 + 1e-9


@given(arrays(float, (2, 6, 3), elements=st.floats(-1, 1, width=16)))
def test_columns_correlate_as_pairs_do(rows):
    for table, found in zip(rows, correlate_columns(rows), strict=True):
        for i, j in ((0, 1), (2, 1)):
            pairs = list(zip(table[:, i].tolist(), table[:, j].tolist(), strict=True))
            assert found[i, j] == pytest.approx(pearson_correlation(pairs) or 0.0, abs=1e-9)
