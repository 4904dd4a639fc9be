"""Tables of what predictions are worth: correlation, gate, reliability."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence

from masa_openrlhf.report.runs import RecordedRun

from masa_benchmarks.comparison.reading import (
    mean_by_run,
    read_calibration_points,
)
from masa_benchmarks.markdown import format_mean

RunsByArm = Mapping[str, Mapping[int, RecordedRun]]


def tabulate_learning(runs: RunsByArm) -> list[list[str]]:
    """The correlation of predicted and true pass rate at each evaluation that all runs have."""
    every = [run for of in runs.values() for run in of.values()]
    taken = [{row["step"] for row in run.evals if row["step"]} for run in every]
    steps = sorted(set.intersection(*taken)) if taken else []
    rows = [["arm", *(f"step {step}" for step in steps)]]
    for name, of in runs.items():
        cells = []
        for step in steps:
            ends = [row for run in of.values() for row in run.evals if row["step"] == step]
            key = "meta/pass_rate_correlation"
            cells.append(format_mean([row[key] for row in ends if key in row], ".2f"))
        if of:
            rows.append([name, *cells])
    return rows


def tabulate_calibration(runs: RunsByArm) -> list[list[str]]:
    rows = [
        [
            "arm",
            "correlation, pass rate (held out)",
            "length",
            "skipped, last half",
            "true where 0.9 or more was predicted",
            "gate precision",
            "recall",
            "F1",
            "cut, last half",
        ]
    ]
    for name, of in runs.items():
        ends = [run.evals[-1] for run in of.values() if run.evals]
        known = [row for row in ends if "meta/pass_rate_correlation" in row]
        if not known:
            continue
        last = [run.metrics[-1] for run in of.values()]
        rows.append(
            [
                name,
                format_mean([row["meta/pass_rate_correlation"] for row in known], ".2f"),
                format_mean(
                    [row[key] for row in known if (key := "meta/length_correlation") in row], ".2f"
                ),
                format_mean(mean_by_run(of, "gate/skipped", 0.5), ".0%"),
                format_mean(list_confident_pass_rates(of), ".2f"),
                *(
                    format_mean([r[k] for r in last if (k := f"ledger/gate_{w}") in r], ".2f")
                    for w in ("precision", "recall", "f1")
                ),
                format_mean(mean_by_run(of, "cutoff/cut", 0.5), ".0%"),
            ]
        )
    return rows


def list_confident_pass_rates(of: Mapping[int, RecordedRun]) -> list[float]:
    """The mean true pass rate of what a run's last evaluation predicted at 0.9 or more, by run."""
    pairs = (read_calibration_points({seed: run}, 0.999, 1.0) for seed, run in of.items())
    there = [[true for predicted, true in one if predicted >= 0.9] for one in pairs]
    return [statistics.fmean(trues) for trues in there if trues]


_BINS = (0.0, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 1.0)
"""Edges of the predicted pass rates that are looked at together."""


def tabulate_reliability(runs: RunsByArm) -> list[list[str]]:
    """How many held-out problems have which prediction, and how many of their groups variance."""
    bins = list(itertools.pairwise(_BINS))
    rows = [["arm", "steps", *(f"{low:.2f} to {high:.2f}" for low, high in bins)]]
    for name, of in runs.items():
        for part, first, last in (("first half", 0.0, 0.5), ("last half", 0.5, 1.0)):
            pairs = read_calibration_points(of, first, last)
            if pairs:
                rows.append([name, part, *(_format_bin(pairs, *ends) for ends in bins)])
    return rows


def _format_bin(pairs: Sequence[tuple[float, float]], low: float, high: float) -> str:
    """As in "45% of 32%", of all problems that is; the upper end belongs to the last bin alone."""
    there = [true for p, true in pairs if low <= p < high or (p == high == _BINS[-1])]
    if not there:
        return ""
    varied = sum(0 < true < 1 for true in there) / len(there)
    return f"{varied:.0%} of {len(there) / len(pairs):.0%}"
