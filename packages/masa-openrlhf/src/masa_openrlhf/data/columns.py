"""Which columns of a source hold the statement, the gold answer and the id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from masa_openrlhf.config.sections import DataConfig
from masa_openrlhf.data.errors import DataError
from masa_openrlhf.data.forms import FORMS, GoldPlace, find_form

_LOOKED_AT = 1000
"""Rows whose keys are looked at: a first row may lack what all others have."""

_STATEMENTS = ("prompt", "problem", "question")
_GOLDS = (
    "reward_model.ground_truth.target",
    "reward_model.ground_truth.answer",
    "reward_model.ground_truth",
    "answer",
)
_ID = "id"


class RowColumns(NamedTuple):
    """What of a row is read.

    Attributes:
        form: name of the form it has; "" where columns were named or put together.
        problem: column of the statement, dots for nesting.
        answer: column of the gold answer.
        gold: where in it the gold is.
        id: column of the id; None: the row's number.
    """

    form: str
    problem: str
    answer: str
    gold: GoldPlace
    id: str | None

    def list_top_level(self) -> list[str]:
        """Return the columns that a table has to be read for."""
        named = (self.problem, self.answer, self.id)
        return list(dict.fromkeys(key.partition(".")[0] for key in named if key))


def choose_columns(source: str, rows: Any, config: DataConfig) -> RowColumns:
    """Choose by the settings, then by the forms of known data sets, then by usual names.

    Args:
        source: where the rows are from, for messages.
        rows: at least one.
        config: the keys that are named.

    Raises:
        DataError: a named column is not there, or none is named and none is known.
    """
    columns = list_columns(rows)
    named = (config.problem_key, config.answer_key, config.id_key)
    form = find_form(columns) if named[:2] == (None, None) else None
    identity = _choose_id(source, columns, config.id_key, form.id if form else None)
    if form:
        return RowColumns(form.name, form.problem, form.answer, form.gold, identity)
    problem = _choose_key(source, columns, config.problem_key, _STATEMENTS, "problem")
    answer = _choose_key(source, columns, config.answer_key, _GOLDS, "answer")
    return RowColumns("", problem, answer, "marked", identity)


def list_columns(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Names of all columns that the first rows have, nested ones with dots.

    A column that holds nothing but null is there too; what would be nested in it is not.
    """

    def walk(value: Any, name: str) -> Iterable[str]:
        yield name
        if isinstance(value, Mapping):
            for key, inner in value.items():
                yield from walk(inner, f"{name}.{key}")

    return list(
        dict.fromkeys(
            found
            for row in islice(rows, _LOOKED_AT)
            for key, value in row.items()
            for found in walk(value, str(key))
        )
    )


def get_nested(row: Any, key: str) -> Any:
    """Return what stands under a key with dots; None where there is nothing."""
    for part in key.split("."):
        row = row.get(part) if isinstance(row, Mapping) else None
    return row


def _choose_key(
    source: str, columns: Sequence[str], given: str | None, usual: Sequence[str], what: str
) -> str:
    if given is not None:
        _require_column(source, columns, given, what)
        return given
    for key in usual:
        if key in columns:
            return key
    known = ", ".join(sorted({form.name for form in FORMS}))
    raise DataError(
        f"{source} has none of the columns {', '.join(usual)}; it has {', '.join(columns)}. "
        f"Name the one that holds the {what}: data.{what}_key (known are the forms {known})"
    )


def _choose_id(
    source: str, columns: Sequence[str], given: str | None, usual: str | None
) -> str | None:
    if given:
        _require_column(source, columns, given, "id")
        return given
    if given is not None:
        return None
    return next((key for key in (usual, _ID) if key in columns), None)


def _require_column(source: str, columns: Sequence[str], key: str, what: str) -> None:
    if key not in columns:
        raise DataError(
            f"{source} has no column {key!r} (data.{what}_key); it has {', '.join(columns)}"
        )
