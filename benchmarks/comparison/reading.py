"""What the runs of the comparison came to: curves, shares, and ratios paired by seed."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from masa_openrlhf.report.curves import Axis, Curve, reach, rising
from masa_openrlhf.report.intervals import mean_interval
from masa_openrlhf.report.runs import Run, curve_of, read_run

SHARES = (0.5, 0.75, 0.9, 1.0)
"""Of what the baseline gains: the accuracies at which arms are compared, for each seed its own."""


TOKENS = (200e3, 350e3, 500e3)
"""Tokens after which arms are compared by their accuracy."""


class Ratio(NamedTuple):
    """How many times less an arm spends than the baseline, to get as far.

    Attributes:
        value: geometric mean over seeds; None where no seed got there.
        low: end of the interval of 95 % (bootstrap over seeds); None for fewer than two.
        high: likewise.
        reached: seeds that got there.
        seeds: seeds compared.
    """

    value: float | None
    low: float | None
    high: float | None
    reached: int
    seeds: int

    def __str__(self) -> str:
        if self.value is None:
            return f"not reached (0 of {self.seeds})"
        ends = "" if self.low is None else f" [{self.low:.2f}, {self.high:.2f}]"
        some = "" if self.reached == self.seeds else f", {self.reached} of {self.seeds} seeds"
        return f"{self.value:.2f}{ends}{some}"


def accuracy_at(curve: Curve, share: float) -> float:
    """Return the accuracy at which a run has made so large a share of its whole gain."""
    values = rising(curve.accuracy)
    return values[0] + share * (values[-1] - values[0])


def accuracy_after(curve: Curve, tokens: float) -> float | None:
    """Return the levelled accuracy of a run that had made so many tokens; None where it ended."""
    if not curve.tokens[0] <= tokens <= curve.tokens[-1]:
        return None
    return float(np.interp(tokens, curve.tokens, rising(curve.accuracy)))


def differences_after(
    base: Mapping[int, Curve], other: Mapping[int, Curve], tokens: float
) -> list[float]:
    """Return how much more accurate an arm is than the baseline after so many tokens, by seed."""
    pairs = [
        (accuracy_after(base[seed], tokens), accuracy_after(other[seed], tokens))
        for seed in sorted(base.keys() & other.keys())
    ]
    return [arm - of_base for of_base, arm in pairs if of_base is not None and arm is not None]


def times_less(
    base: Mapping[int, Curve], other: Mapping[int, Curve], share: float, by: Axis = "tokens"
) -> Ratio:
    """Compare what two arms spend until a share of the baseline's gain, seed by seed.

        value = exp(mean over seeds of log(base / other))

    Args:
        base: the baseline's curves by seed.
        other: the arm's; seeds that only one has are left out.
        share: of the baseline's gain of that seed, in (0, 1].
        by: what is spent.
    """
    seeds = sorted(base.keys() & other.keys())
    logs = []
    for seed in seeds:
        accuracy = accuracy_at(base[seed], share)
        spent, arm = reach(base[seed], accuracy, by=by), reach(other[seed], accuracy, by=by)
        if spent and arm:
            logs.append(math.log(spent / arm))
    low, high = mean_interval(logs, method="bootstrap")
    return Ratio(
        math.exp(statistics.fmean(logs)) if logs else None,
        None if low is None else math.exp(low),
        None if high is None else math.exp(high),
        len(logs),
        len(seeds),
    )


def free_of_replaced(run: Run) -> Curve:
    """Return the curve of a run with dynamic sampling, as if what was thrown away had cost nothing.

    That is a gate which knows beforehand what the solutions will come to, and draws another problem
    for each that it skips: as good as a gate can be.
    """
    curve = curve_of(run)
    spent, total = {0.0: 0.0}, 0.0
    for row in run.metrics:
        total += row["tokens/solution"] - row.get("tokens/replaced", 0.0)
        spent[float(row["step"])] = total
    return Curve(
        tokens=tuple(spent[step] for step in curve.steps),
        steps=curve.steps,
        seconds=curve.seconds,
        accuracy=curve.accuracy,
    )


def read_runs(home: Path, arm: str, seeds: Sequence[int]) -> dict[int, Run]:
    """Return the runs of an arm that are there, by seed."""
    found = {}
    for seed in seeds:
        begun = sorted((home / "runs").glob(f"{arm}-{seed}-2*"))
        if begun:
            found[seed] = read_run(begun[-1])
    return found


def until(run: Run, step: int) -> Run:
    """Return a run as it was after a step."""
    return dataclasses.replace(
        run,
        metrics=tuple(row for row in run.metrics if row["step"] <= step),
        evals=tuple(row for row in run.evals if row["step"] <= step),
    )


def mean_of(
    runs: Mapping[int, Run], key: str, first: float = 0.0, last: float = 1.0
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
