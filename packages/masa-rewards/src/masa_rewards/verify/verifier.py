"""Is this answer right? Decided at once where it can be, else in a process that can be killed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, get_args

from masa_rewards._checks import require_above_zero, require_at_least, require_one_of
from masa_rewards.verify.case import read_case
from masa_rewards.verify.extraction import Extraction
from masa_rewards.verify.inputs import Gold, require_answer_text, write_gold
from masa_rewards.verify.targets import TargetFault, TargetToParse, read_target
from masa_rewards.verify.verdict import Status, Verdict
from masa_rewards.verify.workers.pool import WorkerPool
from masa_rewards.verify.workers.process import WorkerReply, WorkerSettings


class _PendingVerdict(NamedTuple):
    answer: str
    reply: Future[WorkerReply]

    def verdict(self) -> Verdict:
        """Wait for the reply. An interrupted caller leaves the queue."""
        try:
            reply = self.reply.result()
        finally:
            self.reply.cancel()
        return Verdict(status=reply.outcome, answer=self.answer, detail=reply.detail)


class AnswerVerifier:
    r"""Verifies stated answers against known ones, safely and from any thread.

    The same text and plain numbers are decided at once. What takes computer algebra (math-verify)
    goes to one of a few worker processes, the first of which is started when it is first needed
    (some seconds). A case that takes longer than `timeout`, counted from when a ready worker has
    it, ends with its worker: sympy can hang in C code or eat memory, and only a process can be
    stopped. After pickling and after a fork a verifier starts workers of its own.

    Calls queue in order while all workers are busy; of a queued text only the answer is kept. A
    cancelled `averify` leaves the queue.

    Examples:
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
        max_waiting: int = 1024,
    ) -> None:
        r"""Check and keep the settings; start nothing.

        Args:
            workers: Most processes at a time, >= 1; also how many cases run at a time.
            timeout: Seconds a case may take, > 0.
            memory_mb: Address space of a worker in MiB, >= 256. Not enforced on Windows.
            extraction: "boxed" takes the last `\boxed{...}` for the answer. "anchored" takes "the
                answer is ..." too, where nothing is boxed.
            start_timeout: Seconds a worker may take to start, > 0.
            max_waiting: How many pairs `verify_many` and `verify_stream` read ahead of the verdict
                that is due, >= 1. `verify` and `averify` hold one each, and make their caller wait.

        Raises:
            ValueError: If a setting is out of its range.
        """
        self._settings: dict[str, Any] = {
            "workers": require_at_least(1, "workers", workers),
            "timeout": require_above_zero("timeout", timeout),
            "memory_mb": require_at_least(256, "memory_mb", memory_mb),
            "extraction": require_one_of(get_args(Extraction), "extraction", extraction),
            "start_timeout": require_above_zero("start_timeout", start_timeout),
            "max_waiting": require_at_least(1, "max_waiting", max_waiting),
        }
        self._extraction: Extraction = extraction
        self._size, self._max_waiting = workers, max_waiting
        self._process_settings = WorkerSettings(timeout, memory_mb, start_timeout)
        self._closed = False
        self._pools: dict[int, WorkerPool] = {}

    def verify(self, answer_text: str, gold: Gold) -> Verdict:
        """Verify the answer that a solution states. Blocks while all workers are busy.

        Args:
            answer_text: The solution; its last 8,192 characters are read.
            gold: The right answer, in LaTeX or plain text, or a number. One that cannot be read as
                mathematics is compared as text.

        Returns:
            The verdict. A text without an answer is never right.

        Raises:
            TypeError: If `answer_text` is no text, or `gold` neither text nor a number.
            ValueError: If `gold` is blank, or no finite number.
            RuntimeError: If the verifier is closed, or no worker could ever be started.
        """
        begun = self._begin(answer_text, gold)
        del answer_text  # it may be long, and the wait too
        return begun if isinstance(begun, Verdict) else begun.verdict()

    async def averify(self, answer_text: str, gold: Gold) -> Verdict:
        """Verify without blocking the event loop, any loop. Else like `verify`.

        Cancelled while it waits for a worker it is forgotten; a case that a worker has goes on to
        its end, which keeps that worker busy for `timeout` seconds at most.
        """
        begun = self._begin(answer_text, gold)
        del answer_text
        if isinstance(begun, Verdict):
            return begun
        import asyncio  # only here: synchronous callers need not wait for the import

        try:
            await asyncio.wrap_future(begun.reply)
        finally:
            begun.reply.cancel()
        return begun.verdict()

    def verify_many(self, pairs: Iterable[tuple[str, Gold]]) -> list[Verdict]:
        """Verify many (answer_text, gold) with all workers; verdicts in the order of `pairs`."""
        return list(self.verify_stream(pairs))

    def verify_stream(self, pairs: Iterable[tuple[str, Gold]]) -> Iterator[Verdict]:
        """Verify pairs as they come, with all workers, and as fast as the verdicts are taken.

        At most `max_waiting` pairs are read ahead, and of their texts only the answers are kept:
        `pairs` may be without end.

        Args:
            pairs: (answer_text, gold) each.

        Yields:
            The verdicts, in the order of `pairs`.

        Raises:
            TypeError, ValueError: As `verify`, when the pair is read.
            RuntimeError: If the verifier is closed, or no worker could ever be started.
        """
        begun: deque[Verdict | _PendingVerdict] = deque()
        try:
            for answer_text, gold in pairs:
                begun.append(self._begin(answer_text, gold))
                del answer_text
                while begun and (len(begun) >= self._max_waiting or _is_done(begun[0])):
                    yield _finish_case(begun.popleft())
            while begun:
                yield _finish_case(begun.popleft())
        finally:
            for one in begun:
                if isinstance(one, _PendingVerdict):
                    one.reply.cancel()

    def check_target(self, target: Gold) -> TargetFault | None:
        r"""Say why no answer, or only the same text, could be right for a target.

        Examples:
            >>> with AnswerVerifier() as verifier:
            ...     verifier.check_target("proof"), verifier.check_target(r"\frac{1}{2}")
            ('placeholder', None)

        Args:
            target: A right answer, as it stands in the data.

        Returns:
            The reason; None for a target that answers can be compared with, or that is a word.

        Raises:
            TypeError: If it is neither text nor a number.
            RuntimeError: If the verifier is closed, or no worker could ever be started.
        """
        return self.check_targets([target])[0]

    def check_targets(self, targets: Iterable[Gold]) -> list[TargetFault | None]:
        """Check many targets with all workers, each once; reasons in the order of `targets`."""
        written = list(map(write_gold, targets))
        begun = {target: self._begin_check(target) for target in dict.fromkeys(written)}
        faults = {target: _finish_check(one) for target, one in begun.items()}
        return [faults[target] for target in written]

    def warm(self) -> None:
        """Start all workers in the background, so that no answer waits for a start.

        Without it a worker starts, in a second or two, with the first answer that takes computer
        algebra. Does not block. A worker that cannot start says so with the first such answer.

        Raises:
            RuntimeError: If the verifier is closed.
        """
        if self._closed:
            raise RuntimeError("the verifier is closed; make a new AnswerVerifier")
        for _ in range(self._size):
            self._pool().submit("x", "x")

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

    def _begin(self, answer_text: str, gold: Gold) -> Verdict | _PendingVerdict:
        """The verdict where no computer algebra is needed, else a place in line for it."""
        if self._closed:
            raise RuntimeError("the verifier is closed; make a new AnswerVerifier")
        require_answer_text(answer_text)
        case = read_case(answer_text, write_gold(gold), self._extraction)
        if isinstance(case, Verdict):
            return case
        return _PendingVerdict(case.answer, self._pool().submit(case.stated, case.wanted))

    def _begin_check(self, target: str) -> TargetFault | list[Future[WorkerReply]] | None:
        if self._closed:
            raise RuntimeError("the verifier is closed; make a new AnswerVerifier")
        read = read_target(target)
        if not isinstance(read, TargetToParse):
            return read
        # What cannot be read is told of the answer: so each part is compared with itself.
        return [self._pool().submit(part, part) for part in read.parts]

    def _pool(self) -> WorkerPool:
        # One for each process id, so that a fork gets its own; setdefault is atomic.
        owner = os.getpid()
        if owner not in self._pools:
            self._pools.setdefault(owner, WorkerPool(self._size, self._process_settings))
        return self._pools[owner]


def _is_done(begun: Verdict | _PendingVerdict) -> bool:
    return isinstance(begun, Verdict) or begun.reply.done()


def _finish_case(begun: Verdict | _PendingVerdict) -> Verdict:
    return begun if isinstance(begun, Verdict) else begun.verdict()


_FAULTS: dict[Status, TargetFault] = {
    "unparsable": "unreadable",
    "incorrect": "never equal",
    "timeout": "too slow",
    "error": "too slow",
}


def _finish_check(
    begun: TargetFault | list[Future[WorkerReply]] | None,
) -> TargetFault | None:
    if not isinstance(begun, list):
        return begun
    replies = [reply.result() for reply in begun]
    return next(filter(None, (_FAULTS.get(reply.outcome) for reply in replies)), None)
