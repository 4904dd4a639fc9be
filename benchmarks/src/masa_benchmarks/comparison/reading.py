"""What the runs of the comparison came to: curves, shares, and ratios paired by seed."""

from __future__ import annotations

import dataclasses
import itertools
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from masa_openrlhf.report.analysis.curves import Axis, Curve, make_monotone, paired_ratio
from masa_openrlhf.report.analysis.intervals import IntervalMethod
from masa_openrlhf.report.runs import RecordedRun, held_out_curve, read_run

from masa_benchmarks.comparison.running import find_run_folder

GAIN_SHARES = (0.5, 0.75, 0.9, 1.0)
"""Of what the baseline gains: the accuracies at which arms are compared, for each seed its own."""


TOKEN_BUDGETS = (200e3, 350e3, 500e3)
"""Tokens after which arms are compared by their accuracy."""


def accuracy_at_share(curve: Curve, share: float) -> float:
    """Return the accuracy at which a run has made so large a share of its whole gain."""
    values = make_monotone(curve.accuracy)
    return values[0] + share * (values[-1] - values[0])


def accuracy_after_tokens(curve: Curve, tokens: float) -> float | None:
    """Return the levelled accuracy of a run that had made so many tokens; None where it ended."""
    if not curve.tokens[0] <= tokens <= curve.tokens[-1]:
        return None
    return float(np.interp(tokens, curve.tokens, make_monotone(curve.accuracy)))


def paired_differences(
    base: Mapping[int, Curve], other: Mapping[int, Curve], tokens: float
) -> list[float]:
    """Return how much more accurate an arm is than the baseline after so many tokens, by seed."""
    pairs = [
        (accuracy_after_tokens(base[seed], tokens), accuracy_after_tokens(other[seed], tokens))
        for seed in sorted(base.keys() & other.keys())
    ]
    return [arm - of_base for of_base, arm in pairs if of_base is not None and arm is not None]


def maximum_drawdown(accuracy: Sequence[float]) -> float:
    """Return how far a run's accuracy was at most below what it had been before."""
    return float(np.max(np.maximum.accumulate(accuracy) - np.asarray(accuracy)))


class RelativeCost(NamedTuple):
    """What an arm spends until a target, relative to the baseline: < 1 where it spends less.

    Attributes:
        value: geometric mean over seeds of arm / baseline; None without a seed. A lower bound
            where seeds are censored.
        low: lower end of its interval of 95 %; None for fewer than two seeds. It stays a lower
            bound where seeds are censored.
        high: upper end, likewise; it bounds nothing where seeds are censored.
        seeds: of the mean.
        censored: seeds whose run of the arm ended before the target.
    """

    value: float | None
    low: float | None
    high: float | None
    seeds: int
    censored: int


def compare_cost(
    base: Mapping[int, Curve],
    other: Mapping[int, Curve],
    share: float,
    by: Axis = "tokens",
    *,
    leave_out_censored: bool = False,
    method: IntervalMethod = "bootstrap",
) -> RelativeCost:
    """Compare what two arms spend until a share of the baseline's gain, seed by seed.

        value = exp(mean over seeds of log(other / base))

    Args:
        base: the baseline's curves by seed.
        other: the arm's; seeds that only one has are left out.
        share: of the baseline's gain of that seed, in (0, 1].
        by: what is spent.
        leave_out_censored: average over the seeds that reach the target. By default a seed that
            does not counts as if it had reached it at its end, so that the ratio is the lowest
            possible.
        method: of the interval over seeds: percentiles of the bootstrap, or Student's t on the
            logarithms.
    """
    seeds = sorted(base.keys() & other.keys())
    goals = [accuracy_at_share(base[seed], share) for seed in seeds]
    curves = [other[seed] for seed in seeds]
    ended = [_reach_goal_at_end(*pair) for pair in zip(curves, goals, strict=True)]
    ratio = paired_ratio(
        [base[seed] for seed in seeds],
        curves if leave_out_censored else ended,
        goals,
        by=by,
        method=method,
    )
    return RelativeCost(
        value=ratio.value,
        low=ratio.low,
        high=ratio.high,
        seeds=ratio.pairs,
        censored=sum(curve is not end for curve, end in zip(curves, ended, strict=True)),
    )


