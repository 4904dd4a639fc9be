"""The figures that the results page quotes, computed from recorded runs.

The page's arms are compared on two sets of runs: five seeds of one policy, and five policies with a
seed each. Beside them: the comparison with a batch of 8 problems, and a policy twice as wide.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masa_openrlhf.report.analysis.curves import Curve, make_monotone
from masa_openrlhf.report.runs import RecordedRun, held_out_curve
from masa_rewards.statistics import mean_interval

from masa_benchmarks.comparison.arms import FIRST_SEED, SEEDS
from masa_benchmarks.comparison.reading import (
    GAIN_SHARES,
    RelativeCost,
    accuracy_after_tokens,
    compare_cost,
    curve_over_groups,
    maximum_drawdown,
    mean_by_run,
    oracle_gate_curve,
    paired_differences,
    read_runs,
)
from masa_benchmarks.comparison.record import unpack_record
from masa_benchmarks.comparison.running import POLICY_SEEDS
from masa_benchmarks.paths import ROOT

DATA = ROOT / "docs" / "data"
BUDGET = 500e3
"""Tokens after which accuracies are compared."""

PAPER = {"relative_tokens": 1 / 1.28, "gate_f1_v1": 0.485, "gate_f1_v2": 0.907}
"""What the paper reports (arXiv 2510.03259): 1.28 times fewer tokens; F1 of its gate, in its first
and second version."""

Record = dict[str, Any]


@dataclass(frozen=True)
class RunSet:
    """Runs that are compared with each other.

    Attributes:
        record: file of the recorded runs, in `docs/data`.
        seeds: of the runs; an arm may have fewer.
        arms: by name; the first is the baseline.
        oracle: arm of which the oracle's curve is read off, if any.
    """

    record: str
    seeds: tuple[int, ...]
    arms: tuple[str, ...]
    oracle: str | None = None


RUN_SETS = {
    "five-policies": RunSet(
        "modes-runs.tar.xz",
        tuple(2 * POLICY_SEEDS + POLICY_SEEDS * n for n in range(SEEDS)),
        ("grpo", "round-13", "masa-efficient"),
    ),
    "one-policy": RunSet(
        "modes-runs.tar.xz",
        tuple(FIRST_SEED + n for n in range(SEEDS)),
        (
            *("grpo", "masa-efficient", "no-refill", "decides-nothing"),
            *("masa", "random", "grpo-half", "dapo"),
        ),
        oracle="dapo",
    ),
    "batch-of-8": RunSet("modes-runs.tar.xz", (15, 16, 17, 18, 19), ("grpo-8", "round-9")),
    "wide-policy": RunSet(
        "modes-runs-wide.tar.xz",
        (FIRST_SEED,),
        ("grpo-4-0.00025", "decides-nothing-0.00025"),
    ),
}


def compute_claims(data: Path = DATA) -> Record:
    """Return the figures of every set, from its record.

    Args:
        data: folder of the records.

    Returns:
        The paper's figures, and by set and arm: means as [value, low, high] with Student's t
        interval of 95 %, and costs relative to the baseline by share of its gain, as of
        ``compare_cost``. Rounded to five significant digits.
    """
    claims: Record = {"paper": PAPER}
    with tempfile.TemporaryDirectory() as scratch:
        for name, runs in RUN_SETS.items():
            home = Path(scratch) / runs.record.partition(".")[0]
            unpack_record(data / runs.record, home)
            claims[name] = _compute_set(runs, home)
    rounded: Record = _round_figures(claims)
    return rounded


def _compute_set(runs: RunSet, home: Path) -> Record:
    """Return the figures of one set, by arm."""
    done = {arm: read_runs(home, arm, runs.seeds) for arm in runs.arms}
    curves = {arm: {s: held_out_curve(run) for s, run in of.items()} for arm, of in done.items()}
    groups = {arm: {s: curve_over_groups(run) for s, run in of.items()} for arm, of in done.items()}
    base = runs.arms[0]
    figures = {}
    for arm in runs.arms:
        figures[arm] = {
            **_describe_accuracy(curves[arm]),
            **_describe_groups(curves[arm], groups[arm]),
            **_describe_predictions(done[arm]),
        }
        if arm != base:
            figures[arm] |= _compare_arms(curves[base], curves[arm])
            figures[arm]["relative_groups"] = _compare_shares(groups[base], groups[arm])
    if runs.oracle is not None:
        oracle = {seed: oracle_gate_curve(run) for seed, run in done[runs.oracle].items()}
        figures["oracle"] = _describe_accuracy(oracle) | _compare_arms(curves[base], oracle)
    return figures


def _describe_accuracy(curves: Mapping[int, Curve]) -> Record:
    """Return accuracy, tokens and steps of an arm; accuracies are those of levelled curves."""
    ends = {seed: make_monotone(curve.accuracy)[-1] for seed, curve in curves.items()}
    after = [accuracy_after_tokens(curve, BUDGET) for curve in curves.values()]
    return {
        "seeds": sorted(curves),
        "pass_at_1_before": mean_interval([curve.accuracy[0] for curve in curves.values()]),
        "pass_at_1": mean_interval(list(ends.values())),
        "pass_at_1_by_seed": {str(seed): end for seed, end in ends.items()},
        "pass_at_1_at_budget": mean_interval([value for value in after if value is not None]),
        "maximum_drawdown": max(maximum_drawdown(curve.accuracy) for curve in curves.values()),
        "thousand_tokens": mean_interval([curve.tokens[-1] / 1000 for curve in curves.values()]),
        "steps": statistics.fmean(curve.steps[-1] for curve in curves.values()),
    }


def _describe_groups(curves: Mapping[int, Curve], groups: Mapping[int, Curve]) -> Record:
    """Return the tokens per group with variance."""
    costs = [curves[seed].tokens[-1] / groups[seed].tokens[-1] for seed in curves]
    return {"tokens_per_group": mean_interval(costs)}


def _describe_predictions(runs: Mapping[int, RecordedRun]) -> Record:
    """Return what predictions are worth at the end, and what gate and cutoff did; without Nones."""
    ends, last = [run.evals[-1] for run in runs.values()], [r.metrics[-1] for r in runs.values()]
    found = {
        "pass_rate_correlation": [row.get("meta/pass_rate_correlation") for row in ends],
        "length_correlation": [row.get("meta/length_correlation") for row in ends],
        **{
            f"gate_{name}": [row.get(f"ledger/gate_{name}") for row in last]
            for name in ("precision", "recall", "f1")
        },
        "no_variance": mean_by_run(runs, "solution/no_variance", 0.0),
        "skipped": mean_by_run(runs, "gate/skipped", 0.5),
        "cut": mean_by_run(runs, "cutoff/cut", 0.5),
    }
    known = {key: [v for v in values if v is not None] for key, values in found.items()}
    return {key: mean_interval(values) for key, values in known.items() if values}


def _compare_arms(base: Mapping[int, Curve], other: Mapping[int, Curve]) -> Record:
    """Return what an arm spends relative to the baseline: over seeds, and seed by seed."""
    by_seed = {seed: compare_cost(base, {seed: other[seed]}, 1.0) for seed in sorted(other)}
    without = {seed: {s: c for s, c in other.items() if s != seed} for seed in sorted(other)}
    student = compare_cost(base, other, 1.0, method="t")
    return {
        "relative_tokens": _compare_shares(base, other),
        "relative_tokens_reached": _name_shares(
            [compare_cost(base, other, share, leave_out_censored=True) for share in GAIN_SHARES]
        ),
        "relative_tokens_student_t": student._asdict(),
        "relative_tokens_by_seed": {str(seed): cost._asdict() for seed, cost in by_seed.items()},
        "relative_tokens_without_seed": {
            str(seed): compare_cost(base, rest, 1.0)._asdict() for seed, rest in without.items()
        },
        "relative_steps": _name_shares(
            [compare_cost(base, other, share, "steps") for share in GAIN_SHARES]
        ),
        "difference_at_budget": mean_interval(paired_differences(base, other, BUDGET)),
    }


def _compare_shares(base: Mapping[int, Curve], other: Mapping[int, Curve]) -> Record:
    """Return the relative cost until each share of the baseline's gain."""
    return _name_shares([compare_cost(base, other, share) for share in GAIN_SHARES])


def _name_shares(costs: Sequence[RelativeCost]) -> Record:
    """Return costs by the share of the gain they are of, as in "90%"."""
    return {f"{s:.0%}": c._asdict() for s, c in zip(GAIN_SHARES, costs, strict=True)}


def _round_figures(value: Any) -> Any:
    """Return figures with five significant digits; tuples become lists, as JSON has them."""
    if isinstance(value, dict):
        return {key: _round_figures(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_round_figures(one) for one in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value
