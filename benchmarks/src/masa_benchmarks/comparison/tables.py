"""The tables of the comparison, as Markdown."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from masa_openrlhf.report.analysis.curves import Axis, Curve, PairedRatio, make_monotone
from masa_openrlhf.report.runs import RecordedRun, held_out_curve
from masa_rewards.statistics import mean_interval

from masa_benchmarks.comparison.arms import Arm
from masa_benchmarks.comparison.reading import (
    GAIN_SHARES,
    TOKEN_BUDGETS,
    accuracy_after_tokens,
    compare_cost,
    count_groups_by_step,
    curve_over_groups,
    maximum_drawdown,
    mean_by_run,
    oracle_gate_curve,
    paired_differences,
    read_calibration_points,
    read_runs,
    truncate_run,
)

RunsByArm = Mapping[str, Mapping[int, RecordedRun]]


def print_tables(arms: Sequence[Arm], seeds: Sequence[int], home: Path) -> None:
    """Print what is there of these arms and seeds.

    Args:
        arms: the first is what the others are compared with.
        seeds: of the runs.
        home: where the runs are kept.
    """
    runs = {arm.name: read_runs(home, arm.name, seeds) for arm in arms}
    done = {name: {s: run for s, run in of.items() if run.finished} for name, of in runs.items()}
    curves = {name: {s: held_out_curve(run) for s, run in of.items()} for name, of in done.items()}
    titles = {arm.name: f"{arm.name}: {arm.title}" for arm in arms}
    if dynamic := next((arm.name for arm in arms if _is_dynamic_sampling(arm)), None):
        curves["oracle"] = {seed: oracle_gate_curve(run) for seed, run in done[dynamic].items()}
        titles["oracle"] = "oracle: the same, as if what it throws away had cost nothing"
    print("\n## The task\n")
    _print_table(_tabulate_token_shares(runs))
    print("\n## Is the task fair?\n")
    _print_table(_tabulate_checks(curves, arms[0].name, _find_half_batch(arms[0], arms)))
    print("\n## Where each arm ends\n")
    _print_table(_tabulate_final_accuracy(curves, titles))
    print(f"\n## pass@1 after the same tokens, and paired differences from {arms[0].name}\n")
    _print_table(_tabulate_token_budgets(curves, titles, arms[0].name))
    for by in ("tokens", "steps", "seconds"):
        print(f"\n## Times fewer {by} than {arms[0].name}\n")
        _print_table(_tabulate_ratios(curves, titles, arms[0].name, by))
    print(f"\n## Times fewer tokens until {arms[0].name}'s final accuracy, seed by seed\n")
    _print_table(_tabulate_seeds(curves, arms[0].name))
    print(f"\n## Groups with variance: tokens for one, and times fewer than {arms[0].name}\n")
    _print_table(_tabulate_groups(done, curves, arms[0].name))
    print("\n## What predictions are worth\n")
    _print_table(_tabulate_calibration(done))
    print("\n## Held-out groups of 4 with variance, by their predicted pass rate\n")
    _print_table(_tabulate_reliability(done))


def print_predictions(arms: Sequence[Arm], seeds: Sequence[int], home: Path, *, step: int) -> None:
    """Print how fast predictions are learned, what they are worth at a step, and their cost.

    Args:
        arms: to compare.
        seeds: of the runs.
        home: where the runs are kept.
        step: at which all of them were evaluated.
    """
    runs = {arm.name: read_runs(home, arm.name, seeds) for arm in arms}
    cut = {name: {s: truncate_run(run, step) for s, run in of.items()} for name, of in runs.items()}
    reached = {
        name: {s: run for s, run in of.items() if run.evals and run.evals[-1]["step"] == step}
        for name, of in cut.items()
    }
    titles = {arm.name: f"{arm.name}: {arm.title}" for arm in arms}
    curves = {n: {s: held_out_curve(r) for s, r in of.items()} for n, of in reached.items()}
    print("\n## How fast predictions are learned: correlation with the true pass rate, held out\n")
    _print_table(_tabulate_learning(reached))
    print(f"\n## Predictions after {step} steps\n")
    _print_table(_tabulate_calibration(reached))
    print(f"\n## Where each arm is after {step} steps\n")
    _print_table(_tabulate_final_accuracy(curves, titles))


def _tabulate_learning(runs: RunsByArm) -> list[list[str]]:
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
            cells.append(_format_mean([row[key] for row in ends if key in row], ".2f"))
        if of:
            rows.append([name, *cells])
    return rows


def _is_dynamic_sampling(arm: Arm) -> bool:
    """Whether an arm is DAPO's dynamic sampling without a gate: what the oracle is read off."""
    return (arm.settings.get("mode"), arm.settings.get("algorithm")) == ("grpo", "dapo")


