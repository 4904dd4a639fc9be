"""Intervals of a mean over runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Literal

import numpy as np
from masa_rewards.score.estimates import student_t

Method = Literal["bootstrap", "t"]

DRAWS = 10_000


def mean_interval(
    values: Sequence[float], *, method: Method = "t", draws: int = DRAWS, seed: int = 0
) -> tuple[float | None, float | None]:
    """Return the ends of an interval of 95 % of a mean; None for fewer than two values.

    Args:
        values: one a run, or a pair.
        method: Student's t, or percentiles of the bootstrap.
        draws: of the bootstrap.
        seed: likewise.
    """
    if len(values) < 2:
        return None, None
    if method == "t":
        half = student_t(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
        return statistics.fmean(values) - half, statistics.fmean(values) + half
    drawn = np.random.default_rng(seed).integers(len(values), size=(draws, len(values)))
    low, high = np.quantile(np.asarray(values, float)[drawn].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)
