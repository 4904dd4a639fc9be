"""Runs the tests of a benchmark, within walls of its own; the program is in another sandbox.

One line in: ``{"tests": source, "names": [...]}``. The names are functions of the program; here
they are stand-ins that call it: a line out ``{"call", "arguments", "keywords"}``, a line in with
what came of it. At the end ``{"passed": bool, "detail": ...}``.

No line of the program runs here, and its values arrive as plain data: what an assertion says is
what this process says.
"""

from __future__ import annotations

import builtins
import os
import sys
from typing import IO, Any

from masa_openrlhf.eval.sandbox.self_pipe import allow_asyncio
from masa_openrlhf.eval.sandbox.wire import WireError, format_line, from_wire, parse_line, to_wire


class ProgramError(Exception):
    """The program raised something that is no exception of Python's own."""


class _ProgramCaller:
    """The other end."""

    def __init__(self, replies: IO[bytes], calls: IO[bytes]) -> None:
        self._replies, self._calls = replies, calls

    def stand_in(self, name: str) -> Any:
        """Return a function that calls the program's function ``name``."""

        def call(*arguments: Any, **keywords: Any) -> Any:
            sent = {
                "call": name,
                "arguments": to_wire(arguments),
                "keywords": to_wire(keywords),
            }
            self._calls.write(format_line(sent))
            self._calls.flush()
            line = self._replies.readline()
            if not line:
                raise ProgramError("the program has ended")
            reply = _read_reply(line)
            if "raised" in reply:
                raise _make_exception(reply)
            return reply["value"]

        call.__name__ = name
        return call


def _read_reply(line: bytes) -> dict[str, Any]:
    """Return what came of a call. A reply that is none is no exception that tests may wait for."""
    try:
        reply = parse_line(line)
        return reply if "raised" in reply else {"value": from_wire(reply["value"])}
    except (WireError, KeyError) as error:
        raise ProgramError(f"no reply: {error!s:.200}") from None


_NEVER_RAISED = (ImportError, StopIteration, StopAsyncIteration)
"""What the program cannot import is its own affair; what the tests cannot is the judge's. The
others end a ``map`` or ``for`` of the tests without a word."""


def _make_exception(reply: dict[str, Any]) -> BaseException:
    """Return Python's own exception of that name: tests may wait for it, never for SystemExit."""
    kind = getattr(builtins, str(reply["raised"]), None)
    text = str(reply.get("text"))
    if (
        isinstance(kind, type)
        and issubclass(kind, Exception)
        and not issubclass(kind, _NEVER_RAISED)
    ):
        try:
            return kind(text)
        except TypeError:
            pass
    return ProgramError(f"{reply['raised']}: {text}")


def main() -> None:
    """Run the tests that come, and say whether they passed."""
    replies, calls = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    sys.set_int_max_str_digits(0)
    allow_asyncio()
    message = parse_line(replies.readline())
    program = _ProgramCaller(replies, calls)
    tests: dict[str, Any] = {"__name__": "tests"}
    tests |= {name: program.stand_in(name) for name in message["names"]}
    try:
        exec(compile(message["tests"], "<tests>", "exec"), tests)
        verdict: dict[str, Any] = {"passed": True, "detail": ""}
    except ModuleNotFoundError as error:
        verdict = {"passed": False, "lacks": str(error)}
    except BaseException as error:
        verdict = {"passed": False, "detail": f"{type(error).__name__}: {str(error)[:300]}"}
    calls.write(format_line(verdict))
    calls.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
