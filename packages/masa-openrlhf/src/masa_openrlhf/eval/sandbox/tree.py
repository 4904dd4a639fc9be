"""The processes below one, and the memory they hold, as the kernel lists them."""

from __future__ import annotations

import os
import re

_HELD = re.compile(rb"^Vm(?:RSS|Swap|PTE):\s+(\d+) kB$", re.MULTILINE)


def list_descendants(pid: int) -> list[int]:
    """Return all processes below ``pid``. One that ends meanwhile may be among them."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = _list_children(waiting.pop())
        found += children
        waiting += children
    return found


def measure_memory_mb(pid: int) -> float:
    """Return the memory of ``pid`` and all below it, MiB; a shared page counts for each.

    Resident or swapped out, and the tables of its pages.
    """
    return sum(map(_measure_process_mb, (pid, *list_descendants(pid))))


def _measure_process_mb(pid: int) -> float:
    """Ask each thread: of a process whose first one has ended the kernel says nothing by itself."""
    statuses = (_read_proc(f"/proc/{pid}/task/{thread}/status") for thread in _list_threads(pid))
    return max((parse_memory_mb(status) for status in statuses), default=0.0)


def parse_memory_mb(status: bytes) -> float:
    """Return the memory that a ``/proc/PID/status`` tells of, MiB."""
    return sum(map(int, _HELD.findall(status))) / 1024


def _list_children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in _list_threads(pid):
        found += map(int, _read_proc(f"/proc/{pid}/task/{thread}/children").split())
    return found


def _list_threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def _read_proc(path: str) -> bytes:
    """Return a file of a process or thread, which may have ended meanwhile: then nothing."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
