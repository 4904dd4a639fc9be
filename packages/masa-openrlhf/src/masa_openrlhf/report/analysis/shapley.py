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


class ShapleyShares(NamedTuple):
    """What a regression explains, and whose share is what.

    Attributes:
        total: R² of all variables together, in [0, 1].
        parts: one a variable; they add up to the total.
    """

    total: float
    parts: tuple[float, ...]


def shapley_r2(x_NP: Array, y_N: Array) -> ShapleyShares | None:
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
    shares_BP = shapley_parts(correlate_columns(np.column_stack([x_NP, y_N])[None]))
    return ShapleyShares(float(shares_BP[0].sum()), tuple(shares_BP[0].tolist()))


def correlate_columns(rows_BNQ: Array) -> Array:
    """Return the correlations of the columns of B tables, shape (B, Q, Q).

    ``masa_rewards.statistics.pearson_correlation`` of each two columns, for hundreds of tables at
    once, as drawing anew takes them; 0, not None, with a column that does not vary: it explains
    nothing.
    """
    centred = rows_BNQ - rows_BNQ.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    unit = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-12)
    result: Array = unit.transpose(0, 2, 1) @ unit / rows_BNQ.shape[1]
    return result


def shapley_parts(correlations_BQQ: Array) -> Array:
    """Return the Shapley values of B regressions by their correlations, the explained one last."""
    count = correlations_BQQ.shape[1] - 1
    subsets = [s for size in range(count + 1) for s in itertools.combinations(range(count), size)]
    explained = {subset: r_squared(correlations_BQQ, subset) for subset in subsets}
    parts_BP = np.zeros((len(correlations_BQQ), count))
    for subset in subsets:
        for j in set(range(count)) - set(subset):
            orders = math.factorial(len(subset)) * math.factorial(count - len(subset) - 1)
            gain = explained[tuple(sorted((*subset, j)))] - explained[subset]
            parts_BP[:, j] += orders / math.factorial(count) * gain
    return parts_BP


def r_squared(correlations_BQQ: Array, subset: Sequence[int]) -> Array:
    """Return R² of the last column of each table explained by a subset of the others."""
    chosen = list(subset)
    if not chosen:
        return np.zeros(len(correlations_BQQ))
    among = correlations_BQQ[:, chosen][:, :, chosen]
    with_y = correlations_BQQ[:, chosen, -1]
    # By pseudo-inverse: of two equal variables one is as good as both.
    inverse = np.linalg.pinv(among, rcond=1e-10, hermitian=True)
    result: Array = np.einsum("bi,bij,bj->b", with_y, inverse, with_y).clip(0.0, 1.0)
    return result
