"""The processes below one, and the memory they hold, as the kernel lists them."""

from __future__ import annotations

import os

_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def descendants(pid: int) -> list[int]:
    """Return all processes below ``pid``. One that ends meanwhile may be among them."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def resident_mb(pid: int) -> float:
    """Return the memory of ``pid`` and all below it, MiB; a shared page counts for each."""
    return sum(map(_resident_mb, (pid, *descendants(pid))))


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    except OSError:
        pass
    return found


def _resident_mb(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * _PAGE_MB
    except (OSError, IndexError):
        return 0.0
