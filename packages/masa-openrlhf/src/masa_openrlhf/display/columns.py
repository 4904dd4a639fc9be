"""The columns of a run's table: headings, metrics, formats, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from masa_openrlhf.display.summary import TOKENS_SAVED, sum_tokens_saved

MAX_ROWS = 12

# Heading, key, format. What is left out of a step's metrics shows as a dash.
COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("pass@1", "solution/pass_rate", ".2f"),
    ("predicted", "meta/predicted_pass_rate", ".2f"),
    ("correl.", "meta/pass_rate_correlation", "+.2f"),
    ("meta reward", "meta/reward", ".2f"),
    ("length", "meta/reward_length", ".2f"),
    ("difficulty", "meta/reward_difficulty", ".2f"),
    ("notion", "meta/reward_notion", ".2f"),
    ("meta tok.", "tokens/meta", ",.0f"),
    ("solution tok.", "tokens/solution", ",.0f"),
    ("s/step", "time/step", ".1f"),
)
LEGEND = (
    "pass@1: share of solutions that are right · predicted: what the model said it would be · "
    "correl.: how well the two agree over the step's problems · meta reward: what predictions "
    "earned, the mean of length, difficulty and notion · tok.: tokens made"
)
EFFICIENT_COLUMNS: tuple[tuple[str, str, str], ...] = (
    *COLUMNS[:4],
    ("skipped", "gate/skipped", ".0%"),
    ("gate F1", "ledger/gate_f1", ".2f"),
    ("cut", "cutoff/cut", ".0%"),
    ("cutoff F1", "ledger/cutoff_f1", ".2f"),
    ("saved tok.", TOKENS_SAVED, ",.0f"),
    *COLUMNS[-3:],
)
EFFICIENT_LEGEND = (
    "pass@1: share of solutions that are right · predicted: what the model said it would be · "
    "correl.: how well the two agree · skipped: problems not rolled out, cut: solutions given up "
    "· F1 (with its 95 % interval) and tokens saved: of the run so far, from audits · tok.: tokens "
    "made"
)


def format_cell(row: dict[str, Any], key: str, form: str) -> str:
    """Return a metric of a step, with its interval where it has one; a dash where it is missing."""
    value = sum_tokens_saved(row) if key == TOKENS_SAVED else row.get(key)
    if value is None:
        return "–"
    low, high = row.get(f"{key}_low"), row.get(f"{key}_high")
    ends = f" [{low:{form}}-{high:{form}}]" if low is not None and high is not None else ""
    return format(value, form) + ends


def format_line(
    row: dict[str, Any], columns: Sequence[tuple[str, str, str]], steps: str | None
) -> str:
    """Return a step as one line: its number, and each column's heading and value."""
    shown = "  ".join(f"{heading} {format_cell(row, key, form)}" for heading, key, form in columns)
    return f"step {row['step']}{f'/{steps}' if steps else ''}  {shown}"
