"""Shapley R²: how much of what a regression explains each of its variables is good for.

Exact, over all subsets: with p variables 2^p regressions, and p is four here. The same is known as
LMG (Lindeman, Merenda and Gold 1980). Libraries that have it bring pandas, scipy and scikit-learn,
and seconds of import; this is a page.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Shares(NamedTuple):
    """What a regression explains, and whose share is what.

    Attributes:
        total: R² of all variables together, in [0, 1].
        parts: one a variable; they add up to the total.
    """

    total: float
    parts: tuple[float, ...]


def shapley_r2(x_NP: Array, y_N: Array) -> Shares | None:
    """Return the Shapley values of the variables of a linear regression with intercept.

        part_j = Σ over S without j of |S|! (p - |S| - 1)! / p! * (R²(S + j) - R²(S))

    that is the mean gain of R² by adding j, over all orders in which variables can be added.

    Args:
        x_NP: variables, one a column.
        y_N: what is explained.

    Returns:
        The shares. A variable that does not vary is worth 0; two that are the same share alike.
        None where y does not vary, or there are no rows.

    Raises:
        ValueError: the shapes do not fit.
    """
    if x_NP.ndim != 2 or y_N.shape != (len(x_NP),):
        raise ValueError(f"x must be N x P and y of N, got {x_NP.shape} and {y_N.shape}")
    if not len(y_N) or np.ptp(y_N) < 1e-12:
        return None
    count = x_NP.shape[1]
    covariance = _covariance(x_NP, y_N)
    subsets = [s for size in range(count + 1) for s in itertools.combinations(range(count), size)]
    explained = {subset: _r2(covariance, subset) for subset in subsets}
    parts = [0.0] * count
    for subset in subsets:
        weight = (
            math.factorial(len(subset)) * math.factorial(count - len(subset) - 1)
            if (len(subset) < count)
            else 0
        )
        for j in set(range(count)) - set(subset):
            gain = explained[tuple(sorted((*subset, j)))] - explained[subset]
            parts[j] += weight / math.factorial(count) * gain
    return Shares(explained[tuple(range(count))], tuple(parts))


def r_squared(x_NP: Array, y_N: Array) -> float:
    """Return R² of a linear regression with intercept; 0 where y does not vary."""
    if np.ptp(y_N) < 1e-12:
        return 0.0
    return _r2(_covariance(x_NP, y_N), tuple(range(x_NP.shape[1])))


def _covariance(x_NP: Array, y_N: Array) -> Array:
    """Covariances of the standardised variables and y, y last; a constant is all 0."""
    both = np.column_stack([x_NP, y_N])
    both = both - both.mean(axis=0)
    spread = both.std(axis=0)
    both = np.divide(both, spread, out=np.zeros_like(both), where=spread > 1e-12)
    result: Array = both.T @ both / len(both)
    return result


def _r2(covariance: Array, subset: Sequence[int]) -> float:
    if not subset:
        return 0.0
    chosen = list(subset)
    among, with_y = covariance[np.ix_(chosen, chosen)], covariance[chosen, -1]
    # By pseudo-inverse: of two equal variables one is as good as both.
    value = float(with_y @ np.linalg.pinv(among, rcond=1e-10, hermitian=True) @ with_y)
    return min(1.0, max(0.0, value))
