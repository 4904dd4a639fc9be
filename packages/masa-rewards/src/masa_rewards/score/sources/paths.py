"""The files that are meant by what is named on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from masa_rewards.score.sources.logged import FormError

_SUFFIXES = (".jsonl", ".json", ".parquet", ".jsonl.gz", ".json.gz")
_ALL, _EFFECTIVE = "all", "effective"


def list_files(names: Iterable[str]) -> list[str]:
    """Return the files, a folder's files in the place of a folder, in order of name and number.

    Of prime-rl's folder of rollouts, `effective` is left out where `all` stands beside it: it holds
    a part of the same rollouts.

    Raises:
        FormError: A folder has no file of a form that can be read.
    """
    files: list[str] = []
    for name in names:
        if name == "-" or not Path(name).is_dir():
            files.append(name)
            continue
        found = [
            path
            for path in Path(name).rglob("*")
            if path.name.endswith(_SUFFIXES) and path.is_file() and not _is_part_of_all(path)
        ]
        if not found:
            raise FormError(f"the folder {name} holds no file that ends in {', '.join(_SUFFIXES)}")
        files += map(str, sorted(found, key=_order_by_number))
    return files


def _is_part_of_all(path: Path) -> bool:
    folder = path.parent
    return folder.name == _EFFECTIVE and (folder.parent / _ALL / path.name).exists()


def _order_by_number(path: Path) -> tuple[tuple[bool, int, str], ...]:
    """Sort key: 2.jsonl before 10.jsonl, step_2 before step_10."""
    digits = ("".join(filter(str.isdigit, part)) for part in path.parts)
    return tuple(
        (bool(number), int(number or 0), part)
        for number, part in zip(digits, path.parts, strict=True)
    )
