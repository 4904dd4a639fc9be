"""The rows of a benchmark: from a local file in its hub's form, else from the hub."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from masa_openrlhf.data.readers import READABLE_SUFFIXES, ReadError, read_file
from masa_openrlhf.eval.benchmarks.entry import Benchmark, BenchmarkRow
from masa_openrlhf.eval.errors import EvalError


def find_file(benchmark: Benchmark, folder: Path | None) -> Path | None:
    """Return the local file of a benchmark: one of its names, or NAME.parquet, .jsonl, .json.

    Raises:
        EvalError: the folder is none.
    """
    if folder is None:
        return None
    if not folder.is_dir():
        raise EvalError(f"--data {str(folder)!r} is not a folder")
    names = (*benchmark.source.files, *(benchmark.name + suffix for suffix in READABLE_SUFFIXES))
    return next((folder / name for name in names if (folder / name).is_file()), None)


def describe_source(benchmark: Benchmark, folder: Path | None) -> str:
    """Say where the rows of a benchmark come from: a file, or hub names and their revisions."""
    file = find_file(benchmark, folder)
    if file is not None:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        return f"{file} (sha256 {digest[:16]})"
    source = benchmark.source
    hubs = ((source.hub, source.revision or "newest"), *source.more_hubs)
    return " + ".join(f"{name}@{revision}" for name, revision in hubs)


def read_rows(benchmark: Benchmark, folder: Path | None) -> Sequence[BenchmarkRow]:
    """Read the rows of a benchmark.

    Args:
        benchmark: its entry.
        folder: of local files; None for the hub alone.

    Returns:
        All rows, in their order.

    Raises:
        EvalError: no such file and nothing on the hub, no rows, or a column is missing.
    """
    file = find_file(benchmark, folder)
    rows = _read_hub(benchmark, folder) if file is None else _read_file(file)
    where = str(file or benchmark.source.hub)
    if not len(rows):
        raise EvalError(f"{benchmark.name}: {where} has no rows")
    missing = [column for column in benchmark.columns if column not in rows[0]]
    if missing:
        raise EvalError(
            f"{benchmark.name}: {where} has no column {', '.join(map(repr, missing))}; it has "
            f"{', '.join(rows[0])}. A local file must have the form of "
            f"{benchmark.source.hub or benchmark.source.address}"
        )
    return rows


def _read_file(path: Path) -> Sequence[BenchmarkRow]:
    try:
        return read_file(path, "questions")
    except ReadError as error:
        raise EvalError(str(error)) from error


def _read_hub(benchmark: Benchmark, folder: Path | None) -> Any:
    source = benchmark.source
    names = ", ".join((*source.files, f"{benchmark.name}.jsonl"))
    way_out = f"put a file of its form into the folder of --data, as one of {names}"
    if source.hub is None:
        looked = f"{folder} has none" if folder else "no --data is given"
        raise EvalError(
            f"{benchmark.name} is not on the hub ({looked}): fetch it from {source.address}, and "
            + way_out
        )
    try:
        return _load_rows(benchmark)
    except Exception as error:  # many kinds, by what is wrong with the name or the network
        raise EvalError(
            f"{benchmark.name}: the hub's {source.hub!r} cannot be read "
            f"({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}); "
            + way_out
        ) from error


def _load_rows(benchmark: Benchmark) -> Any:
    import datasets

    source = benchmark.source
    if source.hub_files:
        at = f"@{source.revision}" if source.revision else ""
        files = [f"hf://datasets/{source.hub}{at}/{name}" for name in source.hub_files]
        return datasets.load_dataset("json", data_files=files, split="train")
    first = datasets.load_dataset(
        source.hub, source.subset, split=source.split, revision=source.revision
    )
    if not source.more_hubs:
        return first
    more = [
        datasets.load_dataset(name, split=source.split, revision=revision)
        for name, revision in source.more_hubs
    ]
    return [row for part in (first, *more) for row in part]
