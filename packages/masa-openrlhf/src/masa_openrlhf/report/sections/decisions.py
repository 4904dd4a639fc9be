"""What gate and cutoff did, and how right they were."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from masa_control import ConfusionCounts
from masa_rewards.statistics import Interval

from masa_openrlhf.display.summary import count_decisions_after
from masa_openrlhf.report.analysis.curves import Curve
from masa_openrlhf.report.formatting import DASH, format_interval, format_number, format_percent
from masa_openrlhf.report.groups import RunGroup
from masa_openrlhf.report.line_plots import GroupLine, draw_lines, smooth_curve
from masa_openrlhf.report.plots import COLOURS, MARKERS
from masa_openrlhf.report.runs import RecordedRun, cumulative_cost
from masa_openrlhf.report.section import Plot, Section, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INTRO = (
    "In mode masa-efficient predictions decide. The gate skips problems whose solutions would all "
    "be right, or all wrong: nothing can be learned from those. The cutoff stops a solution that "
    "runs far beyond its predicted length. A share of both goes on all the same, by chance: from "
    "these audits it is known how right the decisions were.",
    "Precision: of what was skipped (or cut), the share that deserved it. Recall: of what deserved "
    "it, the share that was. F1 is their harmonic mean. The figures are of the last half of the "
    "steps, all runs of a group together; lines are intervals of 95 %, from the audits.",
)
_DECISIONS = (
    ("gate", "problems skipped", "gate/skipped"),
    ("cutoff", "solutions cut", "cutoff/cut"),
)
_METRICS = ("precision", "recall", "f1")


class DecisionQuality(NamedTuple):
    """How right a decision was over the last half of the steps of some runs.

    Attributes:
        share: of problems skipped, or of solutions cut; None where it did not decide.
        tally: what precision, recall and F1 follow from.
    """

    share: float | None
    tally: ConfusionCounts


def decisions_section(groups: Sequence[RunGroup]) -> Section:
    """Return shares skipped and cut over the steps, and precision, recall and F1."""
    deciding = [(place, group) for place, group in enumerate(groups) if group.decides]
    missing = [
        f"{group.name}: predictions decide nothing." for group in groups if not group.decides
    ]
    pictures, rows = [], []
    for decision, words, key in _DECISIONS:
        lines = [
            GroupLine(group.name, place, [_make_share_curve(run, key) for run in group.runs])
            for place, group in deciding
        ]
        lines = [line for line in lines if any(map(len, line.curves))]
        if lines:
            draw = functools.partial(
                draw_lines,
                lines=lines,
                by="steps",
                label="share",
                shares=True,
                from_zero=True,
            )
            legend = len(lines) if len(deciding) > 1 else 0
            pictures.append(Plot(f"{decision}-share", words.capitalize(), draw, legend))
        found = [
            (place, group.name, decision_quality(group.runs, decision)) for place, group in deciding
        ]
        known = [one for one in found if one[2].tally.f1.value is not None]
        if known:
            draw_forest = functools.partial(_draw_forest, found=known)
            legend = len(known) if len(deciding) > 1 else 0
            title = f"How right the {decision} was"
            pictures.append(Plot(f"{decision}-quality", title, draw_forest, legend))
        rows += [_make_row(f"{name}: {decision}", words, one) for _, name, one in found]
        for _, name, one in found:
            if one.share is None:
                missing.append(f"{name}: the {decision} has not decided yet, or is off.")
            elif one.tally.f1.value is None:
                missing.append(
                    f"{name}: too few audits of the {decision} to say how right it was "
                    f"({one.tally.audits:.0f})."
                )
    table = Table(["", "share", "precision", "recall", "F1", "audits"], rows)
    return Section(
        key="decisions",
        title="What was skipped and cut",
        says=_INTRO if deciding else _INTRO[:1],
        pictures=pictures,
        tables=(table,) if rows else (),
        missing=missing,
    )


def decision_quality(runs: Sequence[RecordedRun], decision: str) -> DecisionQuality:
    """Return how right a decision was over the last half of each run's steps.

    Args:
        runs: of a group.
        decision: "gate" or "cutoff".
    """
    key = next(key for name, _, key in _DECISIONS if name == decision)
    shares, tally = [], ConfusionCounts()
    for run in runs:
        half = len(run.metrics) // 2
        shares += [float(row[key]) for row in run.metrics[half:] if key in row]
        if run.metrics:
            last = run.metrics[half - 1]["step"] if half else 0
            tally += count_decisions_after(run.confusion, decision, last)
    return DecisionQuality(sum(shares) / len(shares) if shares else None, tally)


def _make_share_curve(run: RecordedRun, key: str) -> Curve:
    tokens, seconds = cumulative_cost(run.metrics)
    known = [i for i, row in enumerate(run.metrics) if key in row]
    raw = Curve(
        tokens=tuple(tokens[i] for i in known),
        steps=tuple(float(run.metrics[i]["step"]) for i in known),
        seconds=tuple(seconds[i] for i in known),
        accuracy=tuple(float(run.metrics[i][key]) for i in known),
    )
    return smooth_curve(raw, max(1, min(10, len(raw) // 8)))


def _make_row(name: str, words: str, one: DecisionQuality) -> list[str]:
    tally = one.tally
    share = f"{format_percent(one.share)} of {words.split()[0]}" if one.share is not None else DASH
    cells = [_format_interval(getattr(tally, figure)) for figure in _METRICS]
    return [name, share, *cells, f"{tally.audits:,.0f}"]


def _format_interval(interval: Interval) -> str:
    return format_number(interval.value) + format_interval(interval.low, interval.high)


def _draw_forest(axes: Axes, found: Sequence[tuple[int, str, DecisionQuality]]) -> None:
    for row, (place, name, one) in enumerate(found):
        shift = (row - (len(found) - 1) / 2) * 0.2
        drawn = [
            (y + shift, interval)
            for y, figure in enumerate(_METRICS)
            if (interval := getattr(one.tally, figure)).value is not None
        ]
        values = [interval.value for _, interval in drawn]
        below = [interval.value - interval.low for _, interval in drawn]
        above = [interval.high - interval.value for _, interval in drawn]
        axes.errorbar(
            values,
            [y for y, _ in drawn],
            xerr=[below, above],
            fmt=MARKERS[place % len(MARKERS)],
            color=COLOURS[place % len(COLOURS)],
            capsize=3,
            linewidth=1.6,
            markersize=6,
            label=name,
        )
    axes.set_yticks(range(len(_METRICS)), ["preci-\nsion", "recall", "F1"])
    axes.set_ylim(len(_METRICS) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    axes.grid(visible=False, axis="y")
