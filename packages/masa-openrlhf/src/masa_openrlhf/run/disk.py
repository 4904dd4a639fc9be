"""Disks that are full: said by name, whatever the library that noticed calls it."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT)

# Python names the file; torch's writer and C++ streams say only that something went wrong.
_FULL_MESSAGES = re.compile(
    r"No space left on device|Disk quota exceeded|\[Errno (?:28|122)\]"
    r"|inline_container\.cc.*unexpected pos|basic_ios::clear: iostream error"
    r"|PytorchStreamWriter failed writing"
)
_NAMED_FILE = re.compile(r"\[Errno (?:28|122)\][^:]*: '([^']+)'")
_NEARLY_FULL = 64 << 20
"""Bytes: a disk with less is full. What a failed write had written may have been freed."""


def explain_full_disk(lines: Iterable[str], places: Iterable[Path]) -> str | None:
    """Return "disk full: PATH" where that is why a run ended, else None.

    Args:
        lines: the last that it said.
        places: folders that it writes into, the likeliest first.
    """
    said = [line for line in lines if _FULL_MESSAGES.search(line)]
    if not said:
        return None
    named = [found[1] for line in said if (found := _NAMED_FILE.search(line))]
    return describe_full_disk(named[-1] if named else find_full_disk(list(places)))


class DiskFullError(OSError):
    """A disk is full; the message says which."""


@contextlib.contextmanager
def name_full_disks(*places: Path) -> Iterator[None]:
    """Say of a write that failed on a full disk which disk it was.

    Args:
        *places: where is written, the likeliest first.

    Raises:
        DiskFullError: a write failed since its disk is full, or its user's quota spent.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL_ERRORS:
            raise
        raise DiskFullError(describe_full_disk(error.filename or find_full_disk(places))) from error


def find_full_disk(places: Sequence[Path]) -> Path:
    """Return the first place whose disk is full; where none is, the first."""
    return next((place for place in places if measure_free_bytes(place) < _NEARLY_FULL), places[0])


def describe_full_disk(path: str | os.PathLike[str]) -> str:
    """Return the sentence for a path that could not be written."""
    free = measure_free_bytes(Path(path))
    said = f"{free / 2**20:,.0f} MiB are free there"
    return (
        f"disk full: {os.fspath(path)} ({said if free < _NEARLY_FULL else f'over a quota: {said}'})"
    )


def measure_free_bytes(path: Path) -> int:
    """Return what is free for this user where ``path`` is, or would be."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free
