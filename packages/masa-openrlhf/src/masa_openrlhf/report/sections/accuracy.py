"""Accuracy over what was spent, and how soon each group was where."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from masa_openrlhf.report.analysis.curves import (
    Axis,
    Curve,
    PairedRatio,
    make_monotone,
    paired_ratio,
    tokens_to,
)
from masa_openrlhf.report.formatting import format_amount, format_count, format_interval
from masa_openrlhf.report.groups import RunGroup, join_run_names
from masa_openrlhf.report.line_plots import GroupLine, describe_bands, draw_lines, smooth_curve
from masa_openrlhf.report.runs import held_out_curve, training_curve
from masa_openrlhf.report.section import Plot, Section, Table

_INTRO = (
    "Accuracy is pass@1 on held-out problems: the share of solutions that are right, of problems "
    "that the model is not trained on. Tokens are all that the model wrote in training, in "
    "predictions and solutions."
)
_TIME = "Time is that of the steps alone, without evaluations and checkpoints."
_NO_TIME = (
    "Time is not compared: it says as much of the machines, and of what else ran on them, as of "
    "the training."
)
_TRAINING_INTRO = (
    "There are too few evaluations on held-out problems, so this is the share of right solutions "
    "of the training problems, smoothed. Mind that problems which a gate skips are not in it."
)
_AXES: tuple[tuple[Axis, str], ...] = (
    ("tokens", "Accuracy over tokens made"),
    ("steps", "Accuracy over steps"),
    ("seconds", "Accuracy over time"),
)
_TARGETS = 3


def accuracy_section(groups: Sequence[RunGroup]) -> Section:
    """Return accuracy over tokens, steps and time, and tokens until given accuracies."""
    held_out = {
        group.name: [drop_single_point(held_out_curve(run)) for run in group.runs]
        for group in groups
    }
    some = any(len(curve) for curves in held_out.values() for curve in curves)
    lines = _make_lines(groups, held_out) if some else _make_training_lines(groups)
    if not any(len(curve) for line in lines for curve in line.curves):
        return Section("accuracy", "Accuracy", (_INTRO,), missing=("No step was taken yet.",))
    label = "held-out pass@1" if some else "training pass rate"
    pictures = [
        Plot(
            key=f"accuracy-{axis}",
            title=title,
            draw=functools.partial(draw_lines, lines=lines, by=axis, label=label, shares=True),
            legend=len(lines) if len(groups) > 1 else 0,
        )
        for axis, title in _AXES
        if axis != "seconds" or len(groups) == 1
    ]
    says = [
        _INTRO if some else _TRAINING_INTRO,
        _TIME if len(groups) == 1 else _NO_TIME,
        describe_bands(lines),
        _describe_own_intervals(lines),
    ]
    tables = _make_tables(groups, held_out) if some and len(groups) > 1 else ()
    if tables:
        says.append(_TABLES_INTRO)
    return Section(
        key="accuracy",
        title="Accuracy",
        says=[text for text in says if text],
        pictures=pictures,
        tables=tables,
        missing=_list_missing(groups, held_out) if some else [],
    )


_TABLES_INTRO = (
    "The tables say how many tokens a group had made when it first was at an accuracy, on average "
    "over the runs that got there. Evaluations are noisy, so a curve is levelled first, that it "
    "never falls. Runs of the same seed are compared by the ratio of their tokens: 0.5 means half "
    "the tokens, 2 twice as many."
)


def drop_single_point(curve: Curve) -> Curve:
    """Return the curve, or none: a single point, as before the first step, shows no course."""
    return curve if len(curve) > 1 else Curve((), (), (), ())


def _make_lines(groups: Sequence[RunGroup], curves: dict[str, list[Curve]]) -> list[GroupLine]:
    return [
        GroupLine(group.name, place, curves[group.name])
        for place, group in enumerate(groups)
        if any(map(len, curves[group.name]))
    ]


def _make_training_lines(groups: Sequence[RunGroup]) -> list[GroupLine]:
    window = max([1, *(run.steps // 10 for group in groups for run in group.runs)])
    return _make_lines(
        groups,
        {g.name: [smooth_curve(training_curve(run), window) for run in g.runs] for g in groups},
    )


def _describe_own_intervals(lines: Sequence[GroupLine]) -> str:
    alone = [line for line in lines if len([curve for curve in line.curves if len(curve)]) == 1]
    if any(curve.low for line in alone for curve in line.curves):
        return (
            "The band of a single run is the 95 % interval over the held-out problems: how it "
            "could come out with other problems of the same kind, not with another seed."
        )
    return ""


def _make_tables(groups: Sequence[RunGroup], curves: dict[str, list[Curve]]) -> list[Table]:
    targets = choose_targets([one for group in groups for one in curves[group.name]])
    if not targets:
        return []
    rows = []
    for group in groups:
        cells = []
        for target in targets:
            found = [tokens_to(curve, target) for curve in curves[group.name] if len(curve)]
            there = [tokens for tokens in found if tokens is not None]
            mean = format_amount(statistics.fmean(there)) if there else "not reached"
            cells.append(
                mean
                if len(there) in (0, len(found))
                else f"{mean} ({len(there)} of {format_count(len(found), 'run')})"
            )
        rows.append([group.name, *cells])
    heads = ["tokens until", *(f"{target:.0%}" for target in targets)]
    return [Table(heads, rows), *_make_ratio_tables(groups, curves, targets)]


def choose_targets(curves: Sequence[Curve]) -> list[float]:
    """Return accuracies between where all began and what the best came to; none of too little.

    Args:
        curves: of all runs.
    """
    levels = [make_monotone(curve.accuracy) for curve in curves if len(curve)]
    start, end = max(level[0] for level in levels), max(level[-1] for level in levels)
    if end - start < 0.02:
        return []
    found = [start + (end - start) * (i + 1) / (_TARGETS + 1) for i in range(_TARGETS)]
    return sorted({round(target, 2) for target in found})


def _make_ratio_tables(
    groups: Sequence[RunGroup], curves: dict[str, list[Curve]], targets: Sequence[float]
) -> list[Table]:
    """What each group spends relative to the first, over runs of the same seed."""
    base, *others = groups
    rows = []
    for other in others:
        found = [r for r in compare_groups(base, other, curves, targets) if r is not None]
        if found:
            both = len(_find_common_seeds(base, other, curves))
            cells = [_format_ratio(ratio, base.name, other.name) for ratio in found]
            rows.append([other.name, format_count(both, "pair"), *cells])
    heads = [f"tokens relative to {base.name}", "", *(f"{target:.0%}" for target in targets)]
    return [Table(heads, rows)] if rows else []


def compare_groups(
    base: RunGroup, other: RunGroup, curves: dict[str, list[Curve]], targets: Sequence[float]
) -> list[PairedRatio | None]:
    """Return what a group spent until each accuracy relative to another, over runs of one seed.

    The interval is Student's t on the logarithms: a bootstrap over a few pairs would be too narrow.

    Args:
        base: what it is compared with.
        other: the group.
        curves: of the groups, by name, in the order of their runs.
        targets: accuracies, in [0, 1].

    Returns:
        A ratio a target; None where no seed is in both.
    """
    both = _find_common_seeds(base, other, curves)
    if not both:
        return [None] * len(targets)
    ours, theirs = (
        [_index_by_seed(group, curves[group.name])[seed] for seed in both]
        for group in (base, other)
    )
    return [paired_ratio(ours, theirs, target, method="t") for target in targets]


def _find_common_seeds(
    base: RunGroup, other: RunGroup, curves: dict[str, list[Curve]]
) -> list[int]:
    seeds = [set(_index_by_seed(group, curves[group.name])) for group in (base, other)]
    return sorted(seeds[0] & seeds[1])


def _index_by_seed(group: RunGroup, curves: Sequence[Curve]) -> dict[int, Curve]:
    return {r.seed: c for r, c in zip(group.runs, curves, strict=True) if len(c)}


def _format_ratio(ratio: PairedRatio, base: str, other: str) -> str:
    counts = (
        (ratio.only_base, f"only {base} got there"),
        (ratio.only_other, f"only {other} got there"),
        (ratio.neither, "none got there"),
    )
    pairs = sum(count for count, _ in counts) + ratio.pairs + ratio.at_start
    said = [words if count == pairs else f"{words} in {count}" for count, words in counts if count]
    if ratio.value is not None:
        said.insert(0, f"{ratio.value:.2f}{format_interval(ratio.low, ratio.high)}")
    return "; ".join(said) or "there from the start"


def _list_missing(groups: Sequence[RunGroup], curves: dict[str, list[Curve]]) -> list[str]:
    without = [
        run
        for group in groups
        for run, curve in zip(group.runs, curves[group.name], strict=True)
        if not len(curve)
    ]
    if not without:
        return []
    return [
        "Evaluated less than twice on held-out problems, so without a curve: "
        f"{join_run_names(without)}."
    ]


class AccuracyChange(NamedTuple):
    """Held-out accuracy at the first and the last evaluation.

    Attributes:
        first: mean over runs; None where none was evaluated twice.
        last: likewise.
        runs: how many were.
    """

    first: float | None
    last: float | None
    runs: int


def compute_accuracy_change(group: RunGroup) -> AccuracyChange:
    """Return how accuracy moved over the runs of a group that were evaluated twice or more."""
    curves = [curve for curve in map(held_out_curve, group.runs) if len(curve) > 1]
    if not curves:
        return AccuracyChange(None, None, 0)
    first, last = ([curve.accuracy[place] for curve in curves] for place in (0, -1))
    return AccuracyChange(statistics.fmean(first), statistics.fmean(last), len(curves))
