"""A verifier of what reasoning-gym scores itself."""

from __future__ import annotations

import asyncio

from masa_rewards import Verdict
from masa_rewards.verify.extraction import find_answer
from masa_rewards.verify.workers.pool import WorkerPool
from masa_rewards.verify.workers.process import WorkerSettings

_START_SECONDS = 120.0


class TaskScorer:
    """Worker processes that score answers, each started when it is first needed.

    Args:
        workers: most processes, >= 1.
        timeout: seconds an answer may take, > 0.
        memory_mb: address space of a worker, MiB.
    """

    def __init__(self, *, workers: int, timeout: float, memory_mb: int) -> None:
        module = "masa_openrlhf.procedural.worker"
        settings = WorkerSettings(timeout, memory_mb, _START_SECONDS, module)
        self._pool = WorkerPool(workers, settings)

    def bind_item(self, item: str) -> ItemVerifier:
        """Return the verifier of one problem; ``item`` is its `ScoredItem` in JSON."""
        return ItemVerifier(self._pool, item)

    def close(self) -> None:
        """Kill the workers."""
        self._pool.close()


class ItemVerifier:
    """Judges the answers to one problem by its task's scorer.

    Args:
        pool: worker processes.
        item: `ScoredItem` in JSON.
    """

    def __init__(self, pool: WorkerPool, item: str) -> None:
        self._pool, self._item = pool, item

    async def averify(self, answer_text: str, gold: str) -> Verdict:
        """Judge what is stated in the last box; the gold is one of the right answers."""
        answer = find_answer(answer_text, "boxed")
        if answer is None:
            return Verdict(status="unparsable", answer=None, detail="no boxed answer")
        future = self._pool.submit(answer, self._item)
        try:
            reply = await asyncio.wrap_future(future)
        finally:
            future.cancel()
        return Verdict(status=reply.outcome, answer=answer, detail=reply.detail)
