"""Pass@k, and how single runs spread."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple


class RunSpread(NamedTuple):
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


def estimate_spread(right: Sequence[Sequence[bool]]) -> RunSpread:
    """Return how the scores of single runs spread.

    Args:
        right: a sequence a question, of its samples in their order.

    Returns:
        Run j scores the mean over questions of their j-th sample.
    """
    runs = min((len(samples) for samples in right), default=0)
    scores = [math.fsum(samples[run] for samples in right) / len(right) for run in range(runs)]
    std = statistics.stdev(scores) if runs > 1 else None
    return RunSpread(runs, std, min(scores, default=None), max(scores, default=None))
