"""Means with intervals and correlations, from a stream: nothing is kept but sums."""

from __future__ import annotations

import math
from collections.abc import Sequence

from masa_rewards.score.report import Estimate

# Student's t for a two-sided 95 % and 1, 2, ... 9 degrees of freedom, where the series below is
# not good to three digits.
_FEW = (12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157)
_NORMAL = 1.959963985


def student_t(degrees: int) -> float:
    """Quantile of Student's t for a two-sided interval of 95 %.

    Args:
        degrees: Degrees of freedom, >= 1.

    Returns:
        The 0.975 quantile, good to 0.0002: from a table up to 9, then by the first three terms of
        Cornish and Fisher's expansion around the normal one.
    """
    if degrees <= len(_FEW):
        return _FEW[degrees - 1]
    z, n = _NORMAL, degrees
    first = (z**3 + z) / (4 * n)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    return z + first + second + third


class ClusteredMean:
    """Mean of values in [0, 1] that come in clusters, with an interval that knows of them.

        mean = sum of all values / number of values
        e_k  = (sum of cluster k) - mean * (size of cluster k)
        se^2 = K / (K - 1) * sum of e_k^2 / (number of values)^2

    The interval is mean -+ t(K - 1) * se, cut at 0 and 1, for K >= 2 clusters. The predictions of
    one problem are judged by the same rollouts, so they are a cluster: many of them say less than
    as many of different problems.
    """

    def __init__(self) -> None:
        self.clusters = 0
        self.count = 0
        self._sum = 0.0
        # Of the sizes and sums of the clusters: all that the e_k^2 need.
        self._sizes = self._products = self._squares = 0.0

    def add(self, values: Sequence[float]) -> None:
        """Add one cluster. An empty one is none."""
        if not values:
            return
        size, total = len(values), math.fsum(values)
        self.clusters += 1
        self.count += size
        self._sum += total
        self._sizes += size * size
        self._products += size * total
        self._squares += total * total

    def estimate(self) -> Estimate:
        """The mean and its interval; None for what is not defined."""
        if not self.count:
            return Estimate(mean=None, low=None, high=None)
        mean = self._sum / self.count
        if self.clusters < 2:
            return Estimate(mean=mean, low=None, high=None)
        residual = self._squares - 2 * mean * self._products + mean * mean * self._sizes
        variance = max(residual, 0.0) * self.clusters / (self.clusters - 1) / self.count**2
        half = student_t(self.clusters - 1) * math.sqrt(variance)
        return Estimate(mean=mean, low=max(0.0, mean - half), high=min(1.0, mean + half))


class Correlation:
    """Pearson's correlation of pairs, and their means, by Welford's updates."""

    def __init__(self) -> None:
        self.count = 0
        self.mean_x = self.mean_y = 0.0
        self._xx = self._yy = self._xy = 0.0

    def add(self, x: float, y: float) -> None:
        """Add one pair."""
        self.count += 1
        before_x, before_y = x - self.mean_x, y - self.mean_y
        self.mean_x += before_x / self.count
        self.mean_y += before_y / self.count
        self._xx += before_x * (x - self.mean_x)
        self._yy += before_y * (y - self.mean_y)
        self._xy += before_x * (y - self.mean_y)

    @property
    def value(self) -> float | None:
        """In [-1, 1]; None when one of the two never changes."""
        if self._xx <= 0.0 or self._yy <= 0.0:
            return None
        return max(-1.0, min(1.0, self._xy / math.sqrt(self._xx * self._yy)))
