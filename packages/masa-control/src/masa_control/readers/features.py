"""What a regression reads of a problem, as standardised numbers: token counts, hidden states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SPREAD = 36.0
"""Prior variance of the weights, times their number, at l2 = 1."""
_LEVEL = 10.0
"""Prior variance of the level that all problems share, in squared logits."""


class TokenBag(NamedTuple):
    """How often each token stands in a prompt.

    Attributes:
        ids: distinct tokens, rising.
        counts: of each, >= 1.
    """

    ids: tuple[int, ...]
    counts: tuple[int, ...]


def count_tokens(token_ids: Sequence[int]) -> TokenBag:
    """Return the bag of a prompt's tokens; an empty one of none."""
    ids, counts = np.unique(np.asarray(token_ids, dtype=np.int64), return_counts=True)
    return TokenBag(tuple(ids.tolist()), tuple(counts.tolist()))


class FeatureRow(NamedTuple):
    """The features of one problem, standardised by those of N groups.

    Attributes:
        known_D: those that vary between the groups.
        unknown: sum of the squares of those that no group has; 0 for none.
    """

    known_D: Array
    unknown: float = 0.0


@dataclass(frozen=True)
class Standardiser:
    """Takes the mean of N groups off, and divides by their standard deviation.

    Attributes:
        mean_D: means.
        scale_D: standard deviations, > 0.
    """

    mean_D: Array
    scale_D: Array

    def apply(self, features_D: Array) -> Array:
        """Return standardised features, of one problem or of several."""
        return np.asarray((features_D - self.mean_D) / self.scale_D)


@dataclass(frozen=True)
class TokenFeatures:
    """Counts of the tokens that vary between N prompts, and the prompts' length.

    Attributes:
        columns: token -> its column.
        standardiser: of the columns, the length in the last.
        known: tokens of the N prompts.
        groups: N.
    """

    columns: dict[int, int]
    standardiser: Standardiser
    known: frozenset[int]
    groups: int

    @staticmethod
    def of(bags: Sequence[TokenBag]) -> tuple[TokenFeatures, Array]:
        """Return the features of N prompts, N >= 1, and the standardised matrix, shape (N, D)."""
        known = sorted({token for bag in bags for token in bag.ids})
        columns = {token: column for column, token in enumerate(known)}
        matrix_N_D = np.stack([_fill_row(bag, columns) for bag in bags])
        # What stands in all prompts alike, as a chat form's tokens, tells nothing. The length, in
        # the last column, is kept.
        varies = np.ptp(matrix_N_D, axis=0) > 0
        varies[-1] = True
        kept = [token for token, use in zip(known, varies[:-1], strict=True) if use]
        matrix_N_D = matrix_N_D[:, varies]
        # No less than that of a token that one of the groups has.
        least = 1 / np.sqrt(len(bags))
        scaling = Standardiser(matrix_N_D.mean(axis=0), np.maximum(matrix_N_D.std(axis=0), least))
        columns = {token: column for column, token in enumerate(kept)}
        made = TokenFeatures(columns, scaling, frozenset(known), len(bags))
        return made, scaling.apply(matrix_N_D)

    def row(self, bag: TokenBag) -> FeatureRow:
        """Return the features of another prompt.

        A token that none of the N has weighs as if one of them had had it.
        """
        strange = [n for token, n in zip(*bag, strict=True) if token not in self.known]
        unknown = float(sum(n * n for n in strange)) * self.groups
        return FeatureRow(self.standardiser.apply(_fill_row(bag, self.columns)), unknown)


def _fill_row(bag: TokenBag, columns: dict[int, int]) -> Array:
    row = np.zeros(len(columns) + 1)
    for token, count in zip(*bag, strict=True):
        if token in columns:
            row[columns[token]] = count
    row[-1] = sum(bag.counts)
    return row


@dataclass(frozen=True)
class HiddenFeatures:
    """Hidden states of N prompts, standardised.

    Attributes:
        standardiser: of the D features.
    """

    standardiser: Standardiser

    @staticmethod
    def of(hidden: Sequence[NDArray[np.float32]]) -> tuple[HiddenFeatures, Array]:
        """Return the features of N prompts, N >= 1, and the standardised matrix, shape (N, D)."""
        matrix_N_D = np.stack(hidden).astype(np.float64)
        scale_D = matrix_N_D.std(axis=0)
        # Units that hardly move would be blown up to the size of the others: a hundredth of the
        # usual spread is added.
        scale_D = scale_D + 0.01 * scale_D.mean() + 1e-12
        made = HiddenFeatures(Standardiser(matrix_N_D.mean(axis=0), scale_D))
        return made, made.standardiser.apply(matrix_N_D)

    def row(self, hidden_D: NDArray[np.float32]) -> FeatureRow:
        """Return the features of another prompt."""
        return FeatureRow(self.standardiser.apply(hidden_D.astype(np.float64)))


@dataclass(frozen=True)
class LinearKernel:
    """Prior covariance of the logits of problems with standardised features.

        K(x, y) = 36 / (l2 D) x · y + 10

    Attributes:
        slope: 36 / (l2 D).
    """

    slope: float

    @staticmethod
    def of(features: int, l2: float) -> LinearKernel:
        """Return the kernel over so many features, under an L2 penalty, both > 0."""
        return LinearKernel(_SPREAD / (l2 * features))

    def between(self, rows_Q_D: Array, rows_N_D: Array) -> Array:
        """Return the covariance of Q problems with N others, shape (Q, N)."""
        return np.asarray(self.slope * (rows_Q_D @ rows_N_D.T) + _LEVEL)

    def own(self, row: FeatureRow) -> float:
        """Return the variance of one problem."""
        return float(self.slope * (row.known_D @ row.known_D + row.unknown) + _LEVEL)
