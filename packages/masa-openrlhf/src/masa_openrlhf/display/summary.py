"""Figures of a whole run, from its lines of metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from masa_control import ConfusionCounts
from masa_rewards.statistics import Interval, mean_known

TOKENS_SAVED = "tokens saved"
"""Not a metric of its own: the sum of what gate and cutoff saved."""

_CHANGE_METRICS: tuple[tuple[str, str, str], ...] = (
    ("Solutions right (pass@1)", "solution/pass_rate", ".3f"),
    ("Correlation of predicted and true pass rate", "meta/pass_rate_correlation", "+.3f"),
    ("Correlation of predicted and true length", "meta/length_correlation", "+.3f"),
    ("Meta reward", "meta/reward", ".3f"),
    ("  of it: length", "meta/reward_length", ".3f"),
    ("  difficulty", "meta/reward_difficulty", ".3f"),
    ("  notion", "meta/reward_notion", ".3f"),
)


class MetricChange(NamedTuple):
    """How a metric moved over a run.

    Attributes:
        title: what it is.
        first: mean over the first fifth of the steps; None where no step has it.
        last: mean over the last fifth, likewise.
        form: how it is written.
    """

    title: str
    first: float | None
    last: float | None
    form: str


def compare_fifths(rows: Sequence[dict[str, Any]]) -> list[MetricChange]:
    """Compare the first fifth of a run's steps with the last (at least one step each)."""
    size = max(1, len(rows) // 5)
    return [
        MetricChange(title, _mean_metric(rows[:size], key), _mean_metric(rows[-size:], key), form)
        for title, key, form in _CHANGE_METRICS
        if any(key in row for row in rows)
    ]


def _mean_metric(rows: Sequence[dict[str, Any]], key: str) -> float | None:
    return mean_known(row.get(key) for row in rows)


_DECISIONS = ("gate", "cutoff", "waves")


def sum_tokens_saved(row: dict[str, Any]) -> float | None:
    """Return what gate, cutoff and waves have saved up to a line, tokens; None before they do."""
    found = [row.get(f"ledger/{name}_tokens_saved") for name in _DECISIONS]
    known = [value for value in found if value is not None]
    return sum(known) if known else None


def count_decisions_after(
    confusion: Sequence[Mapping[str, Any]], name: str, first: int
) -> ConfusionCounts:
    """Return the tally of "gate", "cutoff" or "waves" over the steps after step ``first``.

    Args:
        confusion: lines of confusion.jsonl, which count from the start of the run.
        name: "gate", "cutoff" or "waves".
        first: the last step that is not counted; 0: all are.
    """
    rows = [row for row in confusion if name in row]
    if not rows:
        return ConfusionCounts()
    before = [row for row in rows if row["step"] <= first]
    return ConfusionCounts(**rows[-1][name]) - (
        ConfusionCounts(**before[-1][name]) if before else ConfusionCounts()
    )


def summarise_decisions(
    rows: Sequence[dict[str, Any]], confusion: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Say what gate, cutoff and waves did over the last half of the steps, and what the run saved.

    Args:
        rows: lines of metrics.jsonl.
        confusion: lines of confusion.jsonl.
    """
    if not rows or sum_tokens_saved(rows[-1]) is None:
        return []
    half = len(rows) // 2
    share = _mean_metric(rows[half:], "gate/skipped")
    cut = _mean_metric(rows[half:], "cutoff/cut")
    lines = ["Over the last half of the steps (95 % intervals, from audits):"]
    for name, what, amount in (
        ("gate", "problems skipped", share),
        ("cutoff", "solutions cut", cut),
        ("waves", "groups stopped", _mean_metric(rows[half:], "waves/stopped")),
    ):
        if amount is not None:
            tally = count_decisions_after(confusion, name, rows[half - 1]["step"] if half else 0)
            lines.append(
                f"  {what} {amount:.1%}; precision {_format_interval(tally.precision)}, recall "
                f"{_format_interval(tally.recall)}, F1 {_format_interval(tally.f1)}"
            )
    return [*lines, _summarise_savings(rows[-1])]


def summarise_held_out(evals: Sequence[dict[str, Any]]) -> list[str]:
    """Say how held-out problems went, first and last.

    Nothing is skipped there, so the correlations are over all kinds of problems; those of a step
    are over the ones that were rolled out, which a gate makes alike.
    """
    scored = [row for row in evals if "pass_at_1" in row]
    if len(scored) < 2:
        return []
    first, last = scored[0], scored[-1]
    lines = [
        f"Held-out problems: pass@1 {first['pass_at_1']:.3f} before step {first['step'] + 1}, "
        f"{last['pass_at_1']:.3f} after step {last['step']}"
    ]
    for what in ("pass_rate", "length"):
        key = f"meta/{what}_correlation"
        if key in last:
            before = f"{first[key]:+.3f}, then " if key in first else ""
            name = what.replace("_", " ")
            lines.append(f"  correlation of predicted and true {name}: {before}{last[key]:+.3f}")
    return lines


def _summarise_savings(row: dict[str, Any]) -> str:
    parts = []
    for name in _DECISIONS:
        key = f"ledger/{name}_tokens_saved"
        if key in row:
            low, high = row.get(f"{key}_low"), row.get(f"{key}_high")
            ends = "" if low is None or high is None else f" [{low:,.0f}, {high:,.0f}]"
            by = name if name == "waves" else f"the {name}"
            parts.append(f"{row[key]:,.0f}{ends} by {by}")
    made = row.get("ledger/meta_tokens", 0.0) + row.get("ledger/solution_tokens", 0.0)
    total = sum_tokens_saved(row) or 0.0
    share = total / (made + total) if made + total else 0.0
    return f"Tokens saved in the run: {', '.join(parts)}; {share:.0%} of what would have been made"


def _format_interval(interval: Interval) -> str:
    if interval.value is None:
        return "unknown"
    return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