def _find_half_batch(base: Arm, arms: Sequence[Arm]) -> str | None:
    """Return the name of the first arm that is GRPO with half the batch of another."""
    wanted = base.whole["batch"]["problems"] / 2
    plain = (a for a in arms if a.settings.get("mode") == "grpo" and not _is_dynamic_sampling(a))
    sizes = ((arm.name, arm.whole["batch"]["problems"]) for arm in plain)
    return next((name for name, problems in sizes if problems == wanted), None)


def _tabulate_checks(
    curves: Mapping[str, Mapping[int, Curve]], baseline: str, half: str | None
) -> list[list[str]]:
    """What must be so of the task for the comparison to say something, and whether it is."""
    rows = [["check", *(f"{share:.0%} of GRPO's gain" for share in GAIN_SHARES), "holds"]]
    base = curves.get(baseline, {})
    for arm, check, at_most, holds in (
        (
            half,
            "half the batch saves no tokens: the interval does not lie above 1",
            True,
            lambda ratio: (ratio.value if ratio.low is None else ratio.low) <= 1,
        ),
        (
            "oracle",
            "a gate that knows saves them: at least 1.5",
            False,
            lambda ratio: ratio.value is not None and ratio.value >= 1.5,
        ),
    ):
        of = {} if arm is None else curves.get(arm, {})
        ratios = [compare_cost(base, of, share, at_most=at_most) for share in GAIN_SHARES]
        verdict = f"{sum(map(holds, ratios))} of {len(GAIN_SHARES)}" if of and base else "not run"
        rows.append(
            [check, *(_format_cost_cell(base, of, share) for share in GAIN_SHARES), verdict]
        )
    return rows


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    if len(rows) < 2:
        print("Nothing yet.")
        return
    for number, row in enumerate(rows):
        print(f"| {' | '.join(row)} |")
        if not number:
            print("|" + "---|" * len(row))


def _format_mean(values: Sequence[float], form: str) -> str:
    mean, low, high = mean_interval(values)
    if mean is None:
        return ""
    ends = "" if low is None else f" [{low:{form}}, {high:{form}}]"
    return f"{mean:{form}}{ends}"


def _tabulate_token_shares(runs: RunsByArm) -> list[list[str]]:
    rows = [["arm", "meta tokens", "no variance, first tenth", "last tenth", "tokens a solution"]]
    for name, of in runs.items():
        done = [run.metrics[-1] for run in of.values() if run.metrics]
        meta = [row.get("ledger/meta_tokens", 0.0) for row in done]
        made = [row["ledger/solution_tokens"] + m for row, m in zip(done, meta, strict=True)]
        shares = [m / whole for m, whole in zip(meta, made, strict=True)]
        rows.append(
            [
                name,
                _format_mean(shares, ".1%"),
                _format_mean(mean_by_run(of, "solution/no_variance", 0.0, 0.1), ".0%"),
                _format_mean(mean_by_run(of, "solution/no_variance", 0.9, 1.0), ".0%"),
                _format_mean(mean_by_run(of, "solution/length", 0.0, 0.1), ".0f"),
            ]
        )
    return [row for row in rows if row[1]]


def _tabulate_final_accuracy(
    curves: Mapping[str, Mapping[int, Curve]], titles: Mapping[str, str]
) -> list[list[str]]:
    """Where each arm is at its end; and how far the worst of its runs fell on the way."""
    heads = ["arm", "seeds", "pass@1 before", "after", "deepest fall", "tokens", "steps", "minutes"]
    rows = [heads]
    for name, of in curves.items():
        if not of:
            continue
        ends = list(of.values())
        rows.append(
            [
                titles[name],
                str(len(ends)),
                _format_mean([c.accuracy[0] for c in ends], ".3f"),
                _format_mean([make_monotone(c.accuracy)[-1] for c in ends], ".3f"),
                f"{max(maximum_drawdown(c.accuracy) for c in ends):.3f}",
                _format_mean([c.tokens[-1] / 1000 for c in ends], ",.0f") + " k",
                f"{statistics.fmean(c.steps[-1] for c in ends):.0f}",
                _format_mean([c.seconds[-1] / 60 for c in ends], ".1f"),
            ]
        )
    return rows


def _tabulate_token_budgets(
    curves: Mapping[str, Mapping[int, Curve]], titles: Mapping[str, str], base: str
) -> list[list[str]]:
    rows = [["arm", *(f"{tokens / 1000:.0f} k tokens" for tokens in TOKEN_BUDGETS)]]
    for name, of in curves.items():
        cells = []
        for tokens in TOKEN_BUDGETS:
            values = [accuracy_after_tokens(curve, tokens) for curve in of.values()]
            cell = _format_mean([value for value in values if value is not None], ".3f")
            if name != base:
                differences = paired_differences(curves[base], of, tokens)
                cell = (
                    cell.split(" [")[0] + f"; {_format_mean(differences, '+.3f')}" if cell else ""
                )
            cells.append(cell)
        if of:
            rows.append([titles[name], *cells])
    return rows


