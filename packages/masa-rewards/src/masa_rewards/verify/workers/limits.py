"""What a worker process lays on itself: signals of its own, limits, and an end with its parent."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO


class ParentWatch:
    """Ends this process when its parent is gone.

    A thread looks once a second: it sees a parent go even if a fork of that parent holds our pipes
    open, but not while C code keeps the interpreter. For that, `kernel`.
    """

    def __init__(self, replies: IO[bytes]) -> None:
        """Take the pipe that the parent reads replies from."""
        self._replies = replies.fileno()
        self._parent = os.getppid()
        threading.Thread(target=self._look, daemon=True).start()

    @contextlib.contextmanager
    def kernel(self) -> Iterator[None]:
        """Let the kernel end this process when its replies have no reader any more.

        It sends a signal when the last reader of that pipe goes, and when one reads from it: so
        nothing may be written there meanwhile. Not the pipe that cases come by: a parent that is
        still inside the call that wrote one, when we are here already, would end us.
        """
        if sys.platform == "win32":
            yield
            return
        import fcntl

        flags = fcntl.fcntl(self._replies, fcntl.F_GETFL)
        fcntl.fcntl(self._replies, fcntl.F_SETOWN, os.getpid())
        # SIGIO ends a process without a handler; SIGKILL also a stopped one.
        if hasattr(fcntl, "F_SETSIG"):
            fcntl.fcntl(self._replies, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(self._replies, fcntl.F_SETFL, flags | os.O_ASYNC)
        self._end_if_orphan()  # it may have gone before
        try:
            yield
        finally:
            fcntl.fcntl(self._replies, fcntl.F_SETFL, flags)

    def _look(self) -> None:
        while True:
            self._end_if_orphan()
            time.sleep(1.0)

    def _end_if_orphan(self) -> None:
        if os.getppid() != self._parent:
            os._exit(0)


def reset_signals() -> None:
    """Undo what a parent blocks or ignores, which a new process inherits: alarms must end us."""
    if sys.platform == "win32":
        return
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def set_alarm(seconds: float) -> None:
    """Have the kernel end this process after so many seconds; 0 takes that back."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


def limit_memory(megabytes: int) -> None:
    """Limit the address space, where the system can: Linux has to, macOS refuses some limits."""
    if sys.platform != "win32":
        import resource

        try:
            _lower_limit(resource.RLIMIT_AS, megabytes * 1024 * 1024)
        except (OSError, ValueError):
            if sys.platform.startswith("linux"):
                raise


def restrict_process() -> None:
    """Let this process write no file and dump no core, and be the first to go without memory."""
    if sys.platform != "win32":
        import resource

        _lower_limit(resource.RLIMIT_FSIZE, 0)
        _lower_limit(resource.RLIMIT_CORE, 0)
    # Where the whole machine or container runs out, a worker is missed least.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")


def measure_peak_mb() -> float:
    """Most address space this process has had, in MB; 0 where the system does not report it."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            peak = next(line for line in status if line.startswith("VmPeak:"))
    except (OSError, StopIteration):
        return 0.0
    return int(peak.split()[1]) / 1024


def reserve_stdout() -> IO[bytes]:
    """Keep stdout for replies; what anybody prints goes to stderr."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return replies


def _lower_limit(kind: int, limit: int) -> None:
    import resource

    _, most = resource.getrlimit(kind)
    if most != resource.RLIM_INFINITY:
        limit = min(limit, most)
    resource.setrlimit(kind, (limit, most))
