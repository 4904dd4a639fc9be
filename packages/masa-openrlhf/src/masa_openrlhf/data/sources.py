"""Where rows come from: a file, a folder of shards, a folder of datasets, or a name on the hub."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from masa_openrlhf.config.sections import DataConfig
from masa_openrlhf.data.errors import DataError
from masa_openrlhf.data.hub import load_from_hub
from masa_openrlhf.data.readers import READABLE_SUFFIXES, ReadError, find_suffix, read_file
from masa_openrlhf.data.rows import JoinedRows

_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_SAVED = ("dataset_dict.json", "state.json")
"""What `Dataset.save_to_disk` writes: of several splits, and of one."""


def read_rows(source: str, config: DataConfig) -> Any:
    """Return the rows of a source: a sequence of objects, that of a folder's files joined.

    Args:
        source: a file, a folder, or a name on the hub.
        config: the split and subset, where the source has several.

    Raises:
        DataError: there is no such source, or it cannot be read.
    """
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            return _read_folder(path, config)
        if path.is_file() or find_suffix(path):
            return _read_file(path)
    except ReadError as error:
        raise DataError(str(error)) from error
    if not _HUB_NAME.fullmatch(source) or source.startswith("."):
        raise DataError(
            f"there is no file or folder {source}, and it is no name on the hub: data are a file "
            f"({', '.join(READABLE_SUFFIXES)}), a folder of them, or NAME/DATASET"
        )
    return load_from_hub(source, config.subset, config.split)


def _read_file(path: Path) -> Sequence[Any]:
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    if not path.stat().st_size:
        raise DataError(f"{path} is empty")
    return read_file(path, "problems")


def _read_folder(path: Path, config: DataConfig) -> Any:
    saved = next((name for name in _SAVED if (path / name).is_file()), None)
    if saved:
        return _load_saved(path, config.split)
    if not any(map(find_suffix, path.rglob("*"))):
        raise DataError(
            f"the folder {path} has no file of problems in it: {', '.join(READABLE_SUFFIXES)}"
        )
    parts = [_read_file(shard) for shard in _list_shards(path, config)]
    return parts[0] if len(parts) == 1 else JoinedRows(parts)


def _list_shards(path: Path, config: DataConfig) -> list[Path]:
    """Return the files of a split, as datasets tells splits apart: by names, or by README.md."""
    datasets = _import_datasets(path)
    try:
        builder = datasets.load_dataset_builder(str(path), name=config.subset)
    except Exception as error:  # many kinds, by what is wrong with the folder
        way_out = ": set data.subset" if "config" in str(error).lower() else ""
        said = " ".join(str(error).split())
        raise DataError(f"the folder {path} cannot be read: {said}{way_out}") from error
    files = builder.config.data_files or {}
    return [Path(file) for file in files[_choose_split(path, list(map(str, files)), config.split)]]


def _load_saved(path: Path, split: str) -> Any:
    """Return a split of what `save_to_disk` wrote."""
    datasets = _import_datasets(path)
    try:
        loaded = datasets.load_from_disk(str(path))
    except Exception as error:  # many kinds, by what is damaged
        raise DataError(f"{path} cannot be read by datasets.load_from_disk: {error}") from error
    if not isinstance(loaded, datasets.DatasetDict):
        return loaded
    return loaded[_choose_split(path, list(loaded), split)]


def _choose_split(path: Path, splits: Sequence[str], split: str) -> str:
    if split not in splits:
        raise DataError(
            f"the folder {path} has no split {split!r}; it has {', '.join(splits)}: set data.split"
        )
    return split


def _import_datasets(path: Path) -> Any:
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise DataError(
            f"{path} is a folder, which the package datasets reads, and it is not installed: "
            "`pip install datasets`"
        ) from error
    return datasets
