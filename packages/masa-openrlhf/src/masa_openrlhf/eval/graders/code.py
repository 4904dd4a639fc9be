"""Programs: in the sandbox, held to the tests of the benchmark.

Two kinds of tests. ``ProgramGrader``: the benchmark brings Python that calls the program (MBPP,
EvalPlus); it runs in a sandbox of its own. ``CasesGrader``: inputs and the outputs they must give
(LiveCodeBench); they are compared here, as data.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from masa_openrlhf.eval.config import SandboxConfig
from masa_openrlhf.eval.graders import answer_part
from masa_openrlhf.eval.question import Grade, Question
from masa_openrlhf.eval.sandbox.limits import Limits
from masa_openrlhf.eval.sandbox.probe import call
from masa_openrlhf.eval.sandbox.process import EndedError, Sandbox, SandboxError
from masa_openrlhf.eval.sandbox.wire import WireError, from_wire

_BLOCK = re.compile(
    r"^[ \t]*```[ \t]*(?:python3?|py)?[ \t]*\r?\n(.*?)^[ \t]*```", re.M | re.S | re.I
)
_GIVEN = (
    *("string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random"),
    *("statistics", "itertools", "functools", "operator", "io", "sys", "json", "builtins"),
    "typing",
)
GIVEN_IMPORTS = "".join(f"from {name} import *\nimport {name}\n" for name in _GIVEN)
"""What LiveCodeBench's programs may use without importing it."""


def program_of(text: str) -> str | None:
    """Return the last fenced block of an answer; None where it has none that is closed."""
    blocks = _BLOCK.findall(answer_part(text))
    program = blocks[-1].replace("\r\n", "\n") if blocks else ""
    return program if program.strip() else None


class ProgramGrader:
    """Holds a program to a benchmark's own Python tests.

    Args:
        config: limits of an answer.
        i_know: run programs where the walls cannot be had.
    """

    def __init__(self, config: SandboxConfig, *, i_know: bool = False) -> None:
        self._limits, self._i_know = limits_of(config), i_know

    def grade(self, question: Question, text: str) -> Grade:
        """Judge one answer. No program is unparsable; a failing sandbox an "error"."""
        program = program_of(text)
        if program is None:
            return Grade("unparsable", None, "no block of code")
        source = question.tests.get("preamble", "") + "\n" + program
        return run_tests(
            source,
            question.tests["source"],
            question.tests["names"],
            self._limits,
            program=program,
            i_know=self._i_know,
        )


def run_tests(
    source: str,
    tests: str,
    names: list[str],
    limits: Limits,
    *,
    program: str = "",
    i_know: bool = False,
) -> Grade:
    """Hold a program to tests.

    Args:
        source: the program.
        tests: Python that calls it, and raises where it is wrong.
        names: what of the program the tests call.
        limits: of the program's sandbox, and of the tests'.
        program: the part of it that the model wrote, for the record.
        i_know: run it where the walls cannot be had.

    Returns:
        "correct" where all tests ran and none raised.
    """
    try:
        with (
            Sandbox("candidate", limits, i_know=i_know) as candidate,
            Sandbox("tester", limits, i_know=i_know) as tester,
        ):
            return _relay(candidate, tester, source, {"tests": tests, "names": names}, program)
    except SandboxError as error:
        return Grade("error", program, str(error))


def _relay(
    candidate: Sandbox, tester: Sandbox, source: str, tests: dict[str, Any], program: str
) -> Grade:
    """Carry calls of the tests to the program and values back, until the tests are done."""
    try:
        candidate.send({"load": source})
        loaded = candidate.receive()
        if "raised" in loaded:
            return Grade("incorrect", program, _raised(loaded))
    except EndedError as error:
        return Grade("incorrect", program, f"it ended while it was loaded: {error.how}")
    try:
        tester.send(tests)
        while "call" in (asked := tester.receive()):
            try:
                candidate.send(asked)
                reply = candidate.receive()
            except EndedError as error:
                return Grade("incorrect", program, f"it ended in {asked['call']}: {error.how}")
            tester.send(reply)
    except EndedError as error:
        return Grade("incorrect", program, f"the tests ended: {error.how}")
    if "lacks" in asked:
        return Grade("error", program, f"the tests need what is not installed: {asked['lacks']}")
    status = "correct" if asked.get("passed") is True else "incorrect"
    return Grade(status, program, str(asked.get("detail", "")))


