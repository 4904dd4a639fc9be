"""A bounded pool of worker processes, each started when it is first needed."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections import deque
from concurrent.futures import Future
from typing import NamedTuple

from masa_rewards.verify.workers.process import (
    StartError,
    VerificationWorker,
    WorkerReply,
    WorkerSettings,
)


class _Slot:
    """A place for a process; empty until it is needed."""

    worker: VerificationWorker | None = None


class _Job(NamedTuple):
    answer: str
    gold: str
    reply: Future[WorkerReply]


class WorkerPool:
    """At most `size` processes, and a first-in first-out queue of cases.

    A case that is cancelled while it waits leaves the line; one that runs goes on to its end, and
    its process is free then. No thread and no process is spent on a case that waits. A pool belongs
    to the process that made it. It ends with `close`, when it is dropped, or when the interpreter
    exits, which waits for no case.
    """

    def __init__(self, size: int, settings: WorkerSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._closed = False
        self._proven = False
        self._workers: set[VerificationWorker] = set()
        # What can be done to a deque in one step needs no lock: a caller may be interrupted, or
        # dropped by the garbage collector of any thread, at any point.
        self._waiting: deque[_Job] = deque()
        # Last in, first out: a worker that runs is used before one is started.
        self._free = deque(_Slot() for _ in range(size))
        self._finalizer = weakref.finalize(self, _kill_all, self._workers, os.getpid())

    def submit(self, answer: str, gold: str) -> Future[WorkerReply]:
        """Get in line for a comparison of two answers. Does not block; any thread may call.

        Returns:
            The reply to come. It raises RuntimeError if the pool is closed before a worker has the
            case, and StartError if no worker of this pool ever started; later on that is an "error"
            reply.

        Raises:
            RuntimeError: If the pool is closed.
        """
        self._refuse_if_closed()
        job = _Job(answer, gold, Future())
        self._waiting.append(job)
        self._start_jobs()
        return job.reply

    def close(self) -> None:
        """Kill the workers. A case under way comes out as an error."""
        with self._lock:
            self._closed = True
        self._start_jobs()
        self._finalizer()

    def _start_jobs(self) -> None:
        """Give free slots to queued cases. Called after each addition to slots or queue."""
        while self._waiting:
            try:
                slot = self._free.pop()
            except IndexError:  # freeing a slot calls this function again
                if not self._closed:
                    return
                slot = None
            self._start_job(slot)

    def _start_job(self, slot: _Slot | None) -> None:
        job = None
        with contextlib.suppress(IndexError):  # another thread was faster
            job = self._waiting.popleft()
        if job and job.reply.set_running_or_notify_cancel():
            if self._closed:
                job.reply.set_exception(_make_closed_error())
            elif slot and self._run_in_thread(slot, job):
                return
        if slot:
            self._free.append(slot)

    def _run_in_thread(self, slot: _Slot, job: _Job) -> bool:
        # A daemon thread, not an executor: at exit the interpreter joins the threads of an
        # executor, for as long as their cases take.
        try:
            threading.Thread(
                target=self._run, args=(slot, job), name="masa-verify", daemon=True
            ).start()
        except RuntimeError as error:  # no more threads
            job.reply.set_result(WorkerReply("error", f"{type(error).__name__}: {error}"))
            return False
        return True

    def _run(self, slot: _Slot, job: _Job) -> None:
        reply: WorkerReply | BaseException
        try:
            reply = self._ask(slot, job)
        except BaseException as error:
            reply = error
        if slot.worker is not None and slot.worker.alive:
            self._free.append(slot)
        elif self._proven and not self._closed:
            _deliver_reply(job, reply)
            self._restart(slot)
            return
        else:
            self._free.appendleft(slot)  # those that need not start come first
        self._start_jobs()
        _deliver_reply(job, reply)

    def _restart(self, slot: _Slot) -> None:
        """Start the next worker now: the next case need not wait for it, if it comes later."""
        try:
            self._replace(slot)
        except RuntimeError:  # closed, or no process to be had: the next case will say so
            self._free.appendleft(slot)
        else:
            self._free.append(slot)
        self._start_jobs()

    def _ask(self, slot: _Slot, job: _Job) -> WorkerReply:
        """Have a case judged; one whose worker was killed or stopped, once more by a fresh one.

        Not more often: it may be the case that ends its workers.
        """
        reply = self._ask_once(slot, job, last=False)
        if not reply.interrupted or self._closed:
            return reply
        try:
            again = self._ask_once(slot, job, last=True)
        except RuntimeError:
            if not self._closed:
                raise
            return reply
        if again.interrupted:
            return again._replace(detail=f"tried twice: {again.detail}")
        return again

    def _ask_once(self, slot: _Slot, job: _Job, *, last: bool) -> WorkerReply:
        try:
            if slot.worker is None or not slot.worker.alive:
                self._replace(slot)
            return slot.worker.ask(job.answer, job.gold)  # type: ignore[union-attr]
        except StartError as error:
            if not self._proven and (last or not error.interrupted):
                raise
            return WorkerReply("error", str(error), interrupted=error.interrupted)

    def _replace(self, slot: _Slot) -> None:
        if slot.worker is not None:
            slot.worker.kill()  # reaps it and closes its pipes
            self._workers.discard(slot.worker)
            slot.worker = None
        self._refuse_if_closed()
        fresh = VerificationWorker(self._settings)
        with self._lock:
            self._proven = True
            if not self._closed:
                self._workers.add(fresh)
                slot.worker = fresh
        if slot.worker is None:
            fresh.kill()
        self._refuse_if_closed()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise _make_closed_error()


def _deliver_reply(job: _Job, reply: WorkerReply | BaseException) -> None:
    if isinstance(reply, WorkerReply):
        job.reply.set_result(reply)
    else:
        job.reply.set_exception(reply)


def _make_closed_error() -> RuntimeError:
    return RuntimeError("the verifier is closed; make a new AnswerVerifier")


def _kill_all(workers: set[VerificationWorker], owner: int) -> None:
    if os.getpid() != owner:
        return  # a fork of the owner: the workers are not ours
    for worker in list(workers):
        worker.kill()
