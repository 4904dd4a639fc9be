"""Means of optional values, and of values in clusters."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

from masa_rewards.statistics.intervals import UNKNOWN, Interval, student_t_quantile


def mean_known(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that are not None; None if there are none.

    Args:
        values: Finite numbers or None. None is left out, not counted as 0.
    """
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


class ClusteredMean:
    """Mean of values in [0, 1] in clusters, with a cluster-robust interval.

        mean = sum of all values / number of values
        e_k  = (sum of cluster k) - mean * (size of cluster k)
        se^2 = K / (K - 1) * sum of e_k^2 / (number of values)^2

    The interval is mean -+ t(K - 1) * se, clipped to [0, 1], for K >= 2 clusters: that of a ratio
    estimator under cluster sampling (Cochran 1977, section 6.3). The predictions of one problem are
    judged by the same rollouts, so their rewards are correlated and form a cluster: M of them carry
    less information than M of different problems. The mean is a ratio (sum / size), since both vary
    between clusters. Only sums are kept, so memory is constant.
    """

    def __init__(self) -> None:
        self.clusters = 0
        self.count = 0
        self._sum = 0.0
        # Sums over clusters of size^2, size * sum and sum^2: all that the sum of e_k^2 needs.
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
        """The mean and its ends; no ends for one cluster, ``UNKNOWN`` for none.

        Where all clusters have the same mean the interval has width 0, which few clusters do not
        justify.
        """
        if not self.count:
            return UNKNOWN
        mean = self._sum / self.count
        if self.clusters < 2:
            return Interval(mean, None, None)
        # Sum of e_k^2 = (s_k - m n_k)^2, expanded: sum s_k^2 - 2 m sum s_k n_k + m^2 sum n_k^2.
        # In exact arithmetic it is >= 0; rounding may leave it slightly below.
        residual = self._squares - 2 * mean * self._products + mean * mean * self._sizes
        variance = max(residual, 0.0) * self.clusters / (self.clusters - 1) / self.count**2
        half = student_t_quantile(self.clusters - 1) * math.sqrt(variance)
        return Interval(mean, max(0.0, mean - half), min(1.0, mean + half))
