"""Programs that are held to a benchmark's own Python tests (MBPP, EvalPlus).

The program runs in a sandbox, the tests in another one: calls and values are carried between them.
"""

from __future__ import annotations

from typing import Any

from masa_rewards import Verdict
from masa_rewards.verify.verdict import Status

from masa_openrlhf.eval.config import SandboxConfig
from masa_openrlhf.eval.graders import strip_thinking
from masa_openrlhf.eval.question import Question
from masa_openrlhf.eval.sandbox.limits import Limits
from masa_openrlhf.eval.sandbox.process import EndedError, Sandbox, SandboxError
from masa_openrlhf.eval.sandbox.wire import WireError, parse_line, read_called_name

SHORT_REPLY_BYTES = 1 << 16
"""Bytes of a reply that says but that a program was loaded, or what it raised."""

_LANGUAGES = ("", "python", "python3", "py")
_BLANK = " \t"


def extract_program(text: str) -> str | None:
    """Return the last fenced block of an answer; None where it has none that is closed.

    Line by line, so that the time is linear in the text's length, whatever it holds.
    """
    program = ""
    block: list[str] | None = None
    for line in strip_thinking(text).split("\n"):
        if block is None:
            block = [] if _opens_block(line) else None
        elif line.lstrip(_BLANK).startswith("```"):
            program, block = "".join(f"{each}\n" for each in block), None
        else:
            block.append(line)
    program = program.replace("\r\n", "\n")
    return program if program.strip() else None


def _opens_block(line: str) -> bool:
    fence = line.removesuffix("\r").strip(_BLANK)
    return fence.startswith("```") and fence[3:].strip(_BLANK).lower() in _LANGUAGES


class ProgramGrader:
    """Holds a program to a benchmark's own Python tests.

    Args:
        config: limits of an answer.
        allow_unsandboxed: run programs where the walls cannot be had.
    """

    def __init__(self, config: SandboxConfig, *, allow_unsandboxed: bool = False) -> None:
        self._limits, self._allow_unsandboxed = limits_from_config(config), allow_unsandboxed

    def grade(self, question: Question, text: str) -> Verdict:
        """Judge one answer. No program is unparsable; a failing sandbox an "error"."""
        program = extract_program(text)
        if program is None:
            return Verdict(status="unparsable", answer=None, detail="no block of code")
        source = question.tests.get("preamble", "") + "\n" + program
        return run_tests(
            source,
            question.tests["source"],
            question.tests["names"],
            self._limits,
            program=program,
            allow_unsandboxed=self._allow_unsandboxed,
        )


def run_tests(
    source: str,
    tests: str,
    names: list[str],
    limits: Limits,
    *,
    program: str = "",
    allow_unsandboxed: bool = False,
) -> Verdict:
    """Hold a program to tests.

    Args:
        source: the program.
        tests: Python that calls it, and raises where it is wrong.
        names: what of the program the tests call.
        limits: of the program's sandbox, and of the tests'.
        program: the part of it that the model wrote, for the record.
        allow_unsandboxed: run it where the walls cannot be had.

    Returns:
        "correct" where all tests ran and none raised.
    """
    try:
        with (
            Sandbox("candidate", limits, allow_unsandboxed=allow_unsandboxed) as candidate,
            Sandbox("tester", limits, allow_unsandboxed=allow_unsandboxed) as tester,
        ):
            return _relay_calls(
                candidate, tester, source, {"tests": tests, "names": names}, program
            )
    except SandboxError as error:
        return Verdict(status="error", answer=program, detail=str(error))


def _relay_calls(
    candidate: Sandbox, tester: Sandbox, source: str, tests: dict[str, Any], program: str
) -> Verdict:
    """Carry calls of the tests to the program and values back, until the tests are done."""
    try:
        candidate.send({"load": source})
        loaded = candidate.receive(most=SHORT_REPLY_BYTES)
        if "raised" in loaded:
            return Verdict(status="incorrect", answer=program, detail=format_exception(loaded))
    except EndedError as error:
        return Verdict(
            status="incorrect", answer=program, detail=f"it ended while it was loaded: {error.how}"
        )
    try:
        tester.send(tests)
        while name := read_called_name(line := tester.receive_line()):
            try:
                candidate.send_line(line)
                reply = candidate.receive_line()
            except EndedError as error:
                return Verdict(
                    status="incorrect", answer=program, detail=f"it ended in {name}: {error.how}"
                )
            tester.send_line(reply)
        asked = parse_line(line)
    except (EndedError, WireError) as error:
        return Verdict(status="incorrect", answer=program, detail=f"the tests ended: {error}")
    if "lacks" in asked:
        return Verdict(
            status="error",
            answer=program,
            detail=f"the tests need what is not installed: {asked['lacks']}",
        )
    status: Status = "correct" if asked.get("passed") is True else "incorrect"
    return Verdict(status=status, answer=program, detail=str(asked.get("detail", "")))


def format_exception(reply: dict[str, Any]) -> str:
    """Show what a program raised."""
    return f"{format_value(reply.get('raised'))}: {format_value(reply.get('text'))}"


def format_value(value: Any) -> str:
    """Show what a program sent: any JSON, however deep, and any value, however large."""
    try:
        return f"{value if isinstance(value, str) else repr(value):.200}"
    except (RecursionError, ValueError):  # ValueError: a number of too many digits
        return f"a {type(value).__name__} that cannot be shown"


def limits_from_config(config: SandboxConfig) -> Limits:
    """Return the limits of an answer."""
    return Limits(
        seconds=config.seconds,
        memory_mb=config.memory_mb,
        processes=config.processes,
        file_mb=config.file_mb,
        output_mb=config.output_mb,
    )
