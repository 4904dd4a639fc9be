"""The process that compares two answers by computer algebra, and may be killed at any time.

    python -m masa_rewards.verify.workers.worker TIMEOUT_SECONDS MEMORY_MB

Lines of JSON over stdin and stdout: first `{"ready": ""}`, or why not; then for each case
`{"answer", "gold"}` one `{"outcome", "detail", "spent"}`. It ends when stdin does, that is when the
parent is gone, however it went. While a case runs, the kernel ends it: when it runs over, and when
the parent goes, even inside C code.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from typing import IO, Any

from masa_rewards.verify.equality.algebra import compare_by_algebra
from masa_rewards.verify.workers.limits import (
    ParentWatch,
    limit_memory,
    measure_peak_mb,
    reserve_stdout,
    reset_signals,
    restrict_process,
    set_alarm,
)

GRACE = 1.0
"""Seconds beyond the timeout after which the kernel steps in; the parent does so before."""

_FULL = 0.9  # of the memory limit: an allocation that failed may have been swallowed on the way


def serve_cases(compare: Callable[[str, str], str], prepare: Callable[[], object]) -> None:
    """Serve cases until stdin ends. The arguments of the process are its limits.

    Args:
        compare: judges an answer by a gold; what it raises is an "error" of this case.
        prepare: loads what `compare` would load at its first case.
    """
    timeout, memory_mb = float(sys.argv[1]), int(sys.argv[2])
    replies = reserve_stdout()
    logging.disable(logging.CRITICAL)
    reset_signals()
    watch = ParentWatch(replies)
    try:
        limit_memory(memory_mb)
        prepare()
        restrict_process()
    except BaseException as error:
        _send_reply(replies, {"ready": f"{type(error).__name__}: {error}"})
        return
    _send_reply(replies, {"ready": ""})
    for line in sys.stdin.buffer:
        case = json.loads(line)
        set_alarm(timeout + GRACE)
        with watch.kernel():
            reply = _judge_case(compare, case["answer"], case["gold"])
        set_alarm(0)
        spent = measure_peak_mb() >= _FULL * memory_mb
        if spent and reply["outcome"] != "correct":
            reply = {"outcome": "error", "detail": f"memory limit of {memory_mb} MB reached"}
        _send_reply(replies, {**reply, "spent": spent})


def main() -> None:
    """Compare answers by computer algebra."""
    # What is loaded at first use is loaded by a comparison.
    serve_cases(compare_by_algebra, lambda: compare_by_algebra("(x+1)^2", "x^2+2x+1"))


def _judge_case(compare: Callable[[str, str], str], answer: str, gold: str) -> dict[str, str]:
    try:
        return {"outcome": compare(answer, gold), "detail": ""}
    except Exception as error:
        return {"outcome": "error", "detail": f"{type(error).__name__}: {error}"[:500]}


def _send_reply(replies: IO[bytes], reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply).encode("ascii") + b"\n")
    replies.flush()


if __name__ == "__main__":
    main()
