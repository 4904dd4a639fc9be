"""Runs the program, within the walls: nothing in this process is to be trusted.

Lines in: ``{"load": source}``, ``{"call": name, "arguments": ..., "keywords": ...}`` and
``{"run": source, "stdin": ..., "seconds": ...}``. A line out for each: ``{"value": ...}``,
``{"raised": type, "text": ...}`` or, of a run, ``{"output", "status"}``.

It knows neither the tests nor what they expect. Whatever the program does to this process, all it
can get across is a value.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from typing import IO, Any

from masa_openrlhf.eval.sandbox.self_pipe import allow_asyncio
from masa_openrlhf.eval.sandbox.wire import Opaque, format_line, from_wire, parse_line, to_wire

MAX_OUTPUT_BYTES = 8 * 1024 * 1024
"""Bytes of output that are read of a run."""


class _ObjectStore:
    """Objects that cannot be sent; their handles come back as arguments."""

    def __init__(self) -> None:
        self._objects: list[Any] = []

    def keep(self, value: Any) -> int:
        if len(self._objects) < 10_000:
            self._objects.append(value)
        return len(self._objects) - 1

    def back(self, value: Any) -> Any:
        if isinstance(value, Opaque):
            return self._objects[value.handle]
        if isinstance(value, (list, tuple)):
            return type(value)(self.back(part) for part in value)
        if isinstance(value, dict):
            return {key: self.back(part) for key, part in value.items()}
        return value


def main() -> None:
    """Serve until the pipe closes."""
    requests, replies = _take_pipes()
    sys.set_int_max_str_digits(0)
    allow_asyncio()
    program: dict[str, Any] = {"__name__": "__candidate__"}
    sys.modules["__candidate__"] = type(sys)("__candidate__")
    kept = _ObjectStore()
    for line in requests:
        message = parse_line(line)
        try:
            reply = _answer_message(message, program, kept)
        except BaseException as error:
            if isinstance(error, SystemExit) and "load" not in message:
                error = RuntimeError("the program ended")
            reply = {"raised": type(error).__name__[:80], "text": str(error)[:300]}
        replies.write(format_line(reply))
        replies.flush()
    os._exit(0)


def _take_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Keep the pipes to the outside; the program gets empty ones."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    return requests, replies


def _answer_message(
    message: dict[str, Any], program: dict[str, Any], kept: _ObjectStore
) -> dict[str, Any]:
    if "load" in message:
        exec(compile(message["load"], "<program>", "exec"), program)
        return {"value": None}
    if "run" in message:
        return _run_program(message["run"], message["stdin"], message["seconds"])
    name = message["call"]
    if name.startswith("Solution."):
        if "__solution__" not in program:  # one object for all cases
            program["__solution__"] = program["Solution"]()
        function = getattr(program["__solution__"], name.partition(".")[2])
    else:
        function = program[name]
    arguments = kept.back(from_wire(message["arguments"]))
    keywords = kept.back(from_wire(message["keywords"]))
    return {"value": to_wire(function(*arguments, **keywords), kept.keep)}


def _run_program(source: str, stdin: str, seconds: float) -> dict[str, Any]:
    """Run a program from its beginning to its end, in a process of its own."""
    with open("stdin", "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(stdin)
    end, out = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(end)
        _become_program(source, out)
    os.close(out)
    output, over = _read_pipe(end, seconds)
    with contextlib.suppress(ProcessLookupError):
        if over:
            os.killpg(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    text = output.decode("utf-8", errors="replace")
    return {"output": text, "status": over or os.waitstatus_to_exitcode(status)}


def _read_pipe(end: int, seconds: float) -> tuple[bytes, str]:
    """Read until the end of the pipe, the time or the limit; says which of the last two it was."""
    deadline, output = time.monotonic() + seconds, bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([end], [], [], left)[0]:
            os.close(end)
            return bytes(output), "seconds"
        read = os.read(end, 1 << 16)
        if not read:
            os.close(end)
            return bytes(output), ""
        output += read
        if len(output) > MAX_OUTPUT_BYTES:
            os.close(end)
            return b"", "output"


def _become_program(source: str, out: int) -> None:
    status = 1
    try:
        os.setsid()
        given = os.open("stdin", os.O_RDONLY)
        os.dup2(given, 0)
        os.dup2(out, 1)
        os.closerange(3, 256)
        sys.stdin = open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        with contextlib.suppress(SystemExit):
            exec(compile(source, "<program>", "exec"), {"__name__": "__main__"})
        sys.stdout.flush()
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
