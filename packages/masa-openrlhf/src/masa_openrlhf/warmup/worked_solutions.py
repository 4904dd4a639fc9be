"""Worked solutions that the data bring along."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from masa_control import Problem

from masa_openrlhf.config.sections import DataConfig
from masa_openrlhf.data.errors import DataError
from masa_openrlhf.data.sources import read_rows

_COLUMN = "solution"
_MARK = "####"
"""What stands between rationale and answer in GSM8K."""

_CALCULATOR = re.compile(r"<<[^<>]*>>")
"""GSM8K's notes to a calculator within a rationale: 48/2 = <<48/2=24>>24."""


def read_worked_solutions(
    source: str, config: DataConfig, key: str | None, problems: Sequence[Problem]
) -> dict[str, str]:
    """Return the worked solutions of problems, by id; a problem without one is not there.

    A row belongs to the problem whose statement stands in it, in whatever column.

    Args:
        source: as data.train names it.
        config: how it is read.
        key: column of the worked solution, dots for nesting; None: 'solution', else what stands
            before '####' in 'answer'.
        problems: those that are wanted.

    Raises:
        DataError: no row has the column that is named.
    """
    ids = {problem.text: problem.id for problem in problems}
    found: dict[str, str] = {}
    named = False
    for row in read_rows(source, config):
        worked = find_worked_solution(row, key)
        named = named or bool(worked)
        if not worked:
            continue
        text = next((text for text in _list_texts(row) if text in ids), None)
        if text is not None:
            found.setdefault(ids[text], worked)
    if key is not None and not named:
        raise DataError(
            f"{source} has no text in a column {key!r} (warmup.solution_key): name another, or "
            "leave it unset"
        )
    return found


def find_worked_solution(row: Mapping[str, Any], key: str | None = None) -> str:
    r"""Return the worked solution of a row; "" where it has none.

    Examples:
        >>> find_worked_solution({"question": "?", "answer": "Half: 4/2 = <<4/2=2>>2.\n#### 2"})
        'Half: 4/2 = 2.'
    """
    worked: Any = row
    for part in (key or _COLUMN).split("."):
        worked = worked.get(part) if isinstance(worked, Mapping) else None
    if isinstance(worked, str) and worked.strip():
        return _drop_answer_mark(worked)
    answer = row.get("answer")
    if key is None and isinstance(answer, str) and _MARK in answer:
        return _drop_answer_mark(answer)
    return ""


def _drop_answer_mark(text: str) -> str:
    rationale = text.rpartition(_MARK)[0] if _MARK in text else text
    return _CALCULATOR.sub("", rationale).strip()


def _list_texts(value: Any) -> Iterator[str]:
    """Every text of a row, however nested, without the space around it."""
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _list_texts(inner)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for inner in value:
            yield from _list_texts(inner)
