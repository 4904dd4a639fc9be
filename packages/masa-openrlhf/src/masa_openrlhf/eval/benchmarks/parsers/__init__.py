"""From a row to an item: one function a form of data. Each raises ``RowError`` for a bad row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class RowError(ValueError):
    """A row that cannot be asked, and why."""


def read_text(row: Mapping[str, Any], key: str) -> str:
    """Return a text, or a number as text, without white space around it.

    Raises:
        FormError: it is blank, or no text.
    """
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise RowError(f"{key} is no text: {value!r:.60}")
    stripped = str(value).strip()
    if not stripped:
        raise RowError(f"{key} is blank")
    return stripped


def read_id(row: Mapping[str, Any], key: str | None, number: int) -> str:
    """Return the row's own id where it has one, else its number."""
    value = row.get(key) if key else None
    if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
        return str(value).strip()
    return str(number)
