"""Is this answer right? Decided at once where it can be, else in a process that can be killed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, get_args

from masa_rewards._answers import READ_CHARACTERS, Extraction, find_answer
from masa_rewards._equal import decide
from masa_rewards._normal import normalise, tidy
from masa_rewards._pool import WorkerPool
from masa_rewards._process import Reply, Settings
from masa_rewards.verdict import Verdict

MAX_CHARACTERS = 1_000
"""A longer answer is not given to computer algebra, which it would only keep busy."""


class _Case(NamedTuple):
    answer: str
    gold: str


class AnswerVerifier:
    r"""Verifies stated answers against known ones, safely and from any thread.

    The same text and plain numbers are decided at once. What takes computer algebra (math-verify)
    goes to one of a few worker processes, the first of which is started when it is first needed
    (some seconds). A case that takes longer than `timeout`, counted from when a ready worker has
    it, ends with its worker: sympy can hang in C code or eat memory, and only a process can be
    stopped. After pickling and after a fork a verifier starts workers of its own.

    >>> with AnswerVerifier() as verifier:
    ...     verifier.verify(r"So the sum is \boxed{\frac12}.", "0.5").status
    'correct'
    """

    def __init__(
        self,
        *,
        workers: int = 2,
        timeout: float = 5.0,
        memory_mb: int = 1024,
        extraction: Extraction = "boxed",
        start_timeout: float = 120.0,
    ) -> None:
        r"""Check and keep the settings; start nothing.

        Args:
            workers: Most processes at a time, >= 1; also how many cases run at a time.
            timeout: Seconds a case may take, > 0.
            memory_mb: Address space of a worker in MiB, >= 256. Not enforced on Windows.
            extraction: "boxed" takes the last `\boxed{...}` for the answer. "anchored" takes "the
                answer is ..." too, where nothing is boxed.
            start_timeout: Seconds a worker may take to start, > 0.

        Raises:
            ValueError: If a setting is out of its range.
        """
        self._settings: dict[str, Any] = {
            "workers": _at_least(1, "workers", workers),
            "timeout": _above_zero("timeout", timeout),
            "memory_mb": _at_least(256, "memory_mb", memory_mb),
            "extraction": _one_of(get_args(Extraction), "extraction", extraction),
            "start_timeout": _above_zero("start_timeout", start_timeout),
        }
        self._extraction: Extraction = extraction
        self._size = workers
        self._process_settings = Settings(timeout, memory_mb, start_timeout)
        self._closed = False
        self._pools: dict[int, WorkerPool] = {}

    def verify(self, answer_text: str, gold: str) -> Verdict:
        """Verify the answer that a solution states. Blocks while all workers are busy.

        Args:
            answer_text: The solution; its last 8,192 characters are read.
            gold: The right answer, in LaTeX or plain text. One that cannot be read as mathematics
                is compared as text.

        Returns:
            The verdict. A text without an answer is never right.

        Raises:
            ValueError: If `gold` is blank.
            RuntimeError: If the verifier is closed, or no worker could ever be started.
        """
        case = self._at_once(answer_text, gold)
        if isinstance(case, Verdict):
            return case
        return _verdict(case, self._pool().ask(tidy(case.answer), tidy(case.gold)))

    async def averify(self, answer_text: str, gold: str) -> Verdict:
        """Verify without blocking the event loop. Else like `verify`."""
        case = self._at_once(answer_text, gold)
        if isinstance(case, Verdict):
            return case
        import asyncio  # whoever awaits has it; whoever does not need not wait for it

        pool, loop = self._pool(), asyncio.get_running_loop()
        reply = await loop.run_in_executor(
            pool.executor, pool.ask, tidy(case.answer), tidy(case.gold)
        )
        return _verdict(case, reply)

    def verify_many(self, pairs: Sequence[tuple[str, str]]) -> list[Verdict]:
        """Verify many (answer_text, gold) with all workers; verdicts in the order of `pairs`."""
        texts, golds = [text for text, _ in pairs], [gold for _, gold in pairs]
        return list(self._pool().executor.map(self.verify, texts, golds))

    def close(self) -> None:
        """Kill the workers. Closed twice it stays closed; left open it closes with the process."""
        self._closed = True
        if pool := self._pools.pop(os.getpid(), None):
            pool.close()

    def __enter__(self) -> AnswerVerifier:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[partial[AnswerVerifier], tuple[()]]:
        return partial(type(self), **self._settings), ()

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self._settings.items())
        return f"AnswerVerifier({settings})"

    def _at_once(self, answer_text: str, gold: str) -> Verdict | _Case:
        """The verdict where no computer algebra is needed, else the case for it."""
        if self._closed:
            raise RuntimeError("the verifier is closed; make a new AnswerVerifier")
        if not gold.strip():
            raise ValueError(
                f"gold is blank ({gold!r}); a problem without an answer has no verdict"
            )
        answer = find_answer(answer_text, self._extraction)
        if answer is None or not normalise(answer):
            detail = f"no {self._extraction} answer in the last {READ_CHARACTERS} characters"
            return Verdict(status="unparsable", answer=answer, detail=detail)
        gold = find_answer(gold, "boxed") or gold
        decided = decide(answer, gold)
        if decided is not None:
            return Verdict(status="correct" if decided else "incorrect", answer=answer)
        if len(answer) > MAX_CHARACTERS:
            detail = f"an answer of {len(answer)} > {MAX_CHARACTERS} characters"
            return Verdict(status="unparsable", answer=answer, detail=detail)
        return _Case(answer, gold)

    def _pool(self) -> WorkerPool:
        # One for each process id, so that a fork gets its own; setdefault is atomic.
        owner = os.getpid()
        if owner not in self._pools:
            self._pools.setdefault(owner, WorkerPool(self._size, self._process_settings))
        return self._pools[owner]


def _verdict(case: _Case, reply: Reply) -> Verdict:
    return Verdict(status=reply.outcome, answer=case.answer, detail=reply.detail)


def _at_least(least: int, name: str, value: int) -> int:
    if value < least:
        raise ValueError(f"{name} must be at least {least}: got {value!r}")
    return value


def _above_zero(name: str, value: float) -> float:
    if not value > 0:
        raise ValueError(f"{name} must be more than 0 seconds: got {value!r}")
    return value


def _one_of(choices: tuple[str, ...], name: str, value: str) -> str:
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices!r}: got {value!r}")
    return value
