"""What the tests of the verifier share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from masa_rewards import AnswerVerifier

HANG = r"\boxed{9^{9^{9^{9}}}}"
ALGEBRA = (r"\boxed{(x+1)^2}", "x^2+2x+1")
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and process groups of POSIX")
LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")


def list_worker_pids(verifier: AnswerVerifier) -> list[int]:
    pools = verifier._pools.values()
    return [worker._process.pid for pool in pools for worker in pool._workers if worker.alive]


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # Nobody may reap an orphan here: a zombie is gone too.
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def wait_until_ended(pids: list[int], seconds: float) -> bool:
    return wait_until(lambda: all(map(has_ended, pids)), seconds)


def wait_for_free_slots(verifier: AnswerVerifier, count: int, seconds: float = 10.0) -> bool:
    """Whether nobody waits and no slot is lost, if it comes to that in time."""
    (pool,) = verifier._pools.values()
    return wait_until(lambda: len(pool._free) == count and not pool._waiting, seconds)
