"""Who could have put something into a run's folder: to go on with a run is to run what lies in it.

Its configuration names Python modules and commands, and its checkpoints are pickles (see
``checkpoints``). So a folder that somebody else owns, or may write into, is not gone on with.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

_GROUP, _OTHERS = stat.S_IWGRP, stat.S_IWOTH
_MAX_SHOWN = 3


class UntrustedFolderError(ValueError):
    """Others own what lies in a folder, or may change it."""


def require_trusted(folder: Path) -> None:
    """Refuse a run's folder that others own or may write into, whatever lies how deep in it.

    What root owns is trusted. Files that others may write count only where the folder itself lets
    others in: ``train`` makes it for its user alone.

    Raises:
        UntrustedFolderError: names what others could have changed, and the way out.
    """
    found = [f"{path}: {why}" for path, why in _list_untrusted(folder.resolve())]
    if not found:
        return
    more = f"\n  and {len(found) - _MAX_SHOWN} more" if len(found) > _MAX_SHOWN else ""
    raise UntrustedFolderError(
        f"--resume runs what lies in {folder}, and others could have put it there:\n  "
        + "\n  ".join(found[:_MAX_SHOWN])
        + more
        + f"\nIf you trust it: `chmod -R go-w {folder}`, or make it yours with `cp -r`; "
        "--trust goes on all the same"
    )


def _list_untrusted(folder: Path) -> Iterator[tuple[Path, str]]:
    entered = stat.S_IMODE(os.stat(folder).st_mode) & (stat.S_IXGRP | stat.S_IXOTH)
    for path in (folder, *_list_files(folder)):
        found = os.lstat(path)
        if found.st_uid not in (os.geteuid(), 0):
            yield path, f"owned by user {found.st_uid}, not by you ({os.geteuid()})"
        elif entered and not stat.S_ISLNK(found.st_mode) and found.st_mode & (_GROUP | _OTHERS):
            whom = "everybody" if found.st_mode & _OTHERS else f"group {found.st_gid}"
            yield path, f"{whom} may write it"


def _list_files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(parent, name)
