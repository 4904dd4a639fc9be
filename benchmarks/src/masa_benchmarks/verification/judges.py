"""Ours and plain math-verify, each asked for one verdict or for many."""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections.abc import Iterable
from typing import NamedTuple

from masa_rewards import AnswerVerifier

from masa_benchmarks.verification.data import TargetPair

WARM_UP_PAIR = TargetPair(r"\boxed{(x+1)^2}", "x^2+2x+1")


class JudgeResult(NamedTuple):
    """Status of each pair, the seconds each took where that was measured, and all together."""

    statuses: list[str]
    each: list[float]
    seconds: float


def verify_with_masa(pairs: list[TargetPair], workers: int) -> JudgeResult:
    """All pairs at once, with workers that run already."""
    with AnswerVerifier(workers=workers) as verifier:
        verifier.verify_many([WARM_UP_PAIR] * 20 * workers)
        start = time.perf_counter()
        statuses = [verdict.status for verdict in verifier.verify_many(pairs)]
        return JudgeResult(statuses, [], time.perf_counter() - start)


class PlainVerifier:
    """math-verify as its README has it, in a process that can be killed.

    `verify(parse(gold), parse(answer))`, in the main thread, with its own time limits of five
    seconds for each of the three. The process may have `memory_mb` of address space, and is killed
    when a case takes more than `limit` seconds.
    """

    def __init__(self, limit: float, memory_mb: int = 4096) -> None:
        self._limit, self._memory_mb = limit, memory_mb
        self._start()

    def verify(self, pair: TargetPair) -> str:
        """Return correct or incorrect; raised, hung or died where it came to that."""
        self._pipe.send(pair)
        try:
            if self._pipe.poll(self._limit):
                return self._pipe.recv()
            outcome = "hung"
        except (EOFError, ConnectionError):
            outcome = "died"
        self.close()
        self._start()
        return outcome

    def close(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve_plain, args=(theirs, self._memory_mb), daemon=True
        )
        self._process.start()
        theirs.close()
        self._pipe.send(WARM_UP_PAIR)
        if self._pipe.recv() != "correct":
            raise RuntimeError("math-verify does not work here")


def _serve_plain(pipe, memory_mb: int) -> None:
    import resource

    from math_verify import parse, verify

    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    while True:
        pair = pipe.recv()
        try:
            right = verify(parse(f"${pair.target}$"), parse(pair.solution))
            pipe.send("correct" if right else "incorrect")
        except Exception:
            pipe.send("raised")


def verify_with_plain(pairs: Iterable[TargetPair], limit: float = 30.0) -> JudgeResult:
    """All pairs, one after the other."""
    verifier = PlainVerifier(limit)
    statuses, each = [], []
    start = time.perf_counter()
    for pair in pairs:
        begun = time.perf_counter()
        statuses.append(verifier.verify(pair))
        each.append(time.perf_counter() - begun)
    seconds = time.perf_counter() - start
    verifier.close()
    return JudgeResult(statuses, each, seconds)
