"""The columns of a run's table: headings, metrics, formats, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

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
"""The columns of a run, as they stand from left to right."""
EFFICIENT_COLUMNS: tuple[tuple[str, str, str], ...] = (
    *COLUMNS[:4],
    ("skipped", "gate/skipped", ".0%"),
    ("gate F1", "ledger/gate_f1", ".2f"),
    ("cut", "cutoff/cut", ".0%"),
    ("cutoff F1", "ledger/cutoff_f1", ".2f"),
    ("saved tok.", TOKENS_SAVED, ",.0f"),
    *COLUMNS[-3:],
)
"""The columns of a run whose predictions decide."""

PRIORITY = (
    *("pass@1", "predicted", "skipped", "correl.", "meta reward", "saved tok.", "s/step", "cut"),
    *("gate F1", "cutoff F1", "solution tok.", "meta tok.", "notion", "difficulty", "length"),
)
"""Headings, what matters most first: where the terminal is narrow, the last ones are left out."""

_LEGEND = {
    "pass@1": "share of solutions that are right",
    "predicted": "what the model said it would be",
    "correl.": "how well the two agree over the step's problems",
    "meta reward": "what predictions earned, the mean of length, difficulty and notion",
    "skipped": "problems not rolled out",
    "cut": "solutions given up",
    "gate F1": "of the run so far, from audits, with its 95 % interval where there is room",
    "saved tok.": "of the run so far, from audits",
}
_GAP = 2


class ShownTable(NamedTuple):
    """What of a run's table has room.

    Attributes:
        headings: of the columns, "step" first.
        rows: the cells, a row a step.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def fit_table(
    rows: Sequence[dict[str, Any]], columns: Sequence[tuple[str, str, str]], width: int
) -> ShownTable:
    """Choose what of a table is shown: first intervals are left out, then columns by ``PRIORITY``.

    Args:
        rows: the steps.
        columns: heading, key and format of each.
        width: of the terminal, columns of text.
    """
    left_out = [heading for heading in reversed(PRIORITY) if heading in {c[0] for c in columns}]
    kept, intervals = list(columns), True
    while True:
        table = _lay_out(rows, kept, intervals=intervals)
        if _measure_table(table) <= width or len(kept) <= 1:
            return table
        if intervals:
            intervals = False
        else:
            heading = left_out.pop(0)
            kept = [column for column in kept if column[0] != heading]


def _lay_out(
    rows: Sequence[dict[str, Any]], columns: Sequence[tuple[str, str, str]], *, intervals: bool
) -> ShownTable:
    return ShownTable(
        ("step", *(heading for heading, _, _ in columns)),
        tuple(
            (
                str(row["step"]),
                *(format_cell(row, key, form, interval=intervals) for _, key, form in columns),
            )
            for row in rows
        ),
    )


def _measure_table(table: ShownTable) -> int:
    lines = zip(table.headings, *table.rows, strict=True)
    return sum(max(map(len, column)) + _GAP for column in lines) - _GAP


def describe_columns(headings: Sequence[str]) -> str:
    """Return what the columns that are shown mean."""
    said = [f"{heading}: {_LEGEND[heading]}" for heading in headings if heading in _LEGEND]
    if any(heading.endswith("tok.") for heading in headings):
        said.append("tok.: tokens made")
    return " · ".join(said)


def format_cell(row: dict[str, Any], key: str, form: str, *, interval: bool = True) -> str:
    """Return a metric of a step; a dash where it is missing.

    Args:
        row: the step's metrics.
        key: the metric.
        form: how it is written.
        interval: whether to write its interval too, where it has one.
    """
    value = sum_tokens_saved(row) if key == TOKENS_SAVED else row.get(key)
    if value is None:
        return "–"
    low, high = row.get(f"{key}_low"), row.get(f"{key}_high")
    has_ends = interval and low is not None and high is not None
    ends = f" [{low:{form}}-{high:{form}}]" if has_ends else ""
    return format(value, form) + ends


def format_line(
    row: dict[str, Any], columns: Sequence[tuple[str, str, str]], steps: str | None
) -> str:
    """Return a step as one line: its number, and each column's heading and value."""
    shown = "  ".join(f"{heading} {format_cell(row, key, form)}" for heading, key, form in columns)
    return f"step {row['step']}{f'/{steps}' if steps else ''}  {shown}"
