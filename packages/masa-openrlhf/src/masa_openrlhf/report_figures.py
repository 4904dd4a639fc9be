"""Figures of a whole run, from its lines of metrics."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

_SHOWN: tuple[tuple[str, str, str], ...] = (
    ("Solutions right (pass@1)", "solution/pass_rate", ".3f"),
    ("Correlation of predicted and true pass rate", "meta/pass_rate_correlation", "+.3f"),
    ("Correlation of predicted and true length", "meta/length_correlation", "+.3f"),
    ("Meta reward", "meta/reward", ".3f"),
    ("  of it: length", "meta/reward_length", ".3f"),
    ("  difficulty", "meta/reward_difficulty", ".3f"),
    ("  notion", "meta/reward_notion", ".3f"),
)


class Change(NamedTuple):
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


def fifths(rows: Sequence[dict[str, Any]]) -> list[Change]:
    """Compare the first fifth of a run's steps with the last (at least one step each)."""
    size = max(1, len(rows) // 5)
    return [
        Change(title, _mean(rows[:size], key), _mean(rows[-size:], key), form)
        for title, key, form in _SHOWN
        if any(key in row for row in rows)
    ]


def _mean(rows: Sequence[dict[str, Any]], key: str) -> float | None:
    values = [row[key] for row in rows if key in row]
    return statistics.fmean(values) if values else None
