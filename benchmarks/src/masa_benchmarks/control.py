"""Gate and cutoff while the policy drifts: what each rule holds, loses and saves. No model.

The real controller plans, observes and keeps its ledger; only the rollouts are drawn from a policy
of which the truth is known. Every solution is drawn whole, then the plan decides what of it would
have been seen, so that what was skipped or cut can be told.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from masa_control import (
    AuditedGateSettings,
    CalibratedCutoffSettings,
    Completion,
    Controller,
    ControlSettings,
    CutoffOff,
    Episode,
    ExpertSettings,
    FixedCutoffSettings,
    FixedStart,
    GateOff,
    Ledger,
    MetaRollout,
    Plan,
    Problem,
    SolutionRollout,
    StaticGateSettings,
)
from masa_rewards import MetaPrediction, MetaPrompt, Verdict

BATCH, STEPS, START, G, M, LIMIT = 64, 120, 20, 8, 4, 4096
WINDOW = 10
TARGET, ALPHA = 0.85, 0.05
RIGHT = Verdict(status="correct", answer="4")
WRONG = Verdict(status="incorrect", answer="5")
PROMPT = MetaPrompt(min_length=1, max_length=LIMIT)


def always_zero(_t: float) -> float:
    return 0.0


def always_one(_t: float) -> float:
    return 1.0


@dataclass(frozen=True)
class SimulatedPolicy:
    """A policy, by step: t goes from 0 to 1.

    Attributes:
        ability: in logits; a problem of difficulty d is solved with chance 1 / (1 + exp(d - a)).
        length: factor of the length of its solutions.
        lag: steps that its idea of itself lies behind.
        sharp: how much more certain predictions are than they should be; 1: not at all.
    """

    ability: Callable[[float], float] = always_zero
    length: Callable[[float], float] = always_one
    lag: int = 0
    sharp: Callable[[float], float] = always_one


def ramp_length(t: float) -> float:
    return 1 + 0.6 * min(1.0, max(0.0, 6 * t - 2))


SIMULATED_POLICIES = {
    "at rest": SimulatedPolicy(),
    "learns, 15 steps behind": SimulatedPolicy(ability=lambda t: 8 * t - 4, lag=15),
    "over-confident, middle third": SimulatedPolicy(
        sharp=lambda t: 2.5 if 1 / 3 < t < 2 / 3 else 1.0
    ),
    "lengths grow by 0.6, 30 steps behind": SimulatedPolicy(length=ramp_length, lag=30),
    "lengths shrink by as much, 30 steps behind": SimulatedPolicy(
        length=lambda t: 1 / ramp_length(t), lag=30
    ),
}


class DrawnProblem(NamedTuple):
    """A problem of a step and all that its solutions would come to."""

    lengths: list[int]
    right: list[bool]
    predictions: list[MetaPrediction]


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def draw_problem(world: SimulatedPolicy, step: int, rng: np.random.Generator) -> DrawnProblem:
    now, then = step / STEPS, max(0, step - world.lag) / STEPS
    difficulty, own = rng.normal(0, 5), rng.normal(0, 0.25)
    right = rng.random(G) < sigmoid(world.ability(now) - difficulty)
    # Hard problems take longer, wrong solutions run longer, and some never come to an end.
    base = 400 * math.exp(0.05 * difficulty + own)
    spread = np.exp(rng.normal(0, 0.3, G) + np.where(right, 0.0, rng.exponential(0.5, G)))
    lengths = np.clip(np.ceil(base * world.length(now) * spread), 1, LIMIT).astype(int)
    right &= lengths < LIMIT
    # The policy knows its problems to 0.5 logits and 15 %, its M answers differ by as much.
    believed = world.sharp(now) * (world.ability(then) - difficulty + rng.normal(0, 0.5))
    rates = np.rint(8 * sigmoid(believed + rng.normal(0, 0.5, M))) / 8
    guess = base * world.length(then) * math.exp(rng.normal(0, 0.15))
    guesses = np.clip(np.rint(guess * np.exp(rng.normal(0, 0.15, M))), 1, LIMIT).astype(int)
    predictions = [
        MetaPrediction.model_construct(pass_rate=float(p), length=int(n), notions=(), missing={})
        for p, n in zip(rates, guesses, strict=True)
    ]
    return DrawnProblem(lengths.tolist(), right.tolist(), predictions)


def make_solutions(drawn: DrawnProblem, max_tokens: int, cut_is: Any) -> Iterable[SolutionRollout]:
    for length, right in zip(drawn.lengths, drawn.right, strict=True):
        cut = length > max_tokens
        made = Completion(range(min(length, max_tokens)), "", cut or length == LIMIT)  # type: ignore[arg-type]
        verdict = RIGHT if right and not cut else WRONG
        yield SolutionRollout(made, verdict, cut_is if cut and max_tokens < LIMIT else None)


def make_episode(name: str, drawn: DrawnProblem, plan: Plan | None, cut_is: Any) -> Episode:
    made: tuple[SolutionRollout, ...] = ()
    if plan is None or plan.solve:
        made = tuple(make_solutions(drawn, LIMIT if plan is None else plan.max_tokens, cut_is))
    rewards = [s.reward for s in made if s.reward is not None]
    empty = Completion((), "", False)
    return Episode(
        problem=Problem(id=name, text="?", answer="4"),
        meta_prompt_ids=(),
        solution_prompt_ids=(),
        meta=tuple(MetaRollout(empty, p, None) for p in drawn.predictions),
        solutions=made,
        pass_rate=statistics.fmean(rewards) if rewards else None,
        plan=plan,
    )


@dataclass
class TrueCounts:
    """What really happened since the start step, by step where windows are asked for."""

    flagged: list[int] = field(default_factory=list)
    rightly: list[int] = field(default_factory=list)
    correct: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    agree: int = 0
    found: int = 0
    problems: int = 0
    skipped: int = 0
    tokens: int = 0
    saved: int = 0
    audit_tokens: int = 0
    cut: int = 0
    cut_rightly: int = 0
    wrong: int = 0
    unknown: int = 0
    solved: int = 0
    errors: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    def add(self, drawn: DrawnProblem, episode: Episode) -> None:
        """Take in what a plan did, beside what would have been."""
        plan = episode.plan
        assert plan is not None
        total, share = sum(drawn.lengths), sum(drawn.right) / G
        self.problems += 1
        self.tokens += total
        self.agree += share in (0, 1)
        if plan.gate is not None and plan.gate.skip:
            right = share == (1.0 if plan.gate.reason == "trivial" else 0.0)
            self.flagged[-1] += 1
            self.rightly[-1] += right
            self.found += right
            self.skipped += not plan.gate_audited
            if plan.gate_audited:
                self.audit_tokens += total
            else:
                self.saved += total
        elif plan.cutoff is not None:
            self._cutoff(drawn, episode, plan, share)

    def _cutoff(self, drawn: DrawnProblem, episode: Episode, plan: Plan, share: float) -> None:
        assert plan.cutoff is not None
        for length, right in zip(drawn.lengths, drawn.right, strict=True):
            beyond = max(0, length - plan.cutoff.max_tokens)
            self.correct[-1] += right
            self.wrong += not right
            self.cut += beyond > 0
            self.cut_rightly += beyond > 0 and not right
            if plan.cutoff_audited:
                self.audit_tokens += beyond
            else:
                self.lost[-1] += beyond > 0 and right
                self.saved += beyond
        self.solved += 1
        self.unknown += episode.pass_rate is None
        if episode.pass_rate is not None:
            self.errors.append(episode.pass_rate - share)
        true = [n for n, right in zip(drawn.lengths, drawn.right, strict=True) if right]
        if true and episode.correct_lengths:
            self.ratios.append(max(episode.correct_lengths) / max(true))


@cache
def draw_run(name: str, seed: int) -> list[list[DrawnProblem]]:
    """The problems of a whole run: the same for every rule."""
    rng = np.random.default_rng(seed)
    return [
        [draw_problem(SIMULATED_POLICIES[name], step, rng) for _ in range(BATCH)]
        for step in range(1, STEPS + 1)
    ]


def simulate_run(
    world: str, settings: ControlSettings, seed: int, cut_is: Any
) -> tuple[TrueCounts, Ledger]:
    controller, ledger, truth = Controller(settings, PROMPT, seed=seed), Ledger(), TrueCounts()
    for step, problems in enumerate(draw_run(world, seed), start=1):
        planner = controller.planner(step)
        for column in (truth.flagged, truth.rightly, truth.correct, truth.lost):
            column.append(0)
        episodes = []
        for k, drawn in enumerate(problems):
            name = f"{step}.{k}"
            plan = None if planner is None else planner.plan(name, drawn.predictions, LIMIT)
            episodes.append(make_episode(name, drawn, plan, cut_is))
            if plan is not None:
                truth.add(drawn, episodes[-1])
                ledger.observe(episodes[-1])
        controller.observe(episodes, step)
    return truth, ledger


# -- figures ---------------------------------------------------------------------------------------


def safe_ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def window_shares(parts: Sequence[int], wholes: Sequence[int], least: int) -> list[float]:
    """Shares of windows of steps, of those that hold enough to tell."""
    starts = range(START, STEPS, WINDOW)
    sums = [(sum(parts[a : a + WINDOW]), sum(wholes[a : a + WINDOW])) for a in starts]
    return [part / whole for part, whole in sums if whole >= least]


def compare_estimate(ledger: Ledger, name: str, true: float) -> dict[str, float | None]:
    """What the ledger says of the tokens saved, as a share of the truth, and whether it covers."""
    metrics = ledger.metrics()
    value = metrics.get(f"ledger/{name}_tokens_saved")
    if value is None or not true:
        return {"estimate / truth": None, "covered": None}
    low, high = (metrics[f"ledger/{name}_tokens_saved{end}"] for end in ("_low", "_high"))
    return {"estimate / truth": value / true, "covered": float(low <= true <= high)}


def f1_score(precision: float | None, recall: float | None) -> float | None:
    if not precision or not recall:
        return None
    return 2 * precision * recall / (precision + recall)


def gate_metrics(truth: TrueCounts, ledger: Ledger) -> dict[str, float | None]:
    held = window_shares(truth.rightly, truth.flagged, 10)
    precision = safe_ratio(sum(truth.rightly), sum(truth.flagged))
    recall = safe_ratio(truth.found, truth.agree)
    low, high = (ledger.metrics().get(f"ledger/gate_precision{e}") for e in ("_low", "_high"))
    known = precision is not None and low is not None and high is not None
    return {
        "precision": precision,
        f"windows below {TARGET}": safe_ratio(sum(p < TARGET for p in held), len(held)),
        "worst window": min(held, default=None),
        "recall": recall,
        "F1": f1_score(precision, recall),
        "skipped": safe_ratio(truth.skipped, truth.problems),
        "tokens saved": safe_ratio(truth.saved, truth.tokens),
        "audits cost": safe_ratio(truth.audit_tokens, truth.tokens),
        "precision covered": float(low <= precision <= high) if known else None,
        **compare_estimate(ledger, "gate", truth.saved),
    }


def cutoff_metrics(truth: TrueCounts, ledger: Ledger) -> dict[str, float | None]:
    held = window_shares(truth.lost, truth.correct, 100)
    precision, recall = (
        safe_ratio(truth.cut_rightly, truth.cut),
        safe_ratio(truth.cut_rightly, truth.wrong),
    )
    return {
        "correct lost": safe_ratio(sum(truth.lost), sum(truth.correct)),
        "worst window": max(held, default=None),
        f"windows above {1.5 * ALPHA:g}": safe_ratio(sum(p > 1.5 * ALPHA for p in held), len(held)),
        "precision": precision,
        "recall": recall,
        "F1": f1_score(precision, recall),
        "tokens saved": safe_ratio(truth.saved, truth.tokens),
        "audits cost": safe_ratio(truth.audit_tokens, truth.tokens),
        **compare_estimate(ledger, "cutoff", truth.saved),
    }


def target_metrics(truth: TrueCounts, _: Ledger) -> dict[str, float | None]:
    return {
        "pass rate - truth": statistics.fmean(truth.errors),
        "its absolute error": statistics.fmean(map(abs, truth.errors)),
        "longest correct / truth": statistics.fmean(truth.ratios),
        "groups without a pass rate": safe_ratio(truth.unknown, truth.solved),
    }


def combined_metrics(truth: TrueCounts, ledger: Ledger) -> dict[str, float | None]:
    metrics = ledger.metrics()
    gate, cutoff = gate_metrics(truth, ledger), cutoff_metrics(truth, ledger)
    return {
        "gate precision": gate["precision"],
        "gate recall": gate["recall"],
        "recall by the ledger": metrics.get("ledger/gate_recall"),
        "skipped": gate["skipped"],
        "correct lost": cutoff["correct lost"],
        "tokens saved": cutoff["tokens saved"],
        "audits cost": gate["audits cost"],
    }


def make_rules(**chosen: Any) -> ControlSettings:
    """Only what is named decides, from the start step on."""
    nothing = {"gate": GateOff(), "cutoff": CutoffOff(), "experts": ExpertSettings(batch=0)}
    return ControlSettings(**{**nothing, "schedule": FixedStart(start=START), **chosen})


def make_audited_gate(epsilon: float, precision: float = TARGET) -> ControlSettings:
    return make_rules(gate=AuditedGateSettings(precision=precision, audit=epsilon))


def make_static_gate(epsilon: float = 0.1, **settings: float) -> ControlSettings:
    return make_rules(gate=StaticGateSettings(audit=epsilon, **settings))


def make_fixed_cutoff(margin: float, epsilon: float = 0.1) -> ControlSettings:
    return make_rules(cutoff=FixedCutoffSettings(margin=margin, audit=epsilon))


def make_calibrated_cutoff(epsilon: float) -> ControlSettings:
    return make_rules(cutoff=CalibratedCutoffSettings(cut_share=ALPHA, audit=epsilon))


GATES = {
    "paper, mean exactly 0 or 1": make_static_gate(),
    "paper, tolerance 0.05": make_static_gate(tolerance=0.05),
    "audited, target 0.85, ε 0.05": make_audited_gate(0.05),
    "audited, target 0.85, ε 0.1": make_audited_gate(0.1),
    "audited, target 0.9, ε 0.1": make_audited_gate(0.1, 0.9),
}
CUTOFFS = {
    "paper, margin 2": make_fixed_cutoff(2.0),
    "margin 1.5": make_fixed_cutoff(1.5),
    "margin 1": make_fixed_cutoff(1.0),
    "calibrated, α 0.05, ε 0.05": make_calibrated_cutoff(0.05),
    "calibrated, α 0.05, ε 0.2": make_calibrated_cutoff(0.2),
}
TARGETS = {
    "paper, margin 2": make_fixed_cutoff(2.0, 0.0),
    "margin 1": make_fixed_cutoff(1.0, 0.0),
    "calibrated, α 0.05": make_calibrated_cutoff(0.1),
}
COMBINATIONS = {
    "paper's rules, margin 2": make_rules(
        gate=StaticGateSettings(audit=0), cutoff=FixedCutoffSettings(audit=0)
    ),
    "audited, target 0.85, calibrated, α 0.05": make_rules(
        gate=AuditedGateSettings(precision=TARGET, audit=0.1),
        cutoff=CalibratedCutoffSettings(cut_share=ALPHA, audit=0.1),
    ),
}


# -- tables ----------------------------------------------------------------------------------------


def format_cell(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    mean = statistics.fmean(known)
    spread = statistics.stdev(known) if len(known) > 1 else 0.0
    return f"{mean:.3f} ±{spread:.3f}"


def print_table(
    title: str,
    worlds: Sequence[str],
    rules: dict[str, ControlSettings],
    figures: Callable[[TrueCounts, Ledger], dict[str, float | None]],
    seeds: int,
    cut_is: Any = "unknown",
) -> None:
    for number, world in enumerate(worlds):
        for rule, settings in rules.items():
            runs = [figures(*simulate_run(world, settings, s, cut_is)) for s in range(seeds)]
            if not number and rule == next(iter(rules)):
                print(f"\n{title}\n\n| policy | rule | {' | '.join(runs[0])} |")
                print("|---" * (2 + len(runs[0])) + "|")
            cells = (format_cell([figure[name] for figure in runs]) for name in runs[0])
            print(f"| {world} | {rule} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    rest, learns, sure, longer, shorter = SIMULATED_POLICIES
    print(
        f"{STEPS} steps of {BATCH} problems, G = {G}, M = {M}, start after {START}; {seeds} seeds"
    )
    print_table("Gate", [rest, learns, sure], GATES, gate_metrics, seeds)
    print_table("Cutoff", [rest, longer, shorter], CUTOFFS, cutoff_metrics, seeds)
    for cut_is in ("unknown", "wrong"):
        print_table(f"Targets, cut_is {cut_is}", [rest], TARGETS, target_metrics, seeds, cut_is)
    print_table("Both, while it learns", [learns], COMBINATIONS, combined_metrics, seeds)


if __name__ == "__main__":
    main()
