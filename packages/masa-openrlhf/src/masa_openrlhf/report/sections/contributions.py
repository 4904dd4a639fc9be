"""Which of the three rewards goes with accuracy: the paper's regression, where data are enough.

Accuracy of a step is explained by its length, difficulty and notion rewards and by the step itself.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from masa_openrlhf.report.analysis.shapley import (
    Array,
    correlate_columns,
    r_squared,
    shapley_parts,
    shapley_r2,
)
from masa_openrlhf.report.formatting import format_interval, format_number
from masa_openrlhf.report.groups import RunGroup
from masa_openrlhf.report.plots import COLOURS, MARKERS
from masa_openrlhf.report.runs import RecordedRun
from masa_openrlhf.report.section import Plot, Section, Table
from masa_openrlhf.report.sections.rewards import COMPONENTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VARIABLES = (*COMPONENTS, "step")
LEAST = 10 * len(VARIABLES)
"""Steps below which nothing is shown: ten a variable."""

_MAX_CHANCE = 0.05
_DRAWS = 300
_INTRO = (
    "A regression explains the accuracy of a step (share of right solutions in training) by the "
    "three rewards of that step and by how far training has come. Shapley R² shares out what the "
    "four explain together; a larger bar goes with accuracy more closely. The paper reports 67 % "
    "for the notion, 23 % for the difficulty, 8 % for the length and 1 % for the step. It shows "
    "what goes together, not what causes what: an easy batch of problems lifts several at once. "
    "Lines are intervals of 95 %, by drawing blocks of steps anew."
)


class Contribution(NamedTuple):
    """How what is explained is shared out.

    Attributes:
        total: R² of the four together.
        chance: share of shifted series that explain as much by chance.
        steps: that went in.
        shares: part of the total, one a variable, in percent.
        low: lower end of the interval of each.
        high: upper end.
    """

    total: float
    chance: float
    steps: int
    shares: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def contributions_section(groups: Sequence[RunGroup]) -> Section:
    """Return shares of R² by component and step, or why they are not shown."""
    found, missing = [], []
    for place, group in enumerate(groups):
        if not group.predicts:
            missing.append(f"{group.name}: makes no predictions.")
            continue
        series = [one for one in map(_read_series, group.runs) if len(one) > 1]
        steps = sum(map(len, series))
        if steps < LEAST:
            missing.append(
                f"{group.name}: too few steps for this regression, {steps} of the {LEAST} that it "
                "takes."
            )
            continue
        one = estimate_contribution(series)
        if one is None or one.chance > _MAX_CHANCE:
            how = "" if one is None else f" (R² {one.total:.2f}, by chance in {one.chance:.0%})"
            missing.append(
                f"{group.name}: over {steps} steps, rewards and step explain accuracy no better "
                f"than chance would{how}, so there is nothing to share out. More steps, or larger "
                "batches, would show more."
            )
            continue
        found.append((place, group.name, one))
    if not found:
        return Section("contributions", "What goes with accuracy", (_INTRO,), missing=missing)
    picture = Plot(
        key="contributions",
        title="Shares of the explained accuracy (Shapley R²)",
        draw=functools.partial(_draw_shares, found=found),
        legend=len(found) if len(groups) > 1 else 0,
        height=2.6,
    )
    rows = [
        [
            name,
            f"{one.steps:,}",
            format_number(one.total),
            *(
                f"{share:.0f} %{format_interval(low, high, '.0f')}"
                for share, low, high in zip(one.shares, one.low, one.high, strict=True)
            ),
        ]
        for _, name, one in found
    ]
    table = Table(["", "steps", "R² of all", *VARIABLES], rows)
    title = "What goes with accuracy"
    return Section("contributions", title, (_INTRO,), (picture,), (table,), missing)


def estimate_contribution(series: Sequence[Array], *, seed: int = 0) -> Contribution | None:
    """Share out what the rewards and the step explain of accuracy.

    Args:
        series: an array a run, a row a step in order: length, difficulty, notion, step, accuracy.
            Each is taken from its own mean, so what differs between runs explains nothing.
        seed: of the intervals' draws.

    Returns:
        The shares; None where accuracy does not vary. ``chance`` compares R² with that of accuracy
        shifted in time against the rest: series that drift explain one another somewhat anyway.
    """
    centred = [one - one.mean(axis=0) for one in series]
    rows = np.concatenate(centred)
    shares = shapley_r2(rows[:, :-1], rows[:, -1])
    if shares is None:
        return None
    rng = np.random.default_rng(seed)
    again = [np.concatenate([_draw_blocks(one, rng) for one in centred]) for _ in range(_DRAWS)]
    parts_BP = shapley_parts(correlate_columns(np.stack(again)))
    totals_B = parts_BP.sum(axis=1)
    explains = totals_B > 0
    drawn = 100 * parts_BP[explains] / totals_B[explains, None]
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0).tolist()
    scale = 100 / shares.total if shares.total else 0.0
    return Contribution(
        total=shares.total,
        chance=_estimate_chance(centred, shares.total),
        steps=len(rows),
        shares=tuple(scale * part for part in shares.parts),
        low=tuple(low),
        high=tuple(high),
    )


def _read_series(run: RecordedRun) -> Array:
    keys = [*(f"meta/reward_{component}" for component in COMPONENTS), "step", "solution/pass_rate"]
    rows = [[float(row[key]) for key in keys] for row in run.metrics if all(k in row for k in keys)]
    return np.array(rows, float).reshape(-1, len(keys))


def _draw_blocks(rows: Array, rng: np.random.Generator) -> Array:
    """As many rows, drawn in blocks: neighbouring steps are alike."""
    size = max(1, round(len(rows) ** (1 / 3)))
    starts = rng.integers(len(rows) - size + 1, size=-(-len(rows) // size))
    places = (starts[:, None] + np.arange(size)).ravel()[: len(rows)]
    result: Array = rows[places]
    return result


def _estimate_chance(centred: Sequence[Array], total: float) -> float:
    """Share of shifts in time of accuracy against the rest with at least this R²."""
    longest = max(map(len, centred))
    shifts = np.unique(np.linspace(1, longest - 1, min(longest - 1, _DRAWS)).astype(int))
    x_NP = np.concatenate([one[:, :-1] for one in centred])
    shifted = [np.concatenate([np.roll(one[:, -1], s) for one in centred]) for s in shifts]
    tables = np.stack([np.column_stack([x_NP, y_N]) for y_N in shifted])
    explained = r_squared(correlate_columns(tables), range(x_NP.shape[1]))
    return float((1 + (explained >= total).sum()) / (1 + len(shifts)))


def _draw_shares(axes: Axes, found: Sequence[tuple[int, str, Contribution]]) -> None:
    width = 0.8 / len(found)
    for row, (place, name, one) in enumerate(found):
        y = [v + (row - (len(found) - 1) / 2) * width for v in range(len(VARIABLES))]
        colour = COLOURS[place % len(COLOURS)]
        axes.barh(y, one.shares, height=width * 0.85, color=colour, alpha=0.45, label=name)
        middle = [max(low, min(high, s)) for s, low, high in zip(*one[3:], strict=True)]
        axes.errorbar(
            middle,
            y,
            xerr=[
                [m - low for m, low in zip(middle, one.low, strict=True)],
                [high - m for m, high in zip(middle, one.high, strict=True)],
            ],
            fmt=MARKERS[place % len(MARKERS)],
            color=colour,
            capsize=3,
            linewidth=1.4,
        )
    axes.set_yticks(range(len(VARIABLES)), ["length", "diffi-\nculty", "notion", "step"])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(left=0)
    axes.set_xlabel("share of R², percent")
