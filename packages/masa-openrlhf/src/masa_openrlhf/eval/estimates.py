"""Pass@k, and intervals that say over what."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from masa_rewards.score.estimates import student_t

ALPHA = 0.05


class Interval(NamedTuple):
    """A mean with its interval of 95 %; None where there is none."""

    mean: float | None
    low: float | None
    high: float | None


class Spread(NamedTuple):
    """How much single runs differ: each takes one sample of every question.

    Attributes:
        runs: how many there are: the fewest samples that a question has.
        std: standard deviation of their scores; None for fewer than two.
        low: the lowest score; None where there is no run.
        high: the highest.
    """

    runs: int
    std: float | None
    low: float | None
    high: float | None


def pass_at_k(n: int, c: int, k: int) -> float:
    """Return the unbiased estimate of Pass@k (Chen et al. 2021, equation 1).

        1 - C(n - c, k) / C(n, k)

    Args:
        n: samples, >= k.
        c: right ones among them, 0 to n.
        k: how many one may try, >= 1.

    Returns:
        The chance that k samples drawn from the n without putting back hold a right one. It is
        computed in whole numbers and rounded once, so it is exact for every n.

    Raises:
        ValueError: k is not 1 to n, or c not 0 to n.
    """
    if not 1 <= k <= n:
        raise ValueError(f"k must be 1 to n = {n}, got {k}")
    if not 0 <= c <= n:
        raise ValueError(f"c must be 0 to n = {n}, got {c}")
    every = math.comb(n, k)
    return (every - math.comb(n - c, k)) / every


def interval(values: Sequence[float]) -> Interval:
    """Return the mean over questions, and an interval of 95 % over them.

        mean -+ t(K - 1) * s / sqrt(K),  cut at 0 and 1

    Args:
        values: one a question, in [0, 1]: its pass rate, or its Pass@k. K of them.

    Returns:
        The mean and the interval; none for fewer than two questions. Where all values are 0, or all
        are 1, s is 0 and says nothing: then the exact (Clopper-Pearson) bound for K such questions
        stands for it, 1 - 0.025 ** (1 / K) from the edge.
    """
    if not values:
        return Interval(None, None, None)
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return Interval(mean, None, None)
    edge = 1 - (ALPHA / 2) ** (1 / len(values))
    if all(value == 0 for value in values):
        return Interval(0.0, 0.0, edge)
    if all(value == 1 for value in values):
        return Interval(1.0, 1 - edge, 1.0)
    half = _half(values)
    return Interval(mean, max(0.0, mean - half), min(1.0, mean + half))


def difference(pairs: Sequence[tuple[float, float]]) -> Interval:
    """Return the mean of b - a over questions that both answered, and its interval of 95 %.

    Args:
        pairs: (a, b) a question, each in [0, 1].

    Returns:
        mean -+ t(K - 1) * s / sqrt(K) of the differences. Pairing takes out what makes questions
        differ. Where the two agree on every question, the interval is the exact bound on how often
        they could differ, to both sides.
    """
    gaps = [b - a for a, b in pairs]
    if not gaps:
        return Interval(None, None, None)
    mean = math.fsum(gaps) / len(gaps)
    if len(gaps) < 2:
        return Interval(mean, None, None)
    if all(gap == 0 for gap in gaps):
        edge = 1 - (ALPHA / 2) ** (1 / len(gaps))
        return Interval(0.0, -edge, edge)
    half = _half(gaps)
    return Interval(mean, max(-1.0, mean - half), min(1.0, mean + half))


def spread(right: Sequence[Sequence[bool]]) -> Spread:
    """Return how the scores of single runs spread.

    Args:
        right: a sequence a question, of its samples in their order.

    Returns:
        Run j scores the mean over questions of their j-th sample.
    """
    runs = min((len(samples) for samples in right), default=0)
    scores = [math.fsum(samples[run] for samples in right) / len(right) for run in range(runs)]
    std = statistics.stdev(scores) if runs > 1 else None
    return Spread(runs, std, min(scores, default=None), max(scores, default=None))


def _half(values: Sequence[float]) -> float:
    return student_t(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
