"""The tables of the comparison, as Markdown."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from masa_openrlhf.config.rules import merge_settings
from masa_openrlhf.report.analysis.curves import Axis, Curve, PairedRatio, make_monotone
from masa_openrlhf.report.runs import Run, curve_of
from masa_rewards.statistics import mean_interval

from masa_benchmarks.comparison.arms import BASE, Arm
from masa_benchmarks.comparison.reading import (
    SHARES,
    TOKENS,
    accuracy_after,
    deepest_fall,
    differences_after,
    free_of_replaced,
    groups_by_step,
    groups_with_variance,
    mean_of,
    predicted_and_true,
    read_runs,
    times_less,
    until,
)

Runs = Mapping[str, Mapping[int, Run]]


def print_tables(arms: Sequence[Arm], seeds: Sequence[int], home: Path) -> None:
    """Print what is there of these arms and seeds.

    Args:
        arms: the first is what the others are compared with.
        seeds: of the runs.
        home: where the runs are kept.
    """
    runs = {arm.name: read_runs(home, arm.name, seeds) for arm in arms}
    done = {name: {s: run for s, run in of.items() if run.finished} for name, of in runs.items()}
    curves = {name: {s: curve_of(run) for s, run in of.items()} for name, of in done.items()}
    titles = {arm.name: f"{arm.name}: {arm.title}" for arm in arms}
    if dynamic := next((arm.name for arm in arms if _samples_dynamically(arm)), None):
        curves["oracle"] = {seed: free_of_replaced(run) for seed, run in done[dynamic].items()}
        titles["oracle"] = "oracle: the same, as if what it throws away had cost nothing"
    print("\n## The task\n")
    _print(_shares(runs))
    print("\n## Is the task fair?\n")
    _print(_checks(curves, arms[0].name, _half_of(arms[0], arms)))
    print("\n## Where each arm ends\n")
    _print(_ends(curves, titles))
    print(f"\n## pass@1 after the same tokens, and paired differences from {arms[0].name}\n")
    _print(_at_tokens(curves, titles, arms[0].name))
    for by in ("tokens", "steps", "seconds"):
        print(f"\n## Times fewer {by} than {arms[0].name}\n")
        _print(_ratios(curves, titles, arms[0].name, by))
    print(f"\n## Times fewer tokens until {arms[0].name}'s final accuracy, seed by seed\n")
    _print(_seed_by_seed(curves, arms[0].name))
    print(f"\n## Groups with variance: tokens for one, and times fewer than {arms[0].name}\n")
    _print(_taught(done, curves, arms[0].name))
    print("\n## What predictions are worth\n")
    _print(_foresight(done))
    print("\n## Held-out groups of 4 with variance, by their predicted pass rate\n")
    _print(_sure(done))


def print_predictions(arms: Sequence[Arm], seeds: Sequence[int], home: Path, *, step: int) -> None:
    """Print how fast predictions are learned, what they are worth at a step, and their cost.

    Args:
        arms: to compare.
        seeds: of the runs.
        home: where the runs are kept.
        step: at which all of them were evaluated.
    """
    runs = {arm.name: read_runs(home, arm.name, seeds) for arm in arms}
    cut = {name: {s: until(run, step) for s, run in of.items()} for name, of in runs.items()}
    reached = {
        name: {s: run for s, run in of.items() if run.evals and run.evals[-1]["step"] == step}
        for name, of in cut.items()
    }
    titles = {arm.name: f"{arm.name}: {arm.title}" for arm in arms}
    curves = {n: {s: curve_of(r) for s, r in of.items()} for n, of in reached.items()}
    print("\n## How fast predictions are learned: correlation with the true pass rate, held out\n")
    _print(_learned(reached))
    print(f"\n## Predictions after {step} steps\n")
    _print(_foresight(reached))
    print(f"\n## Where each arm is after {step} steps\n")
    _print(_ends(curves, titles))


def _learned(runs: Runs) -> list[list[str]]:
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
            cells.append(_mean([row[key] for row in ends if key in row], ".2f"))
        if of:
            rows.append([name, *cells])
    return rows


def _samples_dynamically(arm: Arm) -> bool:
    """Whether an arm is DAPO's dynamic sampling without a gate: what the oracle is read off."""
    return (arm.settings.get("mode"), arm.settings.get("algorithm")) == ("grpo", "dapo")


def _half_of(base: Arm, arms: Sequence[Arm]) -> str | None:
    """Return the name of the first arm that is GRPO with half the batch of another."""
    wanted = merge_settings(BASE, base.settings)["batch"]["problems"] / 2
    plain = (a for a in arms if a.settings.get("mode") == "grpo" and not _samples_dynamically(a))
    sizes = ((arm.name, merge_settings(BASE, arm.settings)["batch"]["problems"]) for arm in plain)
    return next((name for name, problems in sizes if problems == wanted), None)


