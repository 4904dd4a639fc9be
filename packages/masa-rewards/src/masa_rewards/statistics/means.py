"""Means: of what is known, and of values that come in clusters."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

from masa_rewards.statistics.intervals import UNKNOWN, Interval, student_t_quantile


def mean_known(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that are known; None where none is.

    Args:
        values: Finite numbers; None stands for what is not known and is left out, not taken for 0.
    """
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


class ClusteredMean:
    """Mean of values in [0, 1] that come in clusters, with an interval that knows of them.

        mean = sum of all values / number of values
        e_k  = (sum of cluster k) - mean * (size of cluster k)
        se^2 = K / (K - 1) * sum of e_k^2 / (number of values)^2

    The interval is mean -+ t(K - 1) * se, cut at 0 and 1, for K >= 2 clusters: that of a ratio
    estimator under cluster sampling (Cochran 1977, section 6.3). The predictions of one problem are
    judged by the same rollouts, so they are a cluster: many of them say less than as many of
    different problems. Only sums are kept, so a stream may be as long as it likes.
    """

    def __init__(self) -> None:
        self.clusters = 0
        self.count = 0
        self._sum = 0.0
        # Of the sizes and sums of the clusters: all that the e_k^2 need.
        self._sizes = self._products = self._squares = 0.0

    def add(self, values: Sequence[float]) -> None:
        """Add one cluster of values in [0, 1]. An empty one is none."""
        if not values:
            return
        size, total = len(values), math.fsum(values)
        self.clusters += 1
        self.count += size
        self._sum += total
        self._sizes += size * size
        self._products += size * total
        self._squares += total * total

    @property
    def interval(self) -> Interval:
        """The mean and its ends; no ends for one cluster, nothing for none.

        Where all clusters came to the same mean, the interval has no width: of few it says little.
        """
        if not self.count:
            return UNKNOWN
        mean = self._sum / self.count
        if self.clusters < 2:
            return Interval(mean, None, None)
        residual = self._squares - 2 * mean * self._products + mean * mean * self._sizes
        variance = max(residual, 0.0) * self.clusters / (self.clusters - 1) / self.count**2
        half = student_t_quantile(self.clusters - 1) * math.sqrt(variance)
        return Interval(mean, max(0.0, mean - half), min(1.0, mean + half))
