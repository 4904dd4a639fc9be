"""The temporary folder of a run: for its user alone, and gone when the run is, however it ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

RAY_FOLDER = "r"
"""Where Ray puts its own within it. Ray opens that one to everybody; nobody gets as far."""

_PREFIX = "masa-run-"
_NAME = re.compile(re.escape(_PREFIX) + "[a-z0-9_]{8}")
_SOCKETS = f"/{RAY_FOLDER}/session_2026-01-01_00-00-00_000000_0000000/sockets/plasma_store.0"
_LONGEST_SOCKET = 107
"""Bytes of the path of a Unix socket."""
_MIN_AGE = 60.0
"""Seconds within which a folder without a lock may be one that is being made."""


@contextlib.contextmanager
def make_temporary_folder() -> Iterator[Path]:
    """Make the folder, and remove it at the end; remove what killed runs left, too.

    It is locked as long as the run lasts: a folder that can be locked is nobody's any more, since
    the kernel releases the locks of a process that was killed.
    """
    parent = _choose_parent()
    remove_leftovers(parent)
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))  # mode 0700
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def remove_leftovers(parent: Path) -> list[Path]:
    """Remove the folders that killed runs of this user left in ``parent``; return them."""
    removed = []
    for path in parent.glob(_PREFIX + "*"):
        if _NAME.fullmatch(path.name) and _is_leftover(path):
            shutil.rmtree(path, ignore_errors=True)
            removed.append(path)
    return removed


def _is_leftover(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # somebody else's, or gone
        return False
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid() or time.time() - found.st_ctime < _MIN_AGE:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:  # locked: a run is using it
        return False
    finally:
        os.close(descriptor)


def _choose_parent() -> Path:
    """Return where to make it: the user's temporary folder, unless Ray's sockets would not fit."""
    wanted = tempfile.gettempdir()
    for parent in (wanted, "/tmp", "/var/tmp"):
        longest = len(os.fsencode(parent)) + len(f"/{_PREFIX}12345678{_SOCKETS}")
        if longest <= _LONGEST_SOCKET and os.access(parent, os.W_OK | os.X_OK):
            return Path(parent)
    return Path(wanted)  # Ray says what is wrong with it
