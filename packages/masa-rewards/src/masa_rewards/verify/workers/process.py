"""One worker process as its parent sees it: started, asked, killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from masa_rewards.verify.verdict import Status

# What the interpreter and its libraries need; not the CUDA, Ray and proxy settings of the parent.
_INHERITED = (
    "PATH",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "HOME",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
)
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerSettings(NamedTuple):
    """What a worker runs under, and the module that it is: one that calls `serve_cases`."""

    timeout: float
    memory_mb: int
    start_timeout: float
    module: str = "masa_rewards.verify.workers.worker"


class WorkerReply(NamedTuple):
    """What came of a case.

    Attributes:
        outcome: the status of its verdict.
        detail: why, when it failed.
        interrupted: the process was ended or stopped from outside, or by the case itself; a second
            try distinguishes the two.
    """

    outcome: Status
    detail: str = ""
    interrupted: bool = False


class StartError(RuntimeError):
    """A worker process did not become ready.

    Attributes:
        interrupted: it was ended or stopped meanwhile.
    """

    interrupted = False


class VerificationWorker:
    """A process that compares answers, one at a time. Used by one thread at a time."""

    def __init__(self, settings: WorkerSettings) -> None:
        """Start a process and wait until it is ready.

        Raises:
            StartError: If it is not within `settings.start_timeout` seconds.
        """
        self._timeout = settings.timeout
        self._overran = self._stopped = False
        if not sys.executable:
            raise _make_start_error("sys.executable names no Python interpreter", settings)
        try:
            self._process = _spawn_worker(settings)
        except (OSError, ValueError) as error:  # no more processes, files or memory; no executable
            raise _make_start_error(f"{type(error).__name__}: {error}", settings) from error
        try:
            ready = self._read(settings.start_timeout)
            reason = ready["ready"] if ready else self._how_it_ended(settings.start_timeout)
        except BaseException:
            self.kill()
            raise
        if reason:
            killed = (self._process.poll() or 0) < 0
            self.kill()
            failed = _make_start_error(reason, settings)
            # By a signal: one that ends by itself would do so again.
            failed.interrupted = self._stopped or (not self._overran and killed)
            raise failed

    @property
    def alive(self) -> bool:
        """Whether it can be asked once more."""
        return not self._overran and self._process.poll() is None

    def ask(self, answer: str, gold: str) -> WorkerReply:
        """Compare two answers, within the timeout. A process that overruns is killed."""
        try:
            return self._ask(answer, gold)
        except BaseException:
            # Interrupted while a reply is under way: the next case must not be given it.
            self.kill()
            raise

    def kill(self) -> None:
        """End the process and close its pipes. Done twice it does nothing more."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    def _ask(self, answer: str, gold: str) -> WorkerReply:
        case = json.dumps({"answer": answer, "gold": gold}).encode("ascii") + b"\n"
        # A pipe that is broken or closed: the process has ended; the read below finds out how.
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(case)  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        reply = self._read(self._timeout)
        if reply is None:
            how = self._how_it_ended(self._timeout)
            failed: Status = "error" if self._was_interrupted else "timeout"
            return WorkerReply(failed, how, interrupted=self._was_interrupted)
        if reply["spent"]:
            self.kill()
        return WorkerReply(reply["outcome"], reply["detail"])

    def _read(self, seconds: float) -> dict[str, Any] | None:
        """Read a line; None when the process ended first. It is killed after `seconds`."""
        watchdog = _Watchdog(seconds, self._process.pid, self._overrun)
        try:
            watchdog.start()
        except RuntimeError:  # no more threads, so no watchdog for a case that hangs
            self._process.kill()
        try:
            line = self._process.stdout.readline()  # type: ignore[union-attr]
        except ValueError:  # closed by another thread
            return None
        finally:
            watchdog.cancel()
        return json.loads(line) if line.endswith(b"\n") else None

    def _overrun(self, *, stopped: bool) -> None:
        self._overran, self._stopped = True, stopped
        self._process.kill()

    @property
    def _was_interrupted(self) -> bool:
        """Whether it ended before its time, or spent that time stopped."""
        return self._stopped or not self._overran

    def _how_it_ended(self, seconds: float) -> str:
        code = self._process.wait()
        self._overran |= code == -getattr(signal, "SIGALRM", 0) != 0
        if self._stopped:
            return "the worker was stopped (SIGSTOP)"
        if self._overran:
            return f"not done after {seconds} s"
        return f"the worker ended with code {code}: killed, or out of memory"


class _Watchdog(threading.Thread):
    """Ends a process that takes too long, or that somebody has stopped for a while."""

    def __init__(self, seconds: float, pid: int, overrun: Callable[..., None]) -> None:
        super().__init__(name="masa-watchdog", daemon=True)
        self._seconds, self._pid, self._overrun = seconds, pid, overrun
        self._done = threading.Event()

    def run(self) -> None:
        deadline = time.monotonic() + self._seconds
        was_stopped = False
        while (left := deadline - time.monotonic()) > 0:
            if self._done.wait(min(left, _POLL_SECONDS)):
                return
            stopped = _is_stopped(self._pid)
            if stopped and was_stopped:
                break
            was_stopped = stopped
        if not self._done.is_set():
            self._overrun(stopped=_is_stopped(self._pid))

    def cancel(self) -> None:
        """Leave the process alone."""
        self._done.set()


_POLL_SECONDS = 5.0
"""Seconds from one look at whether a process is stopped to the next."""


def _is_stopped(pid: int) -> bool:
    """Whether a process has been stopped by a signal; False where the system does not report it."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"T"
    except (OSError, IndexError):
        return False


def _make_start_error(reason: str, settings: WorkerSettings) -> StartError:
    return StartError(
        f"the verification worker did not start: {reason}. It ran with {settings!r}; to "
        f"see more, run `{sys.executable} -m {settings.module} 5 "
        f"{settings.memory_mb}`"
    )


def _spawn_worker(settings: WorkerSettings) -> subprocess.Popen[bytes]:
    """A fresh interpreter: nothing of the parent's memory, handles or signals comes with it."""
    arguments = [str(settings.timeout), str(settings.memory_mb)]
    return subprocess.Popen(
        [sys.executable, "-m", settings.module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_build_worker_environment(),
        cwd=os.path.abspath(os.sep),  # it neither imports from the parent's folder nor holds it
        close_fds=True,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _build_worker_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    ours = {
        "PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry),
        "PYTHONSAFEPATH": "1",  # no module of the working directory in front of those
        "PYTHONHASHSEED": "0",  # the same case, the same verdict
        **dict.fromkeys(_ONE_THREAD, "1"),
    }
    return kept | ours
