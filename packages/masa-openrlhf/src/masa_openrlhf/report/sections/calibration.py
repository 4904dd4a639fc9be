"""Predicted against true, before and after."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from masa_rewards.statistics import pearson_correlation

from masa_openrlhf.report.formatting import format_number, format_title
from masa_openrlhf.report.groups import RunGroup, join_run_names
from masa_openrlhf.report.plots import COLOURS, FAINT, MARKERS
from masa_openrlhf.report.runs import RecordedRun, Row
from masa_openrlhf.report.section import Plot, Section, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INTRO = (
    "A point is a problem: across, what the model said beforehand (the mean of its predictions); "
    "up, what came of it. On the dashed line both agree. Training should draw the points to it. "
    "The table says how well the two go together: 1 is perfectly, 0 not at all. Problems of all "
    "runs of a group are pooled in it, so it can differ from the mean over runs under What changed."
)
_KINDS = (("pass_rate", "pass rate"), ("length", "length"))
_MAX_POINTS = 400


class BeforeAfter(NamedTuple):
    """Pairs (predicted, true) of the runs of a group, and where they are from.

    Attributes:
        before: at the beginning.
        after: at the end.
        where: in words.
    """

    before: list[tuple[float, float]]
    after: list[tuple[float, float]]
    where: str


def calibration_section(groups: Sequence[RunGroup]) -> Section:
    """Return a scatter before and after for pass rate and length, a group after the other."""
    pictures, rows, missing = [], [], []
    unrecorded: list[RecordedRun] = []
    for place, group in enumerate(groups):
        if not group.predicts:
            missing.append(f"{group.name}: makes no predictions.")
            continue
        unrecorded += [run for run in group.runs if not run.calibration]
        for kind, words in _KINDS:
            found = read_calibration_points(group.runs, kind)
            if not (found.before or found.after):
                continue
            pictures += _make_plots(group, place, kind, words, found, several=len(groups) > 1)
            rows.append(
                [f"{group.name}: {words}", found.where, *map(_format_correlation, found[:2])]
            )
    if unrecorded:
        missing.append(
            "Without recorded predictions (made before they were recorded, or no step was taken): "
            f"{join_run_names(unrecorded)}."
        )
    heads = ["correlation, runs pooled", "problems", "before", "after"]
    return Section(
        key="calibration",
        title="Calibration: predicted against true",
        says=(_INTRO,),
        pictures=pictures,
        tables=[Table(heads, rows)] if rows else (),
        missing=missing,
    )


def read_calibration_points(runs: Sequence[RecordedRun], kind: str) -> BeforeAfter:
    """Return the pairs of a kind at the beginning and at the end of runs.

    Args:
        runs: of a group.
        kind: "pass_rate" or "length".

    Returns:
        Those of the first and last evaluation on held-out problems, where each run that recorded
        pairs has two; else those of the first and last fifth of the steps (at least one each).
    """
    recorded = [run for run in runs if run.calibration]
    evals = [[row for row in run.calibration if row.get("split") == "eval"] for run in recorded]
    if evals and all(len(rows) > 1 for rows in evals):
        ends = [[rows[place] for rows in evals] for place in (0, -1)]
        where = "held-out, first and last evaluation"
    else:
        steps = [
            [row for row in run.calibration if row.get("split") == "train"] for run in recorded
        ]
        fifth = [max(1, len(rows) // 5) for rows in steps]
        each = list(zip(steps, fifth, strict=True))
        ends = [
            [row for rows, size in each for row in rows[:size]],
            [row for rows, size in each for row in rows[-size:]],
        ]
        where = "training, first and last fifth of the steps"
    return BeforeAfter(_read_points(ends[0], kind), _read_points(ends[1], kind), where)


def _read_points(rows: Sequence[Row], kind: str) -> list[tuple[float, float]]:
    return [(float(pair[0]), float(pair[1])) for row in rows for pair in row.get(kind, ())]


def _format_correlation(pairs: Sequence[tuple[float, float]]) -> str:
    return f"{format_number(pearson_correlation(pairs), '+.2f')} ({len(pairs):,})"


def _make_plots(
    group: RunGroup, place: int, kind: str, words: str, found: BeforeAfter, *, several: bool
) -> list[Plot]:
    most = max(value for pair in (*found.before, *found.after) for value in pair)
    limit = 1.0 if kind == "pass_rate" else most
    whose = group.name if several else ""
    return [
        Plot(
            key=f"calibration-{place}-{kind}-{when}".replace("_", "-"),
            title=format_title(whose, f"predicted and true {words}, {when}"),
            draw=functools.partial(
                _draw_scatter, pairs=pairs, limit=limit, place=place, words=words
            ),
        )
        for when, pairs in (("before", found.before), ("after", found.after))
    ]


def _draw_scatter(
    axes: Axes, pairs: Sequence[tuple[float, float]], limit: float, place: int, words: str
) -> None:
    apart = max(1.0, len(pairs) / _MAX_POINTS)
    kept = [pairs[int(i * apart)] for i in range(min(len(pairs), _MAX_POINTS))]
    axes.plot([0, limit], [0, limit], color=FAINT, linestyle="--", linewidth=1.4)
    axes.plot(
        [x for x, _ in kept],
        [y for _, y in kept],
        linestyle="none",
        marker=MARKERS[place % len(MARKERS)],
        color=COLOURS[place % len(COLOURS)],
        alpha=0.45,
        markeredgewidth=0,
    )
    unit = ", tokens" if words == "length" else ""
    axes.set_xlabel(f"predicted {words}{unit}")
    axes.set_ylabel(f"true {words}{unit}")
    for low_high in (axes.set_xlim, axes.set_ylim):
        low_high(-0.04 * limit, 1.04 * limit)
