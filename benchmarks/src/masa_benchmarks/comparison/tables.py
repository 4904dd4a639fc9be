"""The tables of the comparison, as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from masa_openrlhf.report.analysis.curves import Axis, Curve, make_monotone
from masa_openrlhf.report.runs import held_out_curve

from masa_benchmarks.comparison.arms import Arm
from masa_benchmarks.comparison.prediction_tables import (
    RunsByArm,
    tabulate_calibration,
    tabulate_learning,
    tabulate_reliability,
)
from masa_benchmarks.comparison.reading import (
    GAIN_SHARES,
    TOKEN_BUDGETS,
    RelativeCost,
    accuracy_after_tokens,
    compare_cost,
    count_groups_by_step,
    curve_over_groups,
    maximum_drawdown,
    mean_by_run,
    oracle_gate_curve,
    paired_differences,
    read_runs,
    truncate_run,
)
from masa_benchmarks.markdown import format_interval, format_mean, format_table

RATIO_NOTE = (
    "Geometric means over seeds, 95 % intervals by a bootstrap over seeds; below 1 an arm spends "
    "less. Censored: a seed that ended before the target counts with its last token, so that the "
    "ratio is a lower bound (≥)."
)


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
        titles["oracle"] = "oracle: the same runs, groups without variance at no cost"
    print("\n## Shares of tokens and of groups without variance\n")
    print(format_table(_tabulate_token_shares(runs)))
    print("\n## Checks of the task\n")
    print(format_table(_tabulate_checks(curves, arms[0].name, _find_half_batch(arms[0], arms))))
    print("\n## Final accuracy\n")
    print(format_table(_tabulate_final_accuracy(curves, titles)))
    print(f"\n## pass@1 after the same tokens, and paired differences from {arms[0].name}\n")
    print(format_table(_tabulate_token_budgets(curves, titles, arms[0].name)))
    for by in ("tokens", "steps", "seconds"):
        print(f"\n## {by.capitalize()} relative to {arms[0].name}\n\n{RATIO_NOTE}\n")
        print(format_table(_tabulate_ratios(curves, titles, arms[0].name, by)))
    print(f"\n## Tokens until {arms[0].name}'s final accuracy relative to its own, seed by seed\n")
    print(format_table(_tabulate_seeds(curves, arms[0].name)))
    print(f"\n## Groups with variance: tokens per group, and groups relative to {arms[0].name}\n")
    print(format_table(_tabulate_groups(done, curves, arms[0].name)))
    print("\n## Calibration and gate quality\n")
    print(format_table(tabulate_calibration(done)))
    print("\n## Reliability: held-out groups of 4 with variance, by predicted pass rate\n")
    print(format_table(tabulate_reliability(done)))


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
    print("\n## Correlation of predicted and true pass rate on held-out problems\n")
    print(format_table(tabulate_learning(reached)))
    print(f"\n## Predictions after {step} steps\n")
    print(format_table(tabulate_calibration(reached)))
    print(f"\n## Where each arm is after {step} steps\n")
    print(format_table(_tabulate_final_accuracy(curves, titles)))


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
    for arm, check, leave_out, holds in (
        (
            half,
            "half the batch saves no tokens: the interval does not lie below 1",
            False,
            lambda ratio: (ratio.value if ratio.high is None else ratio.high) >= 1,
        ),
        (
            "oracle",
            "an oracle gate saves tokens: a ratio of 2/3 or less",
            True,
            lambda ratio: ratio.value is not None and ratio.value <= 2 / 3,
        ),
    ):
        of = {} if arm is None else curves.get(arm, {})
        ratios = [
            compare_cost(base, of, share, leave_out_censored=leave_out) for share in GAIN_SHARES
        ]
        verdict = f"{sum(map(holds, ratios))} of {len(GAIN_SHARES)}" if of and base else "not run"
        rows.append(
            [check, *(_format_cost_cell(base, of, share) for share in GAIN_SHARES), verdict]
        )
    return rows


def _tabulate_token_shares(runs: RunsByArm) -> list[list[str]]:
    rows = [["arm", "meta tokens", "no variance, first tenth", "last tenth", "tokens per solution"]]
    for name, of in runs.items():
        done = [run.metrics[-1] for run in of.values() if run.metrics]
        meta = [row.get("ledger/meta_tokens", 0.0) for row in done]
        made = [row["ledger/solution_tokens"] + m for row, m in zip(done, meta, strict=True)]
        shares = [m / whole for m, whole in zip(meta, made, strict=True)]
        rows.append(
            [
                name,
                format_mean(shares, ".1%"),
                format_mean(mean_by_run(of, "solution/no_variance", 0.0, 0.1), ".0%"),
                format_mean(mean_by_run(of, "solution/no_variance", 0.9, 1.0), ".0%"),
                format_mean(mean_by_run(of, "solution/length", 0.0, 0.1), ".0f"),
            ]
        )
    return [row for row in rows if row[1]]


def _tabulate_final_accuracy(
    curves: Mapping[str, Mapping[int, Curve]], titles: Mapping[str, str]
) -> list[list[str]]:
    """Accuracy at the end of each arm, and the largest drawdown of its runs."""
    heads = [
        "arm",
        "seeds",
        "pass@1 before",
        "after",
        "maximum drawdown",
        "tokens",
        "steps",
        "minutes",
    ]
    rows = [heads]
    for name, of in curves.items():
        if not of:
            continue
        ends = list(of.values())
        rows.append(
            [
                titles[name],
                str(len(ends)),
                format_mean([c.accuracy[0] for c in ends], ".3f"),
                format_mean([make_monotone(c.accuracy)[-1] for c in ends], ".3f"),
                f"{max(maximum_drawdown(c.accuracy) for c in ends):.3f}",
                format_mean([c.tokens[-1] / 1000 for c in ends], ",.0f") + " k",
                f"{statistics.fmean(c.steps[-1] for c in ends):.0f}",
                format_mean([c.seconds[-1] / 60 for c in ends], ".1f"),
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
            cell = format_mean([value for value in values if value is not None], ".3f")
            if name != base:
                differences = paired_differences(curves[base], of, tokens)
                cell = cell.split(" [")[0] + f"; {format_mean(differences, '+.3f')}" if cell else ""
            cells.append(cell)
        if of:
            rows.append([titles[name], *cells])
    return rows


def _format_cost_cell(
    base: Mapping[int, Curve], of: Mapping[int, Curve], share: float, by: Axis = "tokens"
) -> str:
    """As in "0.8 [0.7, 0.9]", or "≥ 0.8 [0.7, 0.9], 2 of 5 censored; reached 0.7 [0.6, 0.8]"."""
    ratio = compare_cost(base, of, share, by)
    reached = compare_cost(base, of, share, by, leave_out_censored=True)
    return format_cost(ratio, reached)


def format_cost(ratio: RelativeCost, reached: RelativeCost | None = None) -> str:
    """Return a cell of a relative cost.

    Args:
        ratio: over all seeds.
        reached: over the seeds that reach the target; left out of the cell by default.
    """
    text = format_interval(*ratio[:3])
    if not ratio.censored:
        return text
    if ratio.seeds == 1:
        return f"≥ {text}"
    rest = f"; reached {format_interval(*reached[:3])}" if reached and reached.seeds else ""
    return f"≥ {text}, {ratio.censored} of {ratio.seeds} censored{rest}"


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
        ratios = [compare_cost(curves[base], rest, 1.0).value for rest in without]
        spread = [ratio for ratio in ratios if ratio]
        cells.append(f"{min(spread):.2f} to {max(spread):.2f}" if len(shared) > 1 else "")
        rows.append([name, *cells])
    return rows


def _tabulate_groups(
    runs: RunsByArm, curves: Mapping[str, Mapping[int, Curve]], base: str
) -> list[list[str]]:
    goals = [f"{share:.0%} of its gain" for share in GAIN_SHARES]
    rows = [
        ["arm", "groups", "tokens per group", "per step, last half", "steps without any", *goals]
    ]
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
                format_mean(totals, ",.0f"),
                format_mean(each, ",.0f"),
                format_mean([statistics.fmean(one) for one in late], ".1f"),
                format_mean(none, ".0%"),
                *(
                    "" if name == base else _format_cost_cell(by[base], of, share)
                    for share in GAIN_SHARES
                ),
            ]
        )
    return rows
