"""Rows made into problems: what cannot be one is counted by its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from masa_control import Problem

from masa_openrlhf.config.sections import DataConfig
from masa_openrlhf.data.columns import RowColumns, get_nested
from masa_openrlhf.data.errors import DataError
from masa_openrlhf.data.golds import UnusableRow, is_unicode, read_gold
from masa_openrlhf.data.statements import (
    Instruction,
    find_shared_text,
    parse_instruction,
    read_statement,
    strip_instruction,
)


class ReadProblems(NamedTuple):
    """What was read of rows.

    Attributes:
        problems: each once, in the order of the rows.
        left_out: rows that are no problem, by reason.
        unwrapped: problems that stood within an instruction, which was taken off.
        shared: what all statements begin or end with all the same; "" where there is no such.
    """

    problems: list[Problem]
    left_out: Counter[str]
    unwrapped: int
    shared: str


class _Statement(NamedTuple):
    number: int
    given_id: str
    text: str
    answer: str
    unwrapped: bool


def read_problems(
    source: str, rows: Iterable[Mapping[str, Any]], columns: RowColumns, config: DataConfig
) -> ReadProblems:
    """Read problems from rows.

    Args:
        source: where the rows are from, for messages.
        rows: objects.
        columns: what of them is read.
        config: the limit, and an instruction around the problems.

    Raises:
        DataError: two problems have one id, or the instruction names no place.
    """
    limit, named = config.max_problems, config.instruction
    instruction = None if named is None else parse_instruction(named)
    left_out: Counter[str] = Counter()
    answers: dict[str, str] = {}
    read: list[_Statement] = []
    for number, row in enumerate(rows):
        if limit is not None and len(read) == limit:
            break
        try:
            one = _read_row(row, number, columns, instruction)
        except UnusableRow as reason:
            left_out[str(reason)] += 1
            continue
        if one.text in answers:
            same = answers[one.text] == one.answer
            left_out["repeated" if same else "repeated with another answer"] += 1
            continue
        answers[one.text] = one.answer
        read.append(one)
    ids = _choose_ids(source, read, columns.id)
    problems = [
        Problem(id=name, text=one.text, answer=one.answer)
        for name, one in zip(ids, read, strict=True)
    ]
    shared = find_shared_text([problem.text for problem in problems])
    return ReadProblems(problems, left_out, sum(one.unwrapped for one in read), shared)


def _read_row(
    row: Mapping[str, Any], number: int, columns: RowColumns, instruction: Instruction | None
) -> _Statement:
    whole = read_statement(get_nested(row, columns.problem))
    if not whole:
        raise UnusableRow("no problem")
    if not is_unicode(whole):
        raise UnusableRow("a problem that is no Unicode")
    text = strip_instruction(whole, instruction)
    answer = read_gold(get_nested(row, columns.answer), columns.gold)
    given = get_nested(row, columns.id) if columns.id else None
    name = str(given) if isinstance(given, (str, int)) else ""
    return _Statement(number, name, text, answer, text != whole)


def _choose_ids(source: str, read: list[_Statement], key: str | None) -> list[str]:
    """The ids that are given; the number of its row for a problem that has none."""
    rows: dict[str, int] = {}
    for one in read:
        if one.given_id and one.given_id in rows:
            raise DataError(
                f"{source}, row {one.number + 1}: the id {one.given_id!r} (column {key!r}) is that "
                f"of row {rows[one.given_id] + 1} too, which is another problem. Name another "
                "column by data.id_key, or number the rows by data.id_key = ''"
            )
        rows[one.given_id] = one.number
    return [
        one.given_id or (f"row-{one.number}" if str(one.number) in rows else str(one.number))
        for one in read
    ]
