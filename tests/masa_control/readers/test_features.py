"""What a regression reads: counts and hidden states, standardised."""

import numpy as np
import pytest
from masa_control.readers.features import (
    FeatureRow,
    HiddenFeatures,
    LinearKernel,
    TokenBag,
    TokenFeatures,
    count_tokens,
)


def test_tokens_are_counted():
    assert count_tokens([7, 3, 7, 7]) == TokenBag((3, 7), (1, 3))
    assert count_tokens([]) == TokenBag((), ())


def test_counts_are_standardised_and_what_all_share_tells_nothing():
    # Token 1 stands once in all of them; token 2 in the first; lengths 2, 1, 1, 1.
    bags = [count_tokens(ids) for ids in ([1, 2], [1], [1], [1])]
    features, matrix = TokenFeatures.of(bags)
    assert features.columns == {2: 0}
    # Mean 1/4; standard deviation sqrt(3)/4 = 0.433, below that of one in four, sqrt(1/4) = 0.5.
    assert matrix[:, 0] == pytest.approx([1.5, -0.5, -0.5, -0.5])
    assert matrix.shape == (4, 2)
    assert features.row(bags[0]) == FeatureRow(pytest.approx(matrix[0]), 0.0)


def test_a_token_that_no_group_has_is_not_known():
    features, _ = TokenFeatures.of([count_tokens(ids) for ids in ([1, 2], [1], [1], [1])])
    row = features.row(count_tokens([1, 9, 9]))
    assert row.unknown == 4 * 2**2  # two of them, each in units of one group in four
    kernel = LinearKernel.of(2, l2=3.0)
    assert kernel.slope == 36 / (3 * 2)
    assert kernel.own(row) == pytest.approx(6 * (row.known_D @ row.known_D + 16) + 10)


def test_hidden_states_are_standardised():
    features, matrix = HiddenFeatures.of(
        [np.array([1.0, 5.0], np.float32), np.array([3.0, 5.0], np.float32)]
    )
    # Standard deviations 1 and 0; a hundredth of their mean is added: 1.005 and 0.005.
    assert matrix == pytest.approx(np.array([[-1 / 1.005, 0], [1 / 1.005, 0]]))
    row = features.row(np.array([2.0, 5.01], np.float32))
    assert row.known_D == pytest.approx([0, 2.0], abs=1e-4)
    assert row.unknown == 0


def test_the_kernel_of_problems_is_that_of_weights_and_a_level():
    kernel = LinearKernel.of(4, l2=1.0)
    rows = np.array([[1.0, 0, 0, 2.0], [0, 1.0, 0, 0]])
    assert kernel.between(rows, rows) == pytest.approx(np.array([[45 + 10, 10], [10, 9 + 10]]))
