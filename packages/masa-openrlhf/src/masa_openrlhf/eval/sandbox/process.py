"""A sandbox as the evaluation sees it: started, spoken to, ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any

from masa_openrlhf.eval.sandbox import launch
from masa_openrlhf.eval.sandbox.limits import Limits
from masa_openrlhf.eval.sandbox.wire import WireError, format_line, parse_line

SHUTDOWN_SECONDS = 5.0
"""Seconds that a warden has to end everything."""


class SandboxError(RuntimeError):
    """The sandbox itself failed: that says nothing about the program."""


class EndedError(Exception):
    """The program is no longer there; says how it ended.

    "seconds", "memory", "output" (too much of it, or none that can be read), "unasked" (an answer
    to what it had not been asked yet), "exit".
    """

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Sandbox:
    """One program, behind walls.

    Args:
        what: "candidate" or "tester".
        limits: what it may use.
        allow_unsandboxed: start it even where the kernel does not allow the walls.

    Raises:
        SandboxError: the kernel does not allow them, or the sandbox cannot be started.
    """

    def __init__(self, what: str, limits: Limits, *, allow_unsandboxed: bool = False) -> None:
        self._limits = limits
        self._deadline = time.monotonic() + limits.seconds
        self._rest = bytearray()
        self._said: dict[str, Any] | None = None
        self._work = tempfile.mkdtemp(prefix="masa-sandbox-") if allow_unsandboxed else None
        control, self._control = os.pipe()
        self._report, report = os.pipe()
        order = {
            "limits": limits._asdict(),
            "allow_unsandboxed": allow_unsandboxed,
            "control": control,
            "report": report,
            "work": self._work,
            **launch.describe_program(what),
        }
        try:
            self._warden = subprocess.Popen(
                [*launch.python_command(), "warden", json.dumps(order)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=(control, report),
                start_new_session=True,
                env=launch.sandbox_environment(),
                bufsize=0,
            )
        except OSError as error:
            self._forget()
            raise SandboxError(f"the sandbox cannot be started: {error}") from error
        finally:
            os.close(control)
            os.close(report)

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; raises as ``send_line`` does."""
        self.send_line(format_line(message))

    def send_line(self, line: bytes) -> None:
        """Send a line, as it is.

        Raises:
            EndedError: the program is no longer there, does not read in time, or has said something
                that it was not asked: it would count as the answer to this.
        """
        self._check_silent()
        assert self._warden.stdin is not None
        data = memoryview(line)
        descriptor = self._warden.stdin.fileno()
        os.set_blocking(descriptor, False)
        while data:
            left = self._deadline - time.monotonic()
            if left <= 0 or not select.select([], [descriptor], [], left)[1]:
                raise self._ended("seconds")
            try:
                data = data[os.write(descriptor, data) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self._ended(None) from None

    def _check_silent(self) -> None:
        """Refuse what was said unasked; at the end of its pipe the program is no longer there."""
        assert self._warden.stdout is not None
        if not self._rest and select.select([self._warden.stdout], [], [], 0)[0]:
            read = os.read(self._warden.stdout.fileno(), 1 << 16)
            if not read:
                raise self._ended(None)
            self._rest += read
        if self._rest:
            raise self._ended("unasked")

    def receive(self, seconds: float | None = None, most: int | None = None) -> dict[str, Any]:
        """Return the next message.

        Args:
            seconds: longest to wait, besides the sandbox's own time.
            most: bytes of the line; more are not read. A line of many small parts takes a hundred
                times its length to hold, here, where nothing limits that.

        Raises:
            EndedError: none came in time, too much came, or the program is no longer there.
        """
        try:
            return parse_line(self.receive_line(seconds, most))
        except WireError:
            raise self._ended("output") from None

    def receive_line(self, seconds: float | None = None, most: int | None = None) -> bytes:
        """Return the next line as it is; arguments and errors are those of ``receive``."""
        assert self._warden.stdout is not None
        until = self._deadline
        if seconds is not None:
            until = min(until, time.monotonic() + seconds)
        longest = min(self._limits.output_mb * 1024 * 1024, most or sys.maxsize)
        searched = 0
        while (end := self._rest.find(b"\n", searched)) < 0:
            searched = len(self._rest)
            if searched > longest:
                raise self._ended("output")
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._warden.stdout], [], [], left)[0]:
                raise self._ended("seconds")
            read = os.read(self._warden.stdout.fileno(), 1 << 16)
            if not read:
                raise self._ended(None)
            self._rest += read
        if end > longest:
            raise self._ended("output")
        line = bytes(self._rest[: end + 1])
        del self._rest[: end + 1]
        return line

    def close(self) -> dict[str, Any]:
        """End everything in it; returns what the warden said of that. Twice does nothing more."""
        if self._said is not None:
            return self._said
        os.close(self._control)
        try:
            self._warden.wait(SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            self._warden.kill()
            self._warden.wait()
        lines = self._read_report()
        for pipe in (self._warden.stdin, self._warden.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        self._forget()
        self._said = lines[0] if lines else {"ended": "killed"}
        return self._said

    def _read_report(self) -> list[dict[str, Any]]:
        said = bytearray()
        while select.select([self._report], [], [], 0)[0]:
            read = os.read(self._report, 1 << 16)
            if not read:
                break
            said += read
        os.close(self._report)
        return [json.loads(line) for line in said.splitlines() if line]

    def _ended(self, how: str | None) -> Exception:
        """Say how it ended; the sandbox's own failure is another kind of error."""
        if how is None:  # its pipe is closed: the warden is about to say why
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._warden.wait(SHUTDOWN_SECONDS / 10)
        said = self.close()
        if said["ended"] == "refused":
            return SandboxError(
                "this machine does not allow what code of a model is held by: "
                + "; ".join(said["lacking"])
            )
        if said["ended"] == "failed":
            return SandboxError(f"the sandbox could not be built: {said['why']}")
        return EndedError(how or str(said["ended"]))

    def _forget(self) -> None:
        if self._work is not None:
            for folder, inner, _ in os.walk(self._work):
                for name in inner:  # a program may have locked a folder of its own
                    if not os.path.islink(path := os.path.join(folder, name)):
                        os.chmod(path, 0o700)
            shutil.rmtree(self._work, ignore_errors=True)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
