"""What a gate would save, as plain text within 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from masa_rewards.score.gate.savings import GateReport, GateRuleReport, ShareEstimate


def render_gate(gate: GateReport) -> Iterator[str]:
    """Yield the lines of the section; none where there is no group."""
    if not gate.groups:
        return
    yield f"Groups of two rollouts or more: {gate.groups:,}, of {gate.amount:,} {gate.unit}"
    for name, part in (("all right", gate.all_right), ("all wrong", gate.all_wrong)):
        share = format_share(part.share)
        yield f"  {name:<12}{part.groups:>8,} groups  {share:>7} of the {gate.unit}"
    yield f"  a perfect gate, free of cost, would spare {format_share(gate.ceiling)}"
    if gate.ceiling is not None and gate.ceiling < 1:
        yield f"  (ratio {1 - gate.ceiling:.2f} of {gate.unit} per group with variance)"
    if gate.cost is None:
        return
    cost = gate.cost
    about = "about " if gate.unit == "tokens" and cost.amount is not None else ""
    took = "" if cost.amount is None else f": {about}{cost.amount:,} {gate.unit}"
    share = "" if cost.share is None else f", {cost.share:.1%} of what the rollouts took"
    yield from textwrap.wrap(
        f"  {cost.predictions:,} predictions for {cost.groups:,} of the groups{took}{share}",
        80,
        subsequent_indent="    ",
    )
    yield ""
    yield "  rule (std, mean)   skips   precision          recall             ratio"
    for number, rule in enumerate(gate.rules):
        yield _render_rule(rule, cost.groups, is_paper=number == 0)


def render_verdict(gate: GateReport) -> Iterator[str]:
    """Yield the verdict, and what to set for it."""
    verdict = gate.verdict
    yield from textwrap.wrap(
        f"Does a gate pay here? {verdict.answer.upper()}. {verdict.sentence}", 80
    )
    yield from (f"  {line}" for line in verdict.settings)


def _render_rule(rule: GateRuleReport, groups: int, *, is_paper: bool) -> str:
    name = "paper's" if is_paper else f"<{rule.max_std:g} ±{rule.tolerance:g}"
    ratio = "-" if rule.relative_cost is None else f"{rule.relative_cost:.2f}"
    return (
        f"  {name:<17}{rule.skipped / groups:>7.1%}   {format_estimate(rule.precision):<19}"
        f"{format_estimate(rule.recall):<19}{ratio:>5}"
    )


def format_share(share: float | None) -> str:
    """Return a share as a percentage; "-" where it is not defined."""
    return "-" if share is None else f"{share:.1%}"


def format_estimate(estimate: ShareEstimate) -> str:
    """Return a share with its interval; "-" where it is not defined."""
    if estimate.value is None:
        return "-"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"
