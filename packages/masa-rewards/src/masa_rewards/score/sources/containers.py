"""Rows out of JSON lines, a JSON array, or parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from masa_rewards.score.sources.logged import FormError

PARQUET_MAGIC = b"PAR1"


def is_parquet(head: bytes) -> bool:
    """Whether a file that begins with these bytes is parquet."""
    return head.startswith(PARQUET_MAGIC)


def read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    """Read a parquet file's rows, a batch at a time.

    Raises:
        FormError: pyarrow is not installed, or the file is damaged.
    """
    if find_spec("pyarrow") is None:
        raise FormError(
            f"{path} is a parquet file, which needs pyarrow to be read, and that is not installed: "
            "pip install 'masa-rewards[parquet]' (or pip install pyarrow), or give the rows as "
            "JSON lines"
        )
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                yield from batch.to_pylist()
    except pyarrow.ArrowException as error:
        raise FormError(f"{path} cannot be read as parquet: {error}") from None


def read_array(text: bytes) -> list[dict[str, Any]]:
    """Read a JSON array of objects.

    Raises:
        FormError: It is none.
    """
    try:
        rows = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise FormError(f"begins as a JSON array, and is none: {error}") from None
    if not isinstance(rows, list):
        raise FormError(f"a JSON array of objects is wanted, got a {type(rows).__name__}")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise FormError(f"entry {number} of the array is no object but {row!r:.80}")
    return rows


def try_object(line: bytes) -> dict[str, Any] | None:
    """Return the object that a line of JSON is; None where it is none."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
