"""Notions that come to go with right solutions over training, and those that fade."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from masa_rewards.notions.rules import NotionCount

from masa_openrlhf.report.formatting import format_title
from masa_openrlhf.report.groups import RunGroup, join_run_names
from masa_openrlhf.report.plots import COLOURS, FAINT, INK, MARKERS
from masa_openrlhf.report.runs import RecordedRun, Row
from masa_openrlhf.report.section import Plot, Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INTRO = (
    "A notion is an idea that a prediction names, as “Vieta's formulas”. It is worth naming if it "
    "stands in a larger share of the right solutions than of the wrong ones. The figure shows this "
    "lead of the right ones, in the first third of the steps (hollow) and in the last (filled), "
    "over the problems for which the notion was predicted. Shown are those that moved most, and "
    "more than chance would have it; words are in their basic form."
)
_LEAST = 20
_MAX_SHOWN = 6
_MIN_Z = 2.0


class NotionMovement(NamedTuple):
    """How a notion moved.

    Attributes:
        notion: its words.
        before: share of right solutions with it minus share of wrong ones, first third; -1 to 1.
        after: likewise, last third.
        clear: their difference in standard errors, solutions taken as independent.
    """

    notion: str
    before: float
    after: float
    clear: float


def notions_section(groups: Sequence[RunGroup]) -> Section:
    """Return a panel a group of the notions that rose and those that faded."""
    pictures, missing = [], []
    unrecorded: list[RecordedRun] = []
    for place, group in enumerate(groups):
        if not group.predicts:
            missing.append(f"{group.name}: makes no predictions.")
            continue
        unrecorded += [run for run in group.runs if not run.notions]
        moved = select_clear_movements(notion_movements(group.runs))
        if moved:
            whose = group.name if len(groups) > 1 else ""
            draw = functools.partial(_draw_movements, moved=moved, place=place)
            height = 1.0 + 0.34 * len(moved)
            title = format_title(whose, "notions, from the first third to the last")
            pictures.append(Plot(f"notions-{place}", title, draw, height=height))
        elif any(run.notions for run in group.runs):
            missing.append(
                f"{group.name}: no notion moved more than chance would have it, among those that "
                f"were predicted for at least {_LEAST} right and {_LEAST} wrong solutions early "
                "and late."
            )
    if unrecorded:
        missing.append(
            "Without recorded notions (made before they were recorded, or no step was taken): "
            f"{join_run_names(unrecorded)}."
        )
    return Section("notions", "Which ideas help", (_INTRO,), pictures, missing=missing)


def notion_movements(runs: Sequence[RecordedRun]) -> list[NotionMovement]:
    """Return how the notions of runs moved from the first third of the steps to the last.

    Args:
        runs: of a group, added up.

    Returns:
        Those that were predicted for enough right and wrong solutions in both, by how clearly they
        rose.
    """
    thirds = [(run.notions, max(1, len(run.notions) // 3)) for run in runs if len(run.notions) > 1]
    early = _add_counts(row for rows, size in thirds for row in rows[:size])
    late = _add_counts(row for rows, size in thirds for row in rows[-size:])
    found = []
    for notion in early.keys() & late.keys():
        a, b = early[notion], late[notion]
        if min(a.all_correct, a.all_incorrect, b.all_correct, b.all_incorrect) >= _LEAST:
            error = math.sqrt(_difference_variance(a) + _difference_variance(b))
            before, after = _rate_difference(a), _rate_difference(b)
            clear = (after - before) / error if error else 0.0
            found.append(NotionMovement(notion, before, after, clear))
    return sorted(found, key=lambda moved: (-moved.clear, moved.notion))


def select_clear_movements(moved: Sequence[NotionMovement]) -> list[NotionMovement]:
    """Return the notions that rose most, then those that faded most; only clear movements."""
    rose = [one for one in moved if one.clear >= _MIN_Z][:_MAX_SHOWN]
    faded = [one for one in moved if one.clear <= -_MIN_Z][-_MAX_SHOWN:]
    return rose + faded


def _add_counts(rows: Iterable[Row]) -> dict[str, NotionCount]:
    totals: dict[str, NotionCount] = {}
    for row in rows:
        for notion, count in dict(row.get("notions", {})).items():
            before = totals.get(notion, NotionCount(0, 0, 0, 0))
            totals[notion] = NotionCount(*(a + b for a, b in zip(before, count, strict=True)))
    return totals


def _rate_difference(count: NotionCount) -> float:
    return count.correct / count.all_correct - count.incorrect / count.all_incorrect


def _difference_variance(count: NotionCount) -> float:
    shares = (
        (count.correct / count.all_correct, count.all_correct),
        (count.incorrect / count.all_incorrect, count.all_incorrect),
    )
    return sum(share * (1 - share) / n for share, n in shares)


def _draw_movements(axes: Axes, moved: Sequence[NotionMovement], place: int) -> None:
    marker = MARKERS[place % len(MARKERS)]
    axes.axvline(0, color=FAINT, linewidth=1.4)
    for row, one in enumerate(moved):
        colour = COLOURS[0] if one.after > one.before else COLOURS[1]
        axes.plot([one.before, one.after], [row, row], color=colour, linewidth=1.6)
        for value, face in ((one.before, "none"), (one.after, colour)):
            axes.plot(value, row, marker=marker, color=colour, markerfacecolor=face, markersize=6.5)
        axes.annotate(
            f"{one.notion} ({'rose' if one.after > one.before else 'faded'})",
            (min(one.before, one.after), row),
            xytext=(0, 5),
            textcoords="offset points",
            fontsize=8.5,
            color=INK,
        )
    axes.set_ylim(len(moved) - 0.5, -0.8)
    axes.set_yticks([])
    axes.margins(x=0.25)
    axes.set_xlabel("share of right solutions with it − share of wrong ones")
