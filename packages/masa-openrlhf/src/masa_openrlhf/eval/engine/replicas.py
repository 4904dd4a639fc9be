"""Copies of the model, each in a process of its own; a question goes to the least busy one."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from masa_openrlhf.eval.engine.messages import (
    EngineReady,
    GenerateReply,
    GenerateRequest,
    Message,
    StartMessage,
    decode_engine_message,
    encode_message,
)
from masa_openrlhf.eval.engine.start import EngineStart
from masa_openrlhf.eval.errors import EvalError

LOG_TAIL_LINES = 15
SHUTDOWN_SECONDS = 10.0
"""Seconds that copies have to end by themselves."""


class _Replica:
    def __init__(self, command: tuple[str, ...], start: StartMessage, log: IO[bytes]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C comes to the parent alone
            env={**os.environ, **start.environment, "PYTHONUNBUFFERED": "1"},
        )
        self.in_flight: set[str] = set()
        self.ready = False
        self._rest = b""
        self.send(start)

    def send(self, message: Message) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(encode_message(message).encode())
        self.process.stdin.flush()

    def hang_up(self) -> None:
        """Close the pipe, by which it knows that nothing more comes."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def end(self, deadline: float) -> None:
        """Wait for its end until ``deadline``, then kill all of its process group."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def receive(self) -> list[EngineReady | GenerateReply] | None:
        """Read what is there; None at the end of the pipe."""
        assert self.process.stdout is not None
        read = os.read(self.process.stdout.fileno(), 1 << 20)
        if not read:
            return None
        *lines, self._rest = (self._rest + read).split(b"\n")
        return [decode_engine_message(line) for line in lines]


class Replicas:
    """Sends questions to copies of the model, and hands back what comes.

    Args:
        start: how they are started.
        log: file that gets all that vLLM prints.
        seconds: longest they may take to start.
        command: what starts a copy.

    Raises:
        EvalError: one did not start; with its last words.
    """

    def __init__(
        self,
        start: EngineStart,
        log: Path,
        seconds: float,
        command: tuple[str, ...] = (sys.executable, "-m", "masa_openrlhf.eval.engine.worker"),
    ) -> None:
        self._log = log
        self._file = open(log, "ab")  # noqa: SIM115  # as long as the copies
        self._selector = selectors.DefaultSelector()
        self._copies: list[_Replica] = []
        try:
            for environment in start.environment:
                copy = _Replica(command, start.message(environment), self._file)
                self._copies.append(copy)
                self._selector.register(copy.process.stdout, selectors.EVENT_READ, copy)  # type: ignore[arg-type]
            self._wait_until_ready(seconds)
        except BaseException:
            self.close()
            raise

    @property
    def in_flight(self) -> int:
        """Requests that are not answered yet."""
        return sum(len(copy.in_flight) for copy in self._copies)

    def ask(self, request: GenerateRequest) -> None:
        """Send a request to the least busy copy."""
        copy = min(self._copies, key=lambda copy: len(copy.in_flight))
        copy.in_flight.add(request.id)
        try:
            copy.send(request)
        except OSError as error:
            raise self._died(copy) from error

    def answers(self, timeout: float) -> list[GenerateReply]:
        """Return what came within ``timeout`` seconds.

        Raises:
            EvalError: a copy died.
        """
        found: list[GenerateReply] = []
        for key, _ in self._selector.select(timeout):
            copy: _Replica = key.data
            messages = copy.receive()
            if messages is None:
                raise self._died(copy)
            for message in messages:
                if isinstance(message, EngineReady):
                    copy.ready = True
                else:
                    copy.in_flight.discard(message.id)
                    found.append(message)
        return found

    def close(self) -> None:
        """End the copies, and whatever they have started: asked first, then killed."""
        for copy in self._copies:
            copy.hang_up()
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        for copy in self._copies:
            copy.end(deadline)
        self._selector.close()
        self._file.close()

    def __enter__(self) -> Replicas:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait_until_ready(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not all(copy.ready for copy in self._copies):
            left = deadline - time.monotonic()
            if left <= 0:
                raise EvalError(
                    f"the model was not ready after {seconds:g} s (engine.start_seconds); "
                    f"what it said: {self._log}"
                )
            self.answers(min(left, 1.0))

    def _died(self, copy: _Replica) -> EvalError:
        from masa_openrlhf.run.supervision import read_failure_lines

        status = copy.process.wait()
        self._file.flush()
        said = "\n  ".join(read_failure_lines(self._log, LOG_TAIL_LINES))
        return EvalError(f"vLLM ended with status {status}; all of it: {self._log}\n  {said}")
