"""The process that compares two answers by computer algebra, and may be killed at any time.

    python -m masa_rewards._worker TIMEOUT_SECONDS MEMORY_MB

Lines of JSON over stdin and stdout: first `{"ready": ""}`, or why not; then for each case
`{"answer", "gold"}` one `{"outcome", "detail", "spent"}`. It ends when stdin does, that is when the
parent is gone, however it went. While a case runs, the kernel ends it: when it runs over, and when
the parent goes, even inside C code.
"""

from __future__ import annotations

import json
import logging
import math
import sys
from typing import IO, Any

from masa_rewards._limits import (
    ParentWatch,
    limit_harm,
    limit_memory,
    peak_mb,
    reset_signals,
    set_alarm,
    take_stdout,
)

GRACE = 1.0
"""Seconds beyond the timeout after which the kernel steps in; the parent does so before."""

_FULL = 0.9  # of the memory limit: an allocation that failed may have been swallowed on the way


def main() -> None:
    """Serve cases until stdin ends."""
    timeout, memory_mb = float(sys.argv[1]), int(sys.argv[2])
    replies = take_stdout()
    logging.disable(logging.CRITICAL)
    reset_signals()
    watch = ParentWatch(replies)
    try:
        limit_memory(memory_mb)
        _compare("(x+1)^2", "x^2+2x+1")  # what is loaded at first use is loaded now
        limit_harm()
    except BaseException as error:
        _send(replies, {"ready": f"{type(error).__name__}: {error}"})
        return
    _send(replies, {"ready": ""})
    for line in sys.stdin.buffer:
        case = json.loads(line)
        set_alarm(timeout + GRACE)
        with watch.kernel():
            reply = _judge(case["answer"], case["gold"])
        set_alarm(0)
        spent = peak_mb() >= _FULL * memory_mb
        if spent and reply["outcome"] != "correct":
            reply = {"outcome": "error", "detail": f"memory limit of {memory_mb} MB reached"}
        _send(replies, {**reply, "spent": spent})


def _judge(answer: str, gold: str) -> dict[str, str]:
    try:
        return {"outcome": _compare(answer, gold), "detail": ""}
    except Exception as error:
        return {"outcome": "error", "detail": f"{type(error).__name__}: {error}"[:500]}


def _compare(answer: str, gold: str) -> str:
    """Return "correct", "incorrect", or "unparsable" when the answer cannot be read."""
    # A second to import: only here, never in the parent.
    from math_verify import LatexExtractionConfig, parse, verify

    # No plain expressions: of "2007 + what cannot be read 2" they would take the last number.
    latex = [LatexExtractionConfig()]

    def read(text: str) -> list[Any]:
        boxed = f"\\boxed{{{text}}}"
        # The timeouts are ours: its own need the main thread, and cannot stop C code.
        return list(parse(boxed, latex, fallback_mode="no_fallback", parsing_timeout=None))

    stated = read(answer)
    if not stated:
        return "unparsable"
    wanted = read(gold)
    places = _places(wanted)
    if wanted and verify(wanted, stated, float_rounding=places, timeout_seconds=None):
        return "correct"
    return "incorrect"


def _places(wanted: list[Any]) -> int:
    """Places behind the point that must agree: six, and more for a number close to 0."""
    from sympy import Expr

    number = next((one for one in wanted if isinstance(one, Expr) and one.is_number), None)
    if number is None:
        return 6
    size = abs(number.evalf(3))
    if size == 0:
        return 15
    if not size.is_Float or size >= 1:
        return 6
    _, _, exponent, bits = size._mpf_  # a float would not hold all of them
    return 6 - math.floor(int(exponent + bits) * math.log10(2))


def _send(replies: IO[bytes], reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply).encode("ascii") + b"\n")
    replies.flush()


if __name__ == "__main__":
    main()
