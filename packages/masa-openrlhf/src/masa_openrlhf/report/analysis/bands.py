"""Runs that differ in their seed alone, put together into a mean with a band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from masa_rewards.statistics import mean_interval

from masa_openrlhf.report.analysis.curves import Axis, Curve


class Band(NamedTuple):
    """Several runs as one: mean and interval over runs at common places of an axis.

    Attributes:
        x: places, rising.
        mean: over the runs.
        low: lower end of the interval of 95 % (Student's t over runs, cut at 0 and 1); None for a
            single run without intervals of its own.
        high: upper end, likewise.
        runs: how many.
    """

    x: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...] | None
    high: tuple[float, ...] | None
    runs: int


def pool_curves(curves: Sequence[Curve], by: Axis) -> Band | None:
    """Put runs together that differ in their seed alone.

    Args:
        curves: one a run; those without a point are passed over.
        by: the axis. Runs that were evaluated elsewhere on it are read off a straight line between
            two evaluations, within the range that all of them have.

    Returns:
        The band; of a single run its own points and intervals. None without a point, or without a
        range in common.
    """
    curves = [curve for curve in curves if len(curve)]
    if not curves:
        return None
    if len(curves) == 1:
        one = curves[0]
        return Band(one.along(by), one.accuracy, one.low or None, one.high or None, 1)
    start = max(curve.along(by)[0] for curve in curves)
    end = min(curve.along(by)[-1] for curve in curves)
    inside = {x for curve in curves for x in curve.along(by) if start <= x <= end}
    x = sorted(inside | ({start, end} if start <= end else set()))
    if not x:
        return None
    read = [np.interp(x, curve.along(by), curve.accuracy).tolist() for curve in curves]
    columns = list(zip(*read, strict=True))
    means = [mean_interval(column) for column in columns]
    return Band(
        x=tuple(x),
        mean=tuple(one.value for one in means if one.value is not None),
        low=tuple(max(0.0, one.low) for one in means if one.low is not None),
        high=tuple(min(1.0, one.high) for one in means if one.high is not None),
        runs=len(curves),
    )
