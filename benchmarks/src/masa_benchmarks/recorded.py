"""The figures of the benchmark pages: tables as a command printed them, put into their pages.

`python -m masa_benchmarks.recorded` puts the tables of `docs/data/benchmarks.json` into
`docs/reference/benchmarks.md` and `docs/reference/overhead.md`. A table that was measured anew is
changed in the record: with its command, machine and date.
"""

from __future__ import annotations

import json
import sys
from typing import NamedTuple

from masa_benchmarks.markdown import fill_tables, format_table
from masa_benchmarks.paths import ROOT

RECORD = ROOT / "docs" / "data" / "benchmarks.json"
PAGES = {name: ROOT / "docs" / "reference" / f"{name}.md" for name in ("benchmarks", "overhead")}


class RecordedTable(NamedTuple):
    """Figures of one run of a benchmark.

    Attributes:
        page: that shows them, a key of ``PAGES``.
        command: that prints them, in the root of the tree.
        machine: that it ran on.
        date: of the run, as in "2026-11-23".
        columns: heads of the table.
        rows: cells, as printed.
    """

    page: str
    command: str
    machine: str
    date: str
    columns: list[str]
    rows: list[list[str]]


def read_recorded_tables() -> dict[str, RecordedTable]:
    """Return the tables of the record by name."""
    entries = json.loads(RECORD.read_text("utf-8"))
    return {name: RecordedTable(**entry) for name, entry in entries.items()}


def render_recorded_table(table: RecordedTable) -> str:
    """Return a table as Markdown, below it its command, machine and date."""
    caption = f"`{table.command}`, {table.machine}, {table.date}."
    return f"{format_table([table.columns, *table.rows])}\n\n{caption}"


def fill_benchmark_page(name: str) -> str:
    """Return the text of a page with its tables put in anew.

    Args:
        name: a key of ``PAGES``.
    """
    tables = {
        key: render_recorded_table(table)
        for key, table in read_recorded_tables().items()
        if table.page == name
    }
    return fill_tables(PAGES[name].read_text("utf-8"), tables)


def main() -> int:
    """Write the tables of all pages."""
    for name, page in PAGES.items():
        page.write_text(fill_benchmark_page(name), encoding="utf-8")
        print(f"the tables of {page} are those of {RECORD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
