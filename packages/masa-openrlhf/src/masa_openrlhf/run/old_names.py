"""What 0.1.0 called the files and the metrics of a run: reports read its runs too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from masa_control import ConfusionCounts

OLD_FILES = {"calibration.jsonl": "pairs.jsonl"}
"""File of a run -> what 0.1.0 called it."""

_PREFIXES = {
    "meta/unread_": "meta/unreadable_",
    "ledger/unread_": "ledger/unreadable_",
}

_METRICS = {
    "solution/unjudged": "solution/verifier_failed",
    "experts/taken": "experts/accepted",
    "experts/kept": "experts/stored",
    "hints/good": "hints/eligible",
    "policy/rolled_out": "policy/rolled_out_share",
}


def rename_metrics(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of metrics under today's names, and without sums; today's is as it was."""
    return {_rename_metric(name): value for name, value in row.items() if "_tally_" not in name}


def _rename_metric(name: str) -> str:
    for old, new in _PREFIXES.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return _METRICS.get(name, name)


def extract_confusion(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the line of confusion.jsonl that 0.1.0 wrote into a line of metrics.

    Returns:
        As ``RunFolder.write_confusion`` writes it; without "gate" or "cutoff" where the line has
        none.
    """
    found: dict[str, Any] = {"step": row["step"]}
    for decision in ("gate", "cutoff"):
        prefix = f"ledger/{decision}_tally_"
        sums = {
            f.name: row[prefix + f.name] for f in fields(ConfusionCounts) if prefix + f.name in row
        }
        if sums:
            found[decision] = sums
    return found
