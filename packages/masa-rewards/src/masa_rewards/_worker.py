"""The process that compares two answers by computer algebra, and may be killed at any time.

    python -m masa_rewards._worker TIMEOUT_SECONDS MEMORY_MB

Lines of JSON over stdin and stdout: first `{"ready": ""}`, or why not; then for each case
`{"answer", "gold"}` one `{"outcome", "detail", "spent"}`. It ends when stdin does, that is when the
parent is gone, however it went. A case that runs over is ended by the kernel, even inside C code
and without a parent.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from typing import IO, Any

GRACE = 1.0
"""Seconds beyond the timeout after which the kernel steps in; the parent does so before."""

_FULL = 0.9  # of the memory limit: an allocation that failed may have been swallowed on the way


def main() -> None:
    """Serve cases until stdin ends."""
    timeout, memory_mb = float(sys.argv[1]), int(sys.argv[2])
    replies = _take_stdout()
    logging.disable(logging.CRITICAL)
    _watch_parent()
    try:
        _limit_memory(memory_mb)
        _compare("(x+1)^2", "x^2+2x+1")  # what is loaded at first use is loaded now
    except BaseException as error:
        _send(replies, {"ready": f"{type(error).__name__}: {error}"})
        return
    _send(replies, {"ready": ""})
    for line in sys.stdin.buffer:
        case = json.loads(line)
        _set_alarm(timeout + GRACE)
        reply = _judge(case["answer"], case["gold"])
        _set_alarm(0)
        spent = _peak_mb() >= _FULL * memory_mb
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
    if wanted and verify(wanted, stated, timeout_seconds=None):
        return "correct"
    return "incorrect"


def _take_stdout() -> IO[bytes]:
    """Keep stdout for replies; what anybody prints goes to stderr."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return replies


def _send(replies: IO[bytes], reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply).encode("ascii") + b"\n")
    replies.flush()


def _watch_parent() -> None:
    """End with the parent even if a fork of it holds our stdin open."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def _set_alarm(seconds: float) -> None:
    if sys.platform != "win32":
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _limit_memory(megabytes: int) -> None:
    if sys.platform != "win32":
        import resource

        limit = megabytes * 1024 * 1024
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            limit = min(limit, most)
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def _peak_mb() -> float:
    """Most address space this process has had, in MB; 0 where the system does not say."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            peak = next(line for line in status if line.startswith("VmPeak:"))
    except (OSError, StopIteration):
        return 0.0
    return int(peak.split()[1]) / 1024


if __name__ == "__main__":
    main()
