"""Rows of cells as Markdown, means with their intervals, and tables put into pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from masa_rewards.statistics import mean_interval

Rows = Sequence[Sequence[str]]
"""The first row is the head."""


def format_table(rows: Rows) -> str:
    """Return a Markdown table, or "Nothing yet." where there is only a head."""
    if len(rows) < 2:
        return "Nothing yet."
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def format_interval(
    value: float | None, low: float | None, high: float | None, form: str = ".2f"
) -> str:
    """Return "0.80 [0.72, 0.90]", without the brackets where there is no interval.

    Args:
        value: a mean; None gives an empty cell.
        low: lower end of its interval.
        high: upper end.
        form: format of each number.
    """
    if value is None:
        return ""
    ends = "" if low is None or high is None else f" [{low:{form}}, {high:{form}}]"
    return f"{value:{form}}{ends}"


def format_mean(values: Sequence[float], form: str) -> str:
    """Return the mean with Student's t interval of 95 %, empty where there is no value."""
    return format_interval(*mean_interval(values), form)


def fill_tables(page: str, tables: Mapping[str, str]) -> str:
    """Return a page with its tables put in anew.

    Args:
        page: Markdown, for each table with a line `<!-- table: NAME -->` and a line
            `<!-- end of table -->`.
        tables: Markdown by name; those that the page has no place for are left out.

    Raises:
        ValueError: the page has no place for any table, or one for a table that is not given.
    """
    names = re.findall(r"<!-- table: (.*?) -->", page)
    unknown = [name for name in names if name not in tables]
    if not names or unknown:
        raise ValueError(
            f"the page has places for the tables {names}, of which {unknown} are not known: there "
            f"are {sorted(tables)}, each put between <!-- table: NAME --> and <!-- end of table -->"
        )
    return re.sub(
        r"<!-- table: (.*?) -->.*?<!-- end of table -->",
        lambda m: f"<!-- table: {m[1]} -->\n\n{tables[m[1]]}\n\n<!-- end of table -->",
        page,
        flags=re.DOTALL,
    )
