"""Programs that are held to inputs and the outputs they must give (LiveCodeBench).

The outputs are compared here, as data: the program knows none of them.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from masa_rewards import Verdict

from masa_openrlhf.eval.config import SandboxConfig
from masa_openrlhf.eval.graders.program import (
    SHORT_REPLY_BYTES,
    extract_program,
    format_exception,
    format_value,
    limits_from_config,
)
from masa_openrlhf.eval.question import Question
from masa_openrlhf.eval.sandbox.probe import make_call
from masa_openrlhf.eval.sandbox.process import EndedError, Sandbox, SandboxError
from masa_openrlhf.eval.sandbox.wire import WireError, parse_line, to_wire

_GIVEN_MODULES = (
    *("string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random"),
    *("statistics", "itertools", "functools", "operator", "io", "sys", "json", "builtins"),
    "typing",
)
GIVEN_IMPORTS = "".join(f"from {name} import *\nimport {name}\n" for name in _GIVEN_MODULES)
"""What LiveCodeBench's programs may use without importing it."""


class CasesGrader:
    """Holds a program to inputs and outputs, as LiveCodeBench does.

    Args:
        config: limits of an answer, and of a case.
        allow_unsandboxed: run programs where the walls cannot be had.
    """

    def __init__(self, config: SandboxConfig, *, allow_unsandboxed: bool = False) -> None:
        self._limits, self._allow_unsandboxed = limits_from_config(config), allow_unsandboxed
        self._seconds = config.case_seconds

    def grade(self, question: Question, text: str) -> Verdict:
        """Judge one answer: right where every case is."""
        program = extract_program(text)
        if program is None:
            return Verdict(status="unparsable", answer=None, detail="no block of code")
        try:
            with Sandbox(
                "candidate", self._limits, allow_unsandboxed=self._allow_unsandboxed
            ) as sandbox:
                why = self._first_wrong(sandbox, program, question.tests)
        except SandboxError as error:
            return Verdict(status="error", answer=program, detail=str(error))
        except EndedError as error:
            why = f"it ended: {error.how}"
        except WireError as error:
            why = str(error)
        return Verdict(status="incorrect" if why else "correct", answer=program, detail=why)

    def _first_wrong(self, sandbox: Sandbox, program: str, tests: dict[str, Any]) -> str:
        source, name = GIVEN_IMPORTS + program, tests.get("function")
        if name:
            sandbox.send({"load": source})
            loaded = sandbox.receive(self._seconds, SHORT_REPLY_BYTES)
            if "raised" in loaded:
                return format_exception(loaded)
            if re.search(r"^class\s+Solution\b", program, re.MULTILINE):
                name = f"Solution.{name}"
        cases = zip(tests["inputs"], tests["outputs"], strict=True)
        for number, (given, wanted) in enumerate(cases, start=1):
            why = (
                self._call(sandbox, name, given, wanted)
                if name
                else self._run(sandbox, source, given, wanted)
            )
            if why:
                return f"case {number}: {why}"
        return ""

    def _call(self, sandbox: Sandbox, name: str, given: str, wanted: str) -> str:
        arguments = [json.loads(line) for line in given.split("\n") if line.strip()]
        value = json.loads(wanted)
        sandbox.send(make_call(name, arguments))
        line = sandbox.receive_line(self._seconds)
        if len(line) > _limit_reply(value):
            return f"it gave {line[:200].decode('ascii', 'replace')}, longer than any right value"
        reply = parse_line(line)
        if "value" not in reply:
            return format_exception(reply)
        right = is_same_value(reply["value"], value)
        return "" if right else f"it gave {format_value(reply['value'])}"

    def _run(self, sandbox: Sandbox, source: str, given: str, wanted: str) -> str:
        sandbox.send({"run": source, "stdin": given, "seconds": self._seconds})
        reply = sandbox.receive()
        status, output = reply.get("status"), reply.get("output")
        if status != 0:
            return f"it ended with {format_value(status)}"
        if isinstance(output, str) and is_same_output(output, wanted):
            return ""
        return f"it wrote {format_value(repr(output))}"


def _limit_reply(wanted: Any) -> int:
    """Bytes of a reply that are read: a right one is about as long as what is wanted."""
    return 4 * len(json.dumps(to_wire(wanted))) + SHORT_REPLY_BYTES


def is_same_value(sent: Any, wanted: Any) -> bool:
    """Whether a returned value is the wanted one; a tuple will do for a list, as there.

    It is compared as it was sent and never rebuilt: here, outside of all limits, a fraction of
    millions of digits or keys that share a hash would hold up the whole evaluation.

    Args:
        sent: what `wire` sends for the value, or whatever else the program wrote.
        wanted: what JSON can hold.
    """
    if isinstance(wanted, list):
        parts = _read_parts(sent, "l", "t")
        if parts is None or len(parts) != len(wanted):
            return False
        return all(map(is_same_value, parts, wanted))
    if isinstance(wanted, dict):
        return _is_same_dict(_read_parts(sent, "d"), wanted)
    if isinstance(sent, list):  # a number beyond 2^53 is sent as ["i", digits]
        whole = int(wanted) if isinstance(wanted, float) and wanted.is_integer() else wanted
        return type(whole) is int and sent == to_wire(whole)
    return type(sent) in (type(wanted), int, float) and bool(sent == wanted)


def _is_same_dict(pairs: list[Any] | None, wanted: dict[str, Any]) -> bool:
    if pairs is None or len(pairs) != len(wanted):
        return False
    if not all(isinstance(p, list) and len(p) == 2 and isinstance(p[0], str) for p in pairs):
        return False
    found = dict(pairs)
    return found.keys() == wanted.keys() and all(is_same_value(found[k], wanted[k]) for k in wanted)


def _read_parts(sent: Any, *tags: str) -> list[Any] | None:
    """Return what a list, tuple or dict holds, as it was sent; None where it is none."""
    if isinstance(sent, list) and len(sent) == 2 and sent[0] in tags and isinstance(sent[1], list):
        return sent[1]
    return None


def is_same_output(output: str, wanted: str) -> bool:
    """Whether two outputs are the same: line by line without the space around, numbers by value.

    No more is taken apart of ``output``, however long it is, than ``wanted`` has lines and words.
    """
    ours, theirs = output.strip(), wanted.strip()
    return ours.count("\n") == theirs.count("\n") and all(
        map(_is_same_line, ours.split("\n"), theirs.split("\n"))
    )


def _is_same_line(ours: str, theirs: str) -> bool:
    ours, theirs = ours.strip(), theirs.strip()
    if ours == theirs:
        return True
    wanted = theirs.split()
    found = ours.split(None, len(wanted))
    try:
        return len(found) == len(wanted) and all(map(_is_same_number, found, wanted))
    except InvalidOperation:
        return False


def _is_same_number(ours: str, theirs: str) -> bool:
    return Decimal(ours) == Decimal(theirs)