def _format_cost_cell(
    base: Mapping[int, Curve], of: Mapping[int, Curve], share: float, by: Axis = "tokens"
) -> str:
    """As in "1.3 [1.1, 1.5]", or "1.3, 4 of 5 seeds; at most 1.2 [0.9, 1.4]"."""
    ratio = compare_cost(base, of, share, by)
    seeds = len(base.keys() & of.keys())
    if not seeds:
        return ""
    if ratio.pairs == seeds:
        return _format_ratio(ratio)
    there = f"{_format_ratio(ratio)}, {ratio.pairs} of {seeds} seeds; " if ratio.pairs else ""
    return f"{there}at most {_format_ratio(compare_cost(base, of, share, by, at_most=True))}"


def _format_ratio(ratio: PairedRatio) -> str:
    ends = "" if ratio.low is None else f" [{ratio.low:.2f}, {ratio.high:.2f}]"
    return f"{ratio.value:.2f}{ends}"


def _tabulate_ratios(
    curves: Mapping[str, Mapping[int, Curve]], titles: Mapping[str, str], base: str, by: Axis
) -> list[list[str]]:
    rows = [["arm", *(f"{share:.0%} of its gain" for share in GAIN_SHARES)]]
    for name, of in curves.items():
        if of and name != base and curves[base]:
            cells = [_format_cost_cell(curves[base], of, share, by) for share in GAIN_SHARES]
            rows.append([titles[name], *cells])
    return rows


def _tabulate_seeds(curves: Mapping[str, Mapping[int, Curve]], base: str) -> list[list[str]]:
    """Each seed's ratio, and the mean of the others whichever one is left out."""
    rows = [["arm", *(f"seed {seed}" for seed in sorted(curves[base])), "one left out"]]
    for name, of in curves.items():
        shared = {seed: of[seed] for seed in sorted(of) if seed in curves[base]}
        if not shared or name == base:
            continue
        cells = [
            _format_cost_cell(curves[base], {seed: shared[seed]}, 1.0) if seed in shared else ""
            for seed in sorted(curves[base])
        ]
        without = [{s: c for s, c in shared.items() if s != out} for out in shared]
        ratios = [compare_cost(curves[base], rest, 1.0, at_most=True).value for rest in without]
        spread = [ratio for ratio in ratios if ratio]
        cells.append(f"{min(spread):.2f} to {max(spread):.2f}" if len(shared) > 1 else "")
        rows.append([name, *cells])
    return rows


def _tabulate_groups(
    runs: RunsByArm, curves: Mapping[str, Mapping[int, Curve]], base: str
) -> list[list[str]]:
    goals = [f"{share:.0%} of its gain" for share in GAIN_SHARES]
    rows = [["arm", "groups", "tokens for one", "a step, last half", "steps with none", *goals]]
    by = {n: {s: curve_over_groups(run) for s, run in of.items()} for n, of in runs.items()}
    for name, of in by.items():
        if not of:
            continue
        totals = [curve.tokens[-1] for curve in of.values()]
        tokens = [curves[name][seed].tokens[-1] for seed in of]
        each = [made / groups for made, groups in zip(tokens, totals, strict=True) if groups]
        steps = [count_groups_by_step(run) for run in runs[name].values()]
        late = [groups[len(groups) // 2 :] for groups in steps]
        none = [statistics.fmean(groups < 0.5 for groups in one) for one in late]
        rows.append(
            [
                name,
                _format_mean(totals, ",.0f"),
                _format_mean(each, ",.0f"),
                _format_mean([statistics.fmean(one) for one in late], ".1f"),
                _format_mean(none, ".0%"),
                *(
                    "" if name == base else _format_cost_cell(by[base], of, share)
                    for share in GAIN_SHARES
                ),
            ]
        )
    return rows


def _tabulate_calibration(runs: RunsByArm) -> list[list[str]]:
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
                _format_mean([row["meta/pass_rate_correlation"] for row in known], ".2f"),
                _format_mean([row.get("meta/length_correlation", 0.0) for row in known], ".2f"),
                _format_mean(mean_by_run(of, "gate/skipped", 0.5), ".0%"),
                _format_mean(_list_confident_pass_rates(of), ".2f"),
                *(
                    _format_mean([r[k] for r in last if (k := f"ledger/gate_{w}") in r], ".2f")
                    for w in ("precision", "recall", "f1")
                ),
                _format_mean(mean_by_run(of, "cutoff/cut", 0.5), ".0%"),
            ]
        )
    return rows


def _list_confident_pass_rates(of: Mapping[int, RecordedRun]) -> list[float]:
    """The mean true pass rate of what a run's last evaluation predicted at 0.9 or more, by run."""
    pairs = (read_calibration_points({seed: run}, 0.999, 1.0) for seed, run in of.items())
    there = [[true for predicted, true in one if predicted >= 0.9] for one in pairs]
    return [statistics.fmean(trues) for trues in there if trues]


_BINS = (0.0, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 1.0)
"""Edges of the predicted pass rates that are looked at together."""


def _tabulate_reliability(runs: RunsByArm) -> list[list[str]]:
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