def _checks(
    curves: Mapping[str, Mapping[int, Curve]], baseline: str, half: str | None
) -> list[list[str]]:
    """What must be so of the task for the comparison to say something, and whether it is."""
    rows = [["check", *(f"{share:.0%} of GRPO's gain" for share in SHARES), "holds"]]
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
        ratios = [times_less(base, of, share, at_most=at_most) for share in SHARES]
        verdict = f"{sum(map(holds, ratios))} of {len(SHARES)}" if of and base else "not run"
        rows.append([check, *(_cell(base, of, share) for share in SHARES), verdict])
    return rows


def _print(rows: Sequence[Sequence[str]]) -> None:
    if len(rows) < 2:
        print("Nothing yet.")
        return
    for number, row in enumerate(rows):
        print(f"| {' | '.join(row)} |")
        if not number:
            print("|" + "---|" * len(row))


def _mean(values: Sequence[float], form: str) -> str:
    mean, low, high = mean_interval(values)
    if mean is None:
        return ""
    ends = "" if low is None else f" [{low:{form}}, {high:{form}}]"
    return f"{mean:{form}}{ends}"


def _shares(runs: Runs) -> list[list[str]]:
    rows = [["arm", "meta tokens", "no variance, first tenth", "last tenth", "tokens a solution"]]
    for name, of in runs.items():
        done = [run.metrics[-1] for run in of.values() if run.metrics]
        meta = [row.get("ledger/meta_tokens", 0.0) for row in done]
        made = [row["ledger/solution_tokens"] + m for row, m in zip(done, meta, strict=True)]
        shares = [m / whole for m, whole in zip(meta, made, strict=True)]
        rows.append(
            [
                name,
                _mean(shares, ".1%"),
                _mean(mean_of(of, "solution/no_variance", 0.0, 0.1), ".0%"),
                _mean(mean_of(of, "solution/no_variance", 0.9, 1.0), ".0%"),
                _mean(mean_of(of, "solution/length", 0.0, 0.1), ".0f"),
            ]
        )
    return [row for row in rows if row[1]]


def _ends(curves: Mapping[str, Mapping[int, Curve]], titles: Mapping[str, str]) -> list[list[str]]:
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
                _mean([c.accuracy[0] for c in ends], ".3f"),
                _mean([make_monotone(c.accuracy)[-1] for c in ends], ".3f"),
                f"{max(deepest_fall(c.accuracy) for c in ends):.3f}",
                _mean([c.tokens[-1] / 1000 for c in ends], ",.0f") + " k",
                f"{statistics.fmean(c.steps[-1] for c in ends):.0f}",
                _mean([c.seconds[-1] / 60 for c in ends], ".1f"),
            ]
        )
    return rows


def _at_tokens(
    curves: Mapping[str, Mapping[int, Curve]], titles: Mapping[str, str], base: str
) -> list[list[str]]:
    rows = [["arm", *(f"{tokens / 1000:.0f} k tokens" for tokens in TOKENS)]]
    for name, of in curves.items():
        cells = []
        for tokens in TOKENS:
            values = [accuracy_after(curve, tokens) for curve in of.values()]
            cell = _mean([value for value in values if value is not None], ".3f")
            if name != base:
                differences = differences_after(curves[base], of, tokens)
                cell = cell.split(" [")[0] + f"; {_mean(differences, '+.3f')}" if cell else ""
            cells.append(cell)
        if of:
            rows.append([titles[name], *cells])
    return rows


def _cell(
    base: Mapping[int, Curve], of: Mapping[int, Curve], share: float, by: Axis = "tokens"
) -> str:
    """As in "1.3 [1.1, 1.5]", or "1.3, 4 of 5 seeds; at most 1.2 [0.9, 1.4]"."""
    ratio = times_less(base, of, share, by)
    seeds = len(base.keys() & of.keys())
    if not seeds:
        return ""
    if ratio.pairs == seeds:
        return _times(ratio)
    there = f"{_times(ratio)}, {ratio.pairs} of {seeds} seeds; " if ratio.pairs else ""
    return f"{there}at most {_times(times_less(base, of, share, by, at_most=True))}"


def _times(ratio: PairedRatio) -> str:
    ends = "" if ratio.low is None else f" [{ratio.low:.2f}, {ratio.high:.2f}]"
    return f"{ratio.value:.2f}{ends}"


