"""Processes that leave nothing behind (Linux; elsewhere each of these does nothing)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent() -> None:
    """Have the kernel send this process SIGTERM when its parent is gone, however it went."""
    parent = os.getppid()
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it went before the kernel was asked
        os.kill(os.getpid(), signal.SIGTERM)


def adopt_orphans() -> None:
    """Have processes whose parent dies come to this one, not to init, so that it can end them."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_children(patience: float = 5.0) -> int:
    """End every process below this one: ask, wait ``patience`` seconds, then kill.

    Returns:
        How many there were.
    """
    found = psutil.Process().children(recursive=True)
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    psutil.wait_procs(found, timeout=patience)
    deadline = time.monotonic() + patience
    while (left := psutil.Process().children(recursive=True)) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=0.5)
        _reap_children()
    return len(found)


class StoppedProcesses:
    """Watches the processes below this one for those that are stopped (SIGSTOP).

    A stopped process is alive to everybody who waits for it, and does nothing.

    Args:
        after: seconds for which one is stopped before it is named.
        every: seconds from one look to the next.
    """

    def __init__(self, after: float = 60.0, every: float = 5.0) -> None:
        self._after, self._every = after, every
        self._next_look = 0.0
        self._since: dict[psutil.Process, float] = {}
        self._named: set[psutil.Process] = set()

    def find_new(self) -> list[tuple[int, str]]:
        """Return process id and title of those not named before; mostly an empty list."""
        now = time.monotonic()
        if now < self._next_look:
            return []
        self._next_look = now + self._every
        stopped = [p for p in psutil.Process().children(recursive=True) if _is_stopped(p)]
        self._since = {p: self._since.get(p, now) for p in stopped}
        self._named &= set(stopped)
        due = [p for p in stopped if p not in self._named and now - self._since[p] >= self._after]
        self._named |= set(due)
        return [(p.pid, _read_process_title(p)) for p in due]


def _is_stopped(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False


def _read_process_title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()).strip()[:80] or process.name()
    except psutil.Error:
        return "a process"


def _reap_children() -> None:
    """Collect adopted children that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
