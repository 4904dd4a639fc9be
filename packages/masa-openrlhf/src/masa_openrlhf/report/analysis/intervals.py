"""Intervals of a mean over runs, or over pairs of runs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Literal

import numpy as np
from masa_rewards.statistics import Interval, mean_interval

IntervalMethod = Literal["bootstrap", "t"]

DRAWS = 10_000


def interval_over_runs(
    values: Sequence[float], *, method: IntervalMethod = "t", draws: int = DRAWS, seed: int = 0
) -> Interval:
    """Return the mean with an interval of 95 %; without ends for fewer than two values.

    Args:
        values: one a run, or a pair.
        method: Student's t, or percentiles of the bootstrap (Efron 1979).
        draws: of the bootstrap.
        seed: likewise.
    """
    if method == "t" or len(values) < 2:
        return mean_interval(values)
    drawn = np.random.default_rng(seed).integers(len(values), size=(draws, len(values)))
    low, high = np.quantile(np.asarray(values, float)[drawn].mean(axis=1), (0.025, 0.975))
    return Interval(statistics.fmean(values), float(low), float(high))