def _ratios(
    curves: Mapping[str, Mapping[int, Curve]], titles: Mapping[str, str], base: str, by: Axis
) -> list[list[str]]:
    rows = [["arm", *(f"{share:.0%} of its gain" for share in SHARES)]]
    for name, of in curves.items():
        if of and name != base and curves[base]:
            cells = [_cell(curves[base], of, share, by) for share in SHARES]
            rows.append([titles[name], *cells])
    return rows


def _seed_by_seed(curves: Mapping[str, Mapping[int, Curve]], base: str) -> list[list[str]]:
    """Each seed's ratio, and the mean of the others whichever one is left out."""
    rows = [["arm", *(f"seed {seed}" for seed in sorted(curves[base])), "one left out"]]
    for name, of in curves.items():
        shared = {seed: of[seed] for seed in sorted(of) if seed in curves[base]}
        if not shared or name == base:
            continue
        cells = [
            _cell(curves[base], {seed: shared[seed]}, 1.0) if seed in shared else ""
            for seed in sorted(curves[base])
        ]
        without = [{s: c for s, c in shared.items() if s != out} for out in shared]
        ratios = [times_less(curves[base], rest, 1.0, at_most=True).value for rest in without]
        spread = [ratio for ratio in ratios if ratio]
        cells.append(f"{min(spread):.2f} to {max(spread):.2f}" if len(shared) > 1 else "")
        rows.append([name, *cells])
    return rows


def _taught(runs: Runs, curves: Mapping[str, Mapping[int, Curve]], base: str) -> list[list[str]]:
    goals = [f"{share:.0%} of its gain" for share in SHARES]
    rows = [["arm", "groups", "tokens for one", "a step, last half", "steps with none", *goals]]
    by = {n: {s: groups_with_variance(run) for s, run in of.items()} for n, of in runs.items()}
    for name, of in by.items():
        if not of:
            continue
        totals = [curve.tokens[-1] for curve in of.values()]
        tokens = [curves[name][seed].tokens[-1] for seed in of]
        each = [made / groups for made, groups in zip(tokens, totals, strict=True) if groups]
        steps = [groups_by_step(run) for run in runs[name].values()]
        late = [groups[len(groups) // 2 :] for groups in steps]
        none = [statistics.fmean(groups < 0.5 for groups in one) for one in late]
        rows.append(
            [
                name,
                _mean(totals, ",.0f"),
                _mean(each, ",.0f"),
                _mean([statistics.fmean(one) for one in late], ".1f"),
                _mean(none, ".0%"),
                *("" if name == base else _cell(by[base], of, share) for share in SHARES),
            ]
        )
    return rows


def _foresight(runs: Runs) -> list[list[str]]:
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
                _mean([row["meta/pass_rate_correlation"] for row in known], ".2f"),
                _mean([row.get("meta/length_correlation", 0.0) for row in known], ".2f"),
                _mean(mean_of(of, "gate/skipped", 0.5), ".0%"),
                _mean(_surest(of), ".2f"),
                *(
                    _mean([r[k] for r in last if (k := f"ledger/gate_{w}") in r], ".2f")
                    for w in ("precision", "recall", "f1")
                ),
                _mean(mean_of(of, "cutoff/cut", 0.5), ".0%"),
            ]
        )
    return rows


def _surest(of: Mapping[int, Run]) -> list[float]:
    """The mean true pass rate of what a run's last evaluation predicted at 0.9 or more, by run."""
    pairs = (predicted_and_true({seed: run}, 0.999, 1.0) for seed, run in of.items())
    there = [[true for predicted, true in one if predicted >= 0.9] for one in pairs]
    return [statistics.fmean(trues) for trues in there if trues]


_BINS = (0.0, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 1.0)
"""Edges of the predicted pass rates that are looked at together."""


def _sure(runs: Runs) -> list[list[str]]:
    """How many held-out problems have which prediction, and how many of their groups variance."""
    bins = list(itertools.pairwise(_BINS))
    rows = [["arm", "steps", *(f"{low:.2f} to {high:.2f}" for low, high in bins)]]
    for name, of in runs.items():
        for part, first, last in (("first half", 0.0, 0.5), ("last half", 0.5, 1.0)):
            pairs = predicted_and_true(of, first, last)
            if pairs:
                rows.append([name, part, *(_of_bin(pairs, *ends) for ends in bins)])
    return rows


def _of_bin(pairs: Sequence[tuple[float, float]], low: float, high: float) -> str:
    """As in "45% of 32%", of all problems that is; the upper end belongs to the last bin alone."""
    there = [true for p, true in pairs if low <= p < high or (p == high == _BINS[-1])]
    if not there:
        return ""
    varied = sum(0 < true < 1 for true in there) / len(there)
    return f"{varied:.0%} of {len(there) / len(pairs):.0%}"
