"""Imported by Ray's worker processes as soon as they are there, before anybody asks them for work.

Importing the stack takes each process that holds one of our actors half a minute. Ray starts its
workers ahead; with this module preloaded they import while the driver is busy with other things.

In a fresh environment nothing is compiled yet: the first process goes ahead and the others wait, so
that it is done once.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from masa_openrlhf.arguments.installed import find_source_file

MODULE = __name__


@contextlib.contextmanager
def _lock_compilation() -> Iterator[None]:
    """Hold a lock, where OpenRLHF has not been compiled yet."""
    compiled = importlib.util.cache_from_source(
        str(find_source_file("openrlhf/trainer/ppo_trainer.py"))
    )
    if sys.platform != "linux" or Path(compiled).exists():
        yield
        return
    import fcntl

    with open(Path(tempfile.gettempdir()) / "masa-openrlhf-compiling.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


with _lock_compilation():
    importlib.import_module("masa_openrlhf.stack.trainer")