class CasesGrader:
    """Holds a program to inputs and outputs, as LiveCodeBench does.

    Args:
        config: limits of an answer, and of a case.
        i_know: run programs where the walls cannot be had.
    """

    def __init__(self, config: SandboxConfig, *, i_know: bool = False) -> None:
        self._limits, self._i_know = limits_of(config), i_know
        self._seconds = config.case_seconds

    def grade(self, question: Question, text: str) -> Grade:
        """Judge one answer: right where every case is."""
        program = program_of(text)
        if program is None:
            return Grade("unparsable", None, "no block of code")
        try:
            with Sandbox("candidate", self._limits, i_know=self._i_know) as sandbox:
                why = self._first_wrong(sandbox, program, question.tests)
        except SandboxError as error:
            return Grade("error", program, str(error))
        except EndedError as error:
            why = f"it ended: {error.how}"
        return Grade("incorrect" if why else "correct", program, why)

    def _first_wrong(self, sandbox: Sandbox, program: str, tests: dict[str, Any]) -> str:
        source, name = GIVEN_IMPORTS + program, tests.get("function")
        if name:
            sandbox.send({"load": source})
            loaded = sandbox.receive(self._seconds)
            if "raised" in loaded:
                return _raised(loaded)
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
        sandbox.send(call(name, arguments))
        reply = sandbox.receive(self._seconds)
        if "value" not in reply:
            return _raised(reply)
        try:
            value = from_wire(reply["value"])
        except WireError as error:
            return str(error)
        return "" if same_value(value, json.loads(wanted)) else f"it gave {_short(value)}"

    def _run(self, sandbox: Sandbox, source: str, given: str, wanted: str) -> str:
        sandbox.send({"run": source, "stdin": given, "seconds": self._seconds})
        reply = sandbox.receive()
        status, output = reply.get("status"), reply.get("output")
        if status != 0:
            return f"it ended with {_short(status)}"
        if isinstance(output, str) and same_output(output, wanted):
            return ""
        return f"it wrote {_short(repr(output))}"


def _raised(reply: dict[str, Any]) -> str:
    return f"{_short(reply.get('raised'))}: {_short(reply.get('text'))}"


def _short(value: Any) -> str:
    """Show what a program sent: any JSON, however deep, and any value, however large."""
    try:
        return f"{value if isinstance(value, str) else repr(value):.200}"
    except (RecursionError, ValueError):  # ValueError: a number of too many digits
        return f"a {type(value).__name__} that cannot be shown"


def same_value(value: Any, wanted: Any) -> bool:
    """Whether a returned value is the wanted one; a tuple will do for a list, as there."""
    if isinstance(value, tuple):
        value = list(value)
    if isinstance(value, list) and isinstance(wanted, list):
        return len(value) == len(wanted) and all(map(same_value, value, wanted))
    return type(value) in (type(wanted), int, float) and bool(value == wanted)


def same_output(output: str, wanted: str) -> bool:
    """Whether two outputs are the same: line by line without the space around, numbers by value."""
    ours, theirs = ([line.strip() for line in o.strip().split("\n")] for o in (output, wanted))
    return len(ours) == len(theirs) and all(map(_same_line, ours, theirs))


def _same_line(ours: str, theirs: str) -> bool:
    if ours == theirs:
        return True
    try:
        return [Decimal(one) for one in ours.split()] == [Decimal(one) for one in theirs.split()]
    except InvalidOperation:
        return False


def limits_of(config: SandboxConfig) -> Limits:
    """Return the limits of an answer."""
    return Limits(
        seconds=config.seconds,
        memory_mb=config.memory_mb,
        processes=config.processes,
        file_mb=config.file_mb,
        output_mb=config.output_mb,
    )
