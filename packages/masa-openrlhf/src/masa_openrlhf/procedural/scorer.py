"""A verifier of what reasoning-gym scores itself."""

from __future__ import annotations

import asyncio

from masa_rewards import Verdict
from masa_rewards.verify.extraction import Extraction, find_answer
from masa_rewards.verify.workers.pool import WorkerPool
from masa_rewards.verify.workers.process import WorkerSettings

_START_SECONDS = 120.0


class TaskScorer:
    """Worker processes that score answers, each started when it is first needed.

    Args:
        workers: most processes, >= 1.
        timeout: seconds an answer may take, > 0.
        memory_mb: address space of a worker, MiB.
        extraction: what states an answer, as of `AnswerVerifier`.
    """

    def __init__(
        self, *, workers: int, timeout: float, memory_mb: int, extraction: Extraction = "boxed"
    ) -> None:
        module = "masa_openrlhf.procedural.worker"
        settings = WorkerSettings(timeout, memory_mb, _START_SECONDS, module)
        self._pool = WorkerPool(workers, settings)
        self._extraction = extraction

    def bind_item(self, item: str) -> ItemVerifier:
        """Return the verifier of one problem; ``item`` is its `ScoredItem` in JSON."""
        return ItemVerifier(self._pool, item, self._extraction)

    def close(self) -> None:
        """Kill the workers."""
        self._pool.close()


class ItemVerifier:
    """Judges the answers to one problem by its task's scorer.

    Args:
        pool: worker processes.
        item: `ScoredItem` in JSON.
        extraction: what states an answer.
    """

    def __init__(self, pool: WorkerPool, item: str, extraction: Extraction) -> None:
        self._pool, self._item, self._extraction = pool, item, extraction

    async def averify(self, answer_text: str, gold: str) -> Verdict:
        """Judge what is stated last, in a box; the gold is one of the right answers."""
        answer = find_answer(answer_text, self._extraction)
        if answer is None:
            return Verdict(status="unparsable", answer=None, detail="no answer is stated")
        future = self._pool.submit(answer, self._item)
        try:
            reply = await asyncio.wrap_future(future)
        finally:
            future.cancel()
        return Verdict(status=reply.outcome, answer=answer, detail=reply.detail)
