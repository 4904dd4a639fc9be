"""The three meta rewards over the steps."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from masa_openrlhf.report.analysis.curves import Curve
from masa_openrlhf.report.groups import RunGroup
from masa_openrlhf.report.line_plots import GroupLine, describe_bands, draw_lines, smooth_curve
from masa_openrlhf.report.runs import RecordedRun, cumulative_cost
from masa_openrlhf.report.section import Plot, Section

COMPONENTS = ("length", "difficulty", "notion")

_INTRO = (
    "Each prediction earns three rewards, from 0 to 1. Length: 1 if the predicted length lies "
    "between the shortest and the longest right solution. Difficulty: 1 for the exact share of "
    "right solutions, and less the farther off. Notion: the share of predicted ideas that stand "
    "in more right than wrong solutions. Rising curves mean that the model foresees its own work "
    "better."
)
_WINDOW = 10


def rewards_section(groups: Sequence[RunGroup]) -> Section:
    """Return a panel for each component."""
    predicting = [(place, group) for place, group in enumerate(groups) if group.predicts]
    without = [group.name for group in groups if not group.predicts]
    missing = [f"{name}: makes no predictions." for name in without]
    pictures = []
    for component in COMPONENTS:
        lines = [
            GroupLine(group.name, place, [reward_curve(run, component) for run in group.runs])
            for place, group in predicting
        ]
        lines = [line for line in lines if any(map(len, line.curves))]
        if lines:
            draw = functools.partial(draw_lines, lines=lines, by="steps", label="reward")
            legend = len(lines) if len(groups) > 1 else 0
            pictures.append(
                Plot(f"reward-{component}", f"{component.capitalize()} reward", draw, legend)
            )
    if predicting and not pictures:
        missing.append("No step was taken yet that paid predictions.")
    bands = describe_bands(lines) if pictures else ""
    window = "Each point is a mean over the last tenth of the steps (at most ten)."
    says = [_INTRO, window, bands] if pictures else [_INTRO]
    return Section(
        "rewards", "What predictions earned", [t for t in says if t], pictures, missing=missing
    )


def reward_curve(run: RecordedRun, component: str) -> Curve:
    """Return the mean reward of a component over the steps, smoothed."""
    key = f"meta/reward_{component}"
    tokens, seconds = cumulative_cost(run.metrics)
    known = [i for i, row in enumerate(run.metrics) if key in row]
    raw = Curve(
        tokens=tuple(tokens[i] for i in known),
        steps=tuple(float(run.metrics[i]["step"]) for i in known),
        seconds=tuple(seconds[i] for i in known),
        accuracy=tuple(float(run.metrics[i][key]) for i in known),
    )
    return smooth_curve(raw, max(1, min(_WINDOW, len(raw) // 10)))
