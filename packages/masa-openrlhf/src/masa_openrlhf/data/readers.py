"""Rows of a local file, whatever its form: for problems to train on and for benchmarks alike."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from masa_openrlhf.data.rows import BATCH_ROWS, ArrowRows, Row

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class ReadError(ValueError):
    """A file cannot be read as rows; the message names it, and the line or row."""


def read_file(path: Path, what: str = "rows") -> Sequence[Row]:
    """Return the rows of a file, in their order; its form is told by its suffix.

    A row that is a list of objects, as a pair of messages, is an object with the keys "0", "1", ...

    Args:
        path: a file with one of ``READABLE_SUFFIXES``.
        what: what the rows are, for the message about a file that holds no list of them.

    Raises:
        ReadError: the suffix is another; the file is damaged, or no UTF-8; it holds no list; or a
            row is no object.
    """
    suffix = find_suffix(path)
    if suffix is None:
        raise ReadError(f"{path} is none of {', '.join(READABLE_SUFFIXES)}")
    rows = _READERS[suffix.removesuffix(".gz")](path)
    if isinstance(rows, ArrowRows):
        return rows
    if not isinstance(rows, list):
        raise ReadError(f"{path} must hold a list of {what}, not a {type(rows).__name__}")
    return [_to_object(row, path, number) for number, row in enumerate(rows, start=1)]


def find_suffix(path: Path) -> str | None:
    """Return which of ``READABLE_SUFFIXES`` a file has; None where it has another."""
    name = path.name.lower()
    return next((suffix for suffix in READABLE_SUFFIXES if name.endswith(suffix)), None)


def _to_object(row: Any, path: Path, number: int) -> Row:
    if isinstance(row, Mapping):
        return row
    if isinstance(row, list) and row and all(isinstance(part, Mapping) for part in row):
        return {str(place): part for place, part in enumerate(row)}
    raise ReadError(f"{path}, row {number} must be an object, got {row!r:.80}")


# -- tables ----------------------------------------------------------------------------------------


def _read_parquet(path: Path) -> ArrowRows:
    import pyarrow
    import pyarrow.parquet

    def list_batches(columns: Sequence[str] | None) -> Iterator[Any]:
        try:
            with pyarrow.parquet.ParquetFile(path) as opened:
                chosen = _choose_names(opened.schema_arrow.names, columns)
                yield from opened.iter_batches(BATCH_ROWS, columns=chosen)
        except (pyarrow.ArrowException, OSError) as error:
            raise ReadError(f"{path} cannot be read as parquet: {error}") from error

    try:
        count = pyarrow.parquet.read_metadata(path).num_rows
    except (pyarrow.ArrowException, OSError) as error:
        raise ReadError(f"{path} cannot be read as parquet: {error}") from error
    return ArrowRows(count, list_batches)


def _read_csv(path: Path) -> ArrowRows:
    """Columns are text as it stands: read as numbers, 007 and 1.50 would be others."""
    import pyarrow
    from pyarrow import csv

    content, parse = _read_text(path).encode(), csv.ParseOptions(newlines_in_values=True)
    try:
        names = csv.open_csv(io.BytesIO(content), parse_options=parse).schema.names
        text = csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.string()))
        table = csv.read_csv(io.BytesIO(content), parse_options=parse, convert_options=text)
    except pyarrow.ArrowException as error:
        raise ReadError(f"{path} cannot be read as CSV: {error}") from error
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ReadError(f"{path}: its first line names the column {twice[0]!r} twice")

    def list_batches(columns: Sequence[str] | None) -> Iterator[Any]:
        chosen = table.select(_choose_names(table.column_names, columns))
        yield from chosen.to_batches(max_chunksize=BATCH_ROWS)

    return ArrowRows(table.num_rows, list_batches)


def _choose_names(there: Sequence[str], wanted: Sequence[str] | None) -> list[str]:
    """Of the columns that are there those that are wanted: a shard may lack one."""
    return [name for name in there if wanted is None or name in wanted]


# -- JSON ------------------------------------------------------------------------------------------


def _read_json_lines(path: Path) -> Any:
    text = _read_text(path)
    try:
        return _parse_lines(text, path)
    except ReadError:
        if not text.lstrip().startswith("["):
            raise
        try:
            return json.loads(text)  # a list under the name of lines
        except (ValueError, RecursionError):
            pass
        raise


def _read_json(path: Path) -> Any:
    text = _read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if not text.lstrip().startswith("{"):
            raise ReadError(f"{path} is not JSON: {error}") from error
    return _parse_lines(text, path)  # lines under the name of a list


def _parse_lines(text: str, path: Path) -> list[Any]:
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):  # splitlines would split at U+2028
        if line.strip():
            try:
                rows.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise ReadError(f"{path}, line {number} is not JSON: {error}") from error
    return rows


def _read_text(path: Path) -> str:
    """Return a text file's content, unpacked, without a byte order mark."""
    content = path.read_bytes()
    if path.name.lower().endswith(".gz"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ReadError(f"{path} cannot be read as gzip: {error}") from error
    if content.startswith(_UTF16):
        raise ReadError(
            f"{path} is UTF-16, and must be UTF-8: `iconv -f UTF-16 -t UTF-8` converts it"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ReadError(
            f"{path}, line {line}: the byte 0x{content[error.start]:02x} is not UTF-8; if the file "
            "was written on Windows, `iconv -f WINDOWS-1252 -t UTF-8` converts it"
        ) from error


_READERS: dict[str, Callable[[Path], Any]] = {
    ".parquet": _read_parquet,
    ".jsonl": _read_json_lines,
    ".json": _read_json,
    ".csv": _read_csv,
}
READABLE_SUFFIXES = (*_READERS, ".jsonl.gz", ".json.gz", ".csv.gz")
"""Suffixes of the files that can be read."""