def _reach_goal_at_end(curve: Curve, goal: float) -> Curve:
    """Return a curve that reaches the goal at its last evaluation where it did not before."""
    if make_monotone(curve.accuracy)[-1] >= goal:
        return curve
    return dataclasses.replace(curve, accuracy=(*curve.accuracy[:-1], goal))


def oracle_gate_curve(run: RecordedRun) -> Curve:
    """Return the curve of a run with dynamic sampling, as if what was thrown away had cost nothing.

    That is a gate which knows beforehand what the solutions will come to, and draws another problem
    for each that it skips: as good as a gate can be.
    """
    return _replace_tokens(
        run, [r["tokens/solution"] - r.get("tokens/replaced", 0.0) for r in run.metrics]
    )


def count_groups_by_step(run: RecordedRun) -> list[float]:
    """Return how many groups with variance each step had rolled out."""
    problems = run.config["batch"]["problems"]
    return [
        row.get("sampling/drawn", problems)
        * (1 - row.get("gate/skipped", 0.0))
        * (1 - row.get("solution/no_variance", 0.0))
        for row in run.metrics
    ]


def curve_over_groups(run: RecordedRun) -> Curve:
    """Return the curve of a run over the groups with variance it had rolled out, as its tokens.

    Only their solutions teach by their rewards; what a run spends on other things is not in it.
    """
    return _replace_tokens(run, count_groups_by_step(run))


def _replace_tokens(run: RecordedRun, by_step: Sequence[float]) -> Curve:
    """Return the curve of a run with what its steps add up to in the place of its tokens."""
    curve = held_out_curve(run)
    steps = (float(row["step"]) for row in run.metrics)
    sums = {0.0: 0.0} | dict(zip(steps, itertools.accumulate(by_step), strict=True))
    return dataclasses.replace(curve, tokens=tuple(sums[step] for step in curve.steps))


def read_runs(home: Path, arm: str, seeds: Sequence[int]) -> dict[int, RecordedRun]:
    """Return the runs of an arm that are there, by seed."""
    folders = {seed: find_run_folder(f"{arm}-{seed}", home) for seed in seeds}
    return {seed: read_run(folder) for seed, folder in folders.items() if folder is not None}


def truncate_run(run: RecordedRun, step: int) -> RecordedRun:
    """Return a run as it was after a step."""
    return dataclasses.replace(
        run,
        metrics=tuple(row for row in run.metrics if row["step"] <= step),
        evals=tuple(row for row in run.evals if row["step"] <= step),
    )


def read_calibration_points(
    runs: Mapping[int, RecordedRun], first: float, last: float
) -> list[tuple[float, float]]:
    """Return the mean predicted and the true pass rate of held-out problems, of all runs together.

    Args:
        runs: by seed.
        first: where the part of a run's evaluations begins that is looked at, a share of its steps.
        last: where it ends; the evaluation before the first step is in no part.
    """
    found = []
    for run in runs.values():
        steps = run.evals[-1]["step"] if run.evals else 0
        for row in run.calibration:
            if row["split"] == "eval" and first * steps < row["step"] <= last * steps:
                found += [(p, true) for p, true in row["pass_rate"] if p is not None]
    return found


def mean_by_run(
    runs: Mapping[int, RecordedRun], key: str, first: float = 0.0, last: float = 1.0
) -> list[float]:
    """Return a metric's mean over a part of the steps, for each run that has it.

    Args:
        runs: by seed.
        key: of the metric.
        first: where the part begins, a share of the steps.
        last: where it ends.
    """
    means = []
    for run in runs.values():
        count = len(run.metrics)
        rows: Sequence[Any] = run.metrics[int(first * count) : max(1, round(last * count))]
        values = [row[key] for row in rows if key in row]
        if values:
            means.append(statistics.fmean(values))
    return means
