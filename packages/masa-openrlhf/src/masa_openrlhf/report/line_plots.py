"""Curves of groups in one panel: a mean and a band each, single runs thin where they are few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from masa_openrlhf.report.analysis.bands import pool_curves
from masa_openrlhf.report.analysis.curves import Axis, Curve
from masa_openrlhf.report.plots import COLOURS, DASHES, MARKERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MIN_BAND_RUNS = 3
"""Runs from which on a band is drawn for them; two say too little of their spread."""

_MANY_POINTS = 25
_LABELS = {"tokens": "tokens made", "steps": "steps", "seconds": "time in steps"}


class GroupLine(NamedTuple):
    """What stands for one group.

    Attributes:
        name: of the group.
        place: its place among all groups: gives its colour, marker and dashes.
        curves: one a run.
    """

    name: str
    place: int
    curves: Sequence[Curve]


def draw_lines(
    axes: Axes,
    lines: Sequence[GroupLine],
    by: Axis,
    label: str,
    *,
    shares: bool = False,
    from_zero: bool = False,
) -> None:
    """Draw groups over an axis.

    Args:
        axes: where.
        lines: the groups.
        by: the axis.
        label: of the other axis.
        shares: write that axis in percent.
        from_zero: have that axis begin at 0.
    """
    scale, unit = _choose_unit(lines, by)
    for line in lines:
        _draw_line(axes, line, by, scale)
    axes.set_xlabel(f"{_LABELS[by]}{unit}")
    axes.set_ylabel(label)
    axes.margins(x=0.02)
    if shares:
        from matplotlib.ticker import PercentFormatter

        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    if from_zero:
        axes.set_ylim(bottom=0.0)


def _draw_line(axes: Axes, line: GroupLine, by: Axis, scale: float) -> None:
    curves = [curve for curve in line.curves if len(curve)]
    if not curves:
        return
    colour = COLOURS[line.place % len(COLOURS)]
    look: dict[str, Any] = {"color": colour, "linestyle": DASHES[line.place % len(DASHES)]}
    band = pool_curves(curves, by)
    if band is None:  # nowhere were all of them
        axes.plot([], [], label=line.name, **look)
    else:
        x = [value / scale for value in band.x]
        marker = MARKERS[line.place % len(MARKERS)] if len(x) <= _MANY_POINTS else None
        axes.plot(x, band.mean, label=line.name, marker=marker, **look)
        if band.low and band.high and (band.runs == 1 or band.runs >= MIN_BAND_RUNS):
            axes.fill_between(x, band.low, band.high, color=colour, alpha=0.18, linewidth=0)
            return
    if len(curves) > 1:
        for curve in curves:
            there = [value / scale for value in curve.along(by)]
            axes.plot(there, curve.accuracy, color=colour, linewidth=0.8, alpha=0.6)


def describe_bands(lines: Sequence[GroupLine]) -> str:
    """Say what the bands are."""
    sizes = [len([curve for curve in line.curves if len(curve)]) for line in lines]
    said = []
    if any(size >= MIN_BAND_RUNS for size in sizes):
        said.append(
            "A band is the 95 % interval of the mean over runs that differ in their seed alone "
            "(Student's t)."
        )
    if any(size == MIN_BAND_RUNS - 1 for size in sizes):
        said.append("Two runs are drawn thin beside their mean: too few for a band.")
    return " ".join(said)


def smooth_curve(curve: Curve, window: int) -> Curve:
    """Return a curve of means over ``window`` points, each at the last of them."""
    size = max(1, min(window, len(curve)))
    ends = range(size, len(curve) + 1)
    return Curve(
        tokens=tuple(curve.tokens[end - 1] for end in ends),
        steps=tuple(curve.steps[end - 1] for end in ends),
        seconds=tuple(curve.seconds[end - 1] for end in ends),
        accuracy=tuple(sum(curve.accuracy[end - size : end]) / size for end in ends),
    )


def _choose_unit(lines: Sequence[GroupLine], by: Axis) -> tuple[float, str]:
    most = max((c.along(by)[-1] for line in lines for c in line.curves if len(c)), default=0.0)
    scales = _SCALES[by]
    return next(((s, name) for s, name in scales if most >= 2 * s), scales[-1])


_SCALES: dict[Axis, tuple[tuple[float, str], ...]] = {
    "tokens": ((1e9, ", billions"), (1e6, ", millions"), (1e3, ", thousands"), (1.0, "")),
    "steps": ((1.0, ""),),
    "seconds": ((3600.0, ", hours"), (60.0, ", minutes"), (1.0, ", seconds")),
}
