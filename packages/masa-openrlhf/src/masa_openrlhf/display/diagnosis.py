"""What a first step says of a run that will learn nothing, and where its time went.

A model that does not answer in the form that is asked for earns the same for every rollout: groups
have no variance, and advantages are 0. The run goes on without an error, and teaches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MANY = 0.5
"""A share from which on a finding is told."""

NEARLY_ALL = 0.9
"""A share of groups without variance from which on a step teaches next to nothing."""

_PARTS = (
    ("generation", "time/generation"),
    ("scoring", "time/score"),
    ("training", "time/train"),
    ("weights to vLLM", "time/broadcast"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that keeps a run from learning.

    Attributes:
        name: what it is called in the run's events.
        share: of solutions, predictions or groups, in [0, 1].
        message: what it is, and the way out.
    """

    name: str
    share: float
    message: str


def diagnose_step(metrics: Mapping[str, Any]) -> list[Finding]:
    """Return what a step's metrics say against the run.

    Args:
        metrics: a line of metrics.jsonl.
    """
    found = [
        *_find_cut_answers(metrics),
        *_find_missing_answers(metrics),
        *_find_unreadable_predictions(metrics),
        *_find_agreeing_groups(metrics),
    ]
    return [finding for finding in found if finding.share >= MANY]


def _find_cut_answers(metrics: Mapping[str, Any]) -> list[Finding]:
    share = metrics.get("solution/truncated", 0.0)
    message = (
        f"{share:.0%} of solutions were cut at solution.max_tokens: raise it, or ask for shorter "
        "answers in solution.template"
    )
    return [Finding("truncated solutions", share, message)]


def _find_missing_answers(metrics: Mapping[str, Any]) -> list[Finding]:
    share = metrics.get("solution/unparsable", 0.0)
    message = (
        f"{share:.0%} of solutions state no answer in the form that is asked for, and count as "
        "wrong: word solution.template as the model is used to, with examples; read answers "
        "without a box too (--verifier.extraction anchored); or show it the form by "
        "`masa-openrlhf warmup`. docs/guides/warmup.md"
    )
    return [Finding("missing answers", share, message)]


def _find_unreadable_predictions(metrics: Mapping[str, Any]) -> list[Finding]:
    parts = ("pass_rate", "length", "notion")
    shares = [metrics[key] for part in parts if (key := f"meta/unreadable_{part}") in metrics]
    share = sum(shares) / len(shares) if shares else 0.0
    message = (
        f"{share:.0%} of the predictions' parts are unreadable, and earn 0: the model does not "
        "answer the meta prompt in its form (episodes/ has examples). `masa-openrlhf warmup` "
        "shows it the form; --mode grpo trains without predictions. docs/guides/warmup.md"
    )
    return [Finding("unreadable predictions", share, message)]


def _find_agreeing_groups(metrics: Mapping[str, Any]) -> list[Finding]:
    share = metrics.get("solution/no_variance", 0.0)
    if share < NEARLY_ALL:
        return []
    rate = metrics.get("solution/pass_rate", 0.0)
    kind = "too hard: take easier ones" if rate < MANY else "too easy: take harder ones"
    message = (
        f"in {share:.0%} of the groups all solutions are equally right or wrong (pass@1 "
        f"{rate:.2f}), so that the policy learns next to nothing from them: the problems are "
        f"{kind}, or --algorithm dapo, which replaces such groups"
    )
    return [Finding("groups without variance", share, message)]


def describe_step_time(metrics: Mapping[str, Any]) -> str:
    """Return where a step's seconds went; empty where that was not measured."""
    whole = metrics.get("time/step")
    parts = [(name, metrics[key]) for name, key in _PARTS if key in metrics]
    if whole is None or not parts:
        return ""
    rest = whole - sum(seconds for _, seconds in parts)
    told = [f"{name} {seconds:.1f} s" for name, seconds in [*parts, ("other", max(0.0, rest))]]
    return f"step {metrics['step']} took {whole:.1f} s: {', '.join(told)}"
