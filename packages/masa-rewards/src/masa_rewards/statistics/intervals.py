"""Confidence intervals of 95 %: of a mean by Student's t, of a rate by Wilson's score."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

Z95 = 1.959963984540054
"""The 0.975 quantile of the normal distribution: that of a two-sided interval of 95 %."""

# The 0.975 quantile of Student's t for 1, 2, ... 9 degrees of freedom. Below 10 the expansion of
# `student_t_quantile` is not accurate to three digits: its error grows as 1/n^4.
_FEW = (12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157)


class Interval(NamedTuple):
    """An estimate with its confidence interval; None where undefined.

    Attributes:
        value: The estimate.
        low: Lower end.
        high: Upper end.
    """

    value: float | None
    low: float | None
    high: float | None


UNKNOWN = Interval(None, None, None)
"""The interval of no values."""


class Bounds(NamedTuple):
    """The two ends of an interval, where both are known.

    Attributes:
        low: Lower end.
        high: Upper end.
    """

    low: float
    high: float


def student_t_quantile(degrees: int) -> float:
    """Return the 0.975 quantile of Student's t: that of a two-sided interval of 95 %.

    From a table up to 9 degrees, then by the first three terms of Cornish and Fisher's expansion
    around the normal quantile z (Abramowitz and Stegun 1964, 26.7.5):

        t = z + (z^3 + z) / 4n + (5z^5 + 16z^3 + 3z) / 96n^2
              + (3z^7 + 19z^5 + 17z^3 - 15z) / 384n^3

    Args:
        degrees: n, degrees of freedom, >= 1.

    Returns:
        The quantile, good to 0.0002; falling from 12.7 to 1.96.

    Raises:
        ValueError: There is no degree of freedom.
    """
    if degrees < 1:
        raise ValueError(f"Student's t needs at least one degree of freedom, got {degrees!r}")
    if degrees <= len(_FEW):
        return _FEW[degrees - 1]
    z, n = Z95, degrees
    first = (z**3 + z) / (4 * n)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    return z + first + second + third


def wilson_bounds(share: float, cases: float, *, z: float = Z95) -> Bounds:
    """Return the ends of the score interval of a share (Wilson 1927).

        (p + z^2 / 2n  -+  z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

    The values of p that a test of level 5 % does not reject, with the variance at that p, not at
    the observed one. So the interval has a width where all cases agree (a mean with its standard
    error has none), and the lower bound of 9 of 10 lies above that of 1 of 1.

    Args:
        share: p, the share that was seen, in [0, 1].
        cases: n, the cases it was seen in, > 0. For cases with unequal weights w pass the effective
            sample size (Kish 1965), (sum of w)^2 / sum of w^2: the number of equally weighted cases
            with the same variance of the mean. Infinite where the share is known.
        z: Normal quantile, > 0; by default of 95 %.

    Returns:
        The ends, with 0 <= low <= share <= high <= 1. With infinitely many cases both are the
        share; at a share of 0 the lower end is 0, at 1 the upper end is 1.

    Raises:
        ValueError: A number outside its range.
    """
    if not (0 <= share <= 1 and cases > 0 and z > 0):
        raise ValueError(
            "share must lie in [0, 1], cases and z above 0, got share "
            f"{share!r}, cases {cases!r}, z {z!r}"
        )
    if math.isinf(cases):
        return Bounds(share, share)
    # The two roots in p0 of (p - p0)^2 = z^2 p0 (1 - p0) / n, as centre and half width.
    centre = (share + z * z / (2 * cases)) / (1 + z * z / cases)
    half = z / (1 + z * z / cases)
    half *= math.sqrt(share * (1 - share) / cases + z * z / (4 * cases * cases))
    # At 0 and 1 the ends are exact; rounding must not leave them short.
    return Bounds(min(max(0.0, centre - half), share), max(min(1.0, centre + half), share))


def wilson_interval(share: float, cases: float, *, z: float = Z95) -> Interval:
    """Return a share with the ends of its score interval: see ``wilson_bounds``."""
    return Interval(share, *wilson_bounds(share, cases, z=z))


def mean_interval(values: Sequence[float]) -> Interval:
    """Return the mean of independent values with its interval, by Student's t.

        mean -+ t(K - 1) * s / sqrt(K),    s^2 = sum of (x - mean)^2 / (K - 1)

    Args:
        values: The K values, finite, on any scale.

    Returns:
        The mean and its ends; ``UNKNOWN`` for no value, no ends for one. K equal values give an
        interval of width 0, narrower than they justify: for rates use ``rate_interval``.
    """
    if not values:
        return UNKNOWN
    mean = statistics.fmean(values)
    if len(values) < 2:
        return Interval(mean, None, None)
    # Student's t, not the normal quantile: s is estimated from the same K values, and K is small
    # (seeds, questions). stdev divides by K - 1, so s^2 is unbiased.
    half = student_t_quantile(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half)


def rate_interval(rates: Sequence[float]) -> Interval:
    """Return the mean of rates with its interval, as of Pass@1 over questions.

    ``mean_interval``, clipped to [0, 1]. Where all rates are 0, or all are 1, s is 0 and that
    interval has no width; then it is the exact bound for K cases that agree (Clopper and Pearson
    1934):

        1 - 0.025 ** (1 / K)  from the edge

    Args:
        rates: One a question, each in [0, 1]. K of them.

    Returns:
        The mean and its ends, 0 <= low <= mean <= high <= 1; no ends for one rate, ``UNKNOWN`` for
        none.

    Raises:
        ValueError: A rate outside [0, 1].
    """
    _refuse_other_than_rates(rates)
    mean, low, high = mean_interval(rates)
    if mean is None or low is None or high is None:
        return Interval(mean, low, high)
    bound = _bound_unanimous(len(rates))
    if all(rate == 0 for rate in rates):
        return Interval(0.0, 0.0, bound)
    if all(rate == 1 for rate in rates):
        return Interval(1.0, 1 - bound, 1.0)
    return Interval(mean, max(0.0, low), min(1.0, high))


def difference_interval(pairs: Sequence[tuple[float, float]]) -> Interval:
    """Return the mean gain b - a over pairs of rates, with its interval.

    ``mean_interval`` of the gains, clipped to [-1, 1]. Pairing removes the variance between
    questions: of two answers to one question only the difference counts.

    Args:
        pairs: (a, b) a question, each in [0, 1].

    Returns:
        The mean gain and its ends, in [-1, 1]; no ends for fewer than two pairs, nothing for none.
        Where the two agree on every question, the ends are the exact bound on how often they could
        differ, to both sides, as of ``rate_interval``.

    Raises:
        ValueError: A rate outside [0, 1].
    """
    _refuse_other_than_rates([rate for pair in pairs for rate in pair])
    gains = [b - a for a, b in pairs]
    mean, low, high = mean_interval(gains)
    if mean is None or low is None or high is None:
        return Interval(mean, low, high)
    if all(gain == 0 for gain in gains):
        bound = _bound_unanimous(len(gains))
        return Interval(0.0, -bound, bound)
    return Interval(mean, max(-1.0, low), min(1.0, high))


def _bound_unanimous(cases: int) -> float:
    """The largest rate p at which no hit in K cases still has a probability of 2.5 %.

    (1 - p)^K = 0.025, solved for p: the upper end of Clopper and Pearson's interval for 0 of K.
    """
    return 1 - math.pow(0.025, 1 / cases)


def _refuse_other_than_rates(rates: Sequence[float]) -> None:
    for rate in rates:
        if not 0 <= rate <= 1:
            raise ValueError(f"a rate must lie in [0, 1], got {rate!r}")
