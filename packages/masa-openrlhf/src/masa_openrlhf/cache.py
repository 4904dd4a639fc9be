"""Where things are kept between runs, and how a folder there is filled once."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def find_cache_home() -> Path:
    """Where things are kept between runs: $MASA_CACHE, else masa-openrlhf in the user's cache."""
    if given := os.environ.get("MASA_CACHE"):
        return Path(given)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "masa-openrlhf"


def fill_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return `folder`, after filling it by `make` unless it exists.

    `make` fills a temporary folder beside it, which is renamed when complete: `folder` is whole or
    absent, whenever the process is killed. Of two processes at once, the first to finish wins.
    """
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        make(making)
        making.chmod(0o755)
        try:
            making.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder
