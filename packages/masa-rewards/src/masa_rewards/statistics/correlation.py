"""Pearson's correlation, of pairs at hand and of a stream of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

# A range below this counts as constant: numbers that should be equal differ in their last bits, and
# divided by its own spread that rounding noise would look like a correlation.
_EQUAL = 1e-12


def pearson_correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return Pearson's correlation of the pairs (x, y).

        sum of (x - mean x)(y - mean y) / sqrt(sum of (x - mean x)^2 * sum of (y - mean y)^2)

    Not ``statistics.correlation``, whose summation changes between Python versions: the last digits
    of a recorded metric would too. Centred first, then summed: sum(xy) - n mean(x) mean(y) loses
    its digits where the spread is small relative to the mean.

    Args:
        pairs: Finite numbers, of magnitudes whose squares are finite.

    Returns:
        In [-1, 1]. None for fewer than two pairs, and where either side does not vary by 1e-12.
    """
    x, y = [a for a, _ in pairs], [b for _, b in pairs]
    if len(pairs) < 2 or not (_has_spread(min(x), max(x)) and _has_spread(min(y), max(y))):
        return None
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    xy = math.fsum((a - mean_x) * (b - mean_y) for a, b in pairs)
    xx = math.fsum((a - mean_x) * (a - mean_x) for a in x)
    yy = math.fsum((b - mean_y) * (b - mean_y) for b in y)
    return _divide_or_none(xy, xx, yy)


class StreamedCorrelation:
    """Pearson's correlation of a stream of pairs, and their means, by Welford's updates (1962).

    Equal to ``pearson_correlation`` of all pairs up to rounding, in constant memory. Welford's
    updates keep centred sums, so they do not cancel as sums of squares would.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean_x = self.mean_y = 0.0
        self._xx = self._yy = self._xy = 0.0
        self._low_x = self._low_y = math.inf
        self._high_x = self._high_y = -math.inf

    def add(self, x: float, y: float) -> None:
        """Add one pair of finite numbers."""
        self.count += 1
        # One deviation from the mean before and one from the mean after the update: their product
        # is what the centred sum of squares (or of products) grows by.
        before_x, before_y = x - self.mean_x, y - self.mean_y
        self.mean_x += before_x / self.count
        self.mean_y += before_y / self.count
        self._xx += before_x * (x - self.mean_x)
        self._yy += before_y * (y - self.mean_y)
        self._xy += before_x * (y - self.mean_y)
        self._low_x, self._high_x = min(self._low_x, x), max(self._high_x, x)
        self._low_y, self._high_y = min(self._low_y, y), max(self._high_y, y)

    @property
    def value(self) -> float | None:
        """In [-1, 1]; None where ``pearson_correlation`` is."""
        if not (_has_spread(self._low_x, self._high_x) and _has_spread(self._low_y, self._high_y)):
            return None
        return _divide_or_none(self._xy, self._xx, self._yy)


def _has_spread(low: float, high: float) -> bool:
    return high - low >= _EQUAL


def _divide_or_none(xy: float, xx: float, yy: float) -> float | None:
    # Rounding may leave 0 of a spread that is tiny relative to the mean.
    if xx <= 0 or yy <= 0:
        return None
    return max(-1.0, min(1.0, xy / math.sqrt(xx * yy)))
