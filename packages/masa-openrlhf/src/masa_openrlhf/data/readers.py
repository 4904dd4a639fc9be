"""Rows of a local file, whatever its form: for problems to train on and for benchmarks alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


class ReadError(ValueError):
    """A file cannot be read as rows; the message names it, and the line or row."""


def read_file(path: Path, what: str = "rows") -> list[Row]:
    """Return the rows of a file, in their order; its form is told by its suffix.

    Args:
        path: a file with one of ``READABLE_SUFFIXES``.
        what: what the rows are, for the message about a file that holds no list of them.

    Raises:
        ReadError: the suffix is another; the file is damaged; it holds no list; or a row is no
            object.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise ReadError(f"{path} is none of {', '.join(READABLE_SUFFIXES)}")
    rows = read(path)
    if not isinstance(rows, list):
        raise ReadError(f"{path} must hold a list of {what}, not a {type(rows).__name__}")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise ReadError(f"{path}, row {number} must be an object, got {row!r:.80}")
    return rows


def _read_parquet(path: Path) -> Any:
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise ReadError(f"{path} cannot be read as parquet: {error}") from error


def _read_json_lines(path: Path) -> Any:
    with open(path, encoding="utf-8") as file:
        return [
            _parse_json(line, f"{path}, line {number}")
            for number, line in enumerate(file, start=1)
            if line.strip()
        ]


def _read_json(path: Path) -> Any:
    return _parse_json(path.read_text(encoding="utf-8"), str(path))


def _parse_json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ReadError(f"{where} is not JSON: {error}") from error


_READERS: dict[str, Callable[[Path], Any]] = {
    ".parquet": _read_parquet,
    ".jsonl": _read_json_lines,
    ".json": _read_json,
}
READABLE_SUFFIXES = tuple(_READERS)
"""Suffixes of the files that can be read."""
