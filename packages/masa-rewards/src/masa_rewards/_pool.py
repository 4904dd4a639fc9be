"""A bounded pool of worker processes, each started when it is first needed."""

from __future__ import annotations

import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from queue import LifoQueue

from masa_rewards._process import Reply, Settings, StartError, Worker


class WorkerPool:
    """At most `size` processes; who asks while all are busy waits for one.

    A pool belongs to the process that made it. It ends with `close`, when it is dropped, or when
    the interpreter exits.

    Attributes:
        executor: `size` threads for callers that cannot block; its queue is unbounded.
    """

    def __init__(self, size: int, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._closed = False
        self._proven = False
        self._workers: set[Worker] = set()
        # Last in, first out: a worker that runs is used before one is started.
        self._slots: LifoQueue[Worker | None] = LifoQueue()
        for _ in range(size):
            self._slots.put(None)
        self.executor = ThreadPoolExecutor(size, thread_name_prefix="masa-verify")
        self._finalizer = weakref.finalize(self, _kill_all, self._workers, os.getpid())

    def ask(self, answer: str, gold: str) -> Reply:
        """Compare two answers in a worker. Blocks; any thread may call.

        Raises:
            RuntimeError: If the pool is closed.
            StartError: If no worker of this pool ever started. Later on that is an "error" reply.
        """
        worker = self._slots.get()
        try:
            if worker is None or not worker.alive:
                worker = self._replace(worker)
            return worker.ask(answer, gold)
        except StartError as error:
            if not self._proven:
                raise
            return Reply("error", str(error))
        finally:
            self._slots.put(worker)

    def close(self) -> None:
        """Kill the workers. A case under way comes out as an error."""
        with self._lock:
            self._closed = True
        self.executor.shutdown(wait=False, cancel_futures=True)
        self._finalizer()

    def _replace(self, worker: Worker | None) -> Worker:
        if worker is not None:
            worker.kill()  # reaps it and closes its pipes
            self._workers.discard(worker)
        self._refuse_if_closed()
        fresh = Worker(self._settings)
        with self._lock:
            self._proven = True
            if not self._closed:
                self._workers.add(fresh)
        if self._closed:
            fresh.kill()
        self._refuse_if_closed()
        return fresh

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise RuntimeError("the verifier is closed; make a new AnswerVerifier")


def _kill_all(workers: set[Worker], owner: int) -> None:
    if os.getpid() != owner:
        return  # a fork of the owner: the workers are not ours
    for worker in list(workers):
        worker.kill()
