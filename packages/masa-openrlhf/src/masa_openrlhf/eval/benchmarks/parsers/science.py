"""SciBench: a statement, a number and its unit."""

from __future__ import annotations

import math

from masa_openrlhf.eval.benchmarks.entry import BenchmarkItem, BenchmarkRow
from masa_openrlhf.eval.benchmarks.parsers import RowError, read_text

UNIT_INSTRUCTION = " The answer is to be given in units of {unit}."


def parse_scibench(row: BenchmarkRow, number: int) -> BenchmarkItem:
    """Read a row of SciBench; problem numbers repeat between its books, so both make the id.

    The gold is ``answer_number``: of an answer of 2.57 x 10^11 J, it is 2.57, and the unit
    10^11 J.
    """
    gold = read_text(row, "answer_number").replace("−", "-").replace(",", "")  # 1,200 is 1200
    try:
        value = float(gold)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RowError(f"answer_number is no number: {gold!r:.40}")
    unit = str(row.get("unit") or "").strip()
    book, problem = str(row.get("source") or "").strip(), str(row.get("problemid") or "").strip()
    return BenchmarkItem(
        id=" ".join(part for part in (book, problem, f"#{number}") if part),
        statement=read_text(row, "problem_text")
        + (UNIT_INSTRUCTION.format(unit=unit) if unit else ""),
        gold=gold,
    )
