from __future__ import annotations

import _thread
import asyncio
import itertools
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from masa_rewards import AnswerVerifier

from tests.masa_rewards.verifier_helpers import (
    ALGEBRA,
    HANG,
    list_worker_pids,
    wait_for_free_slots,
    wait_until,
)


@pytest.fixture(scope="module")
def verifier():
    with AnswerVerifier(workers=1) as shared:
        yield shared


@pytest.fixture
def busy():
    """A verifier whose only worker has a case that hangs for three seconds."""
    with AnswerVerifier(workers=1, timeout=3.0) as one, ThreadPoolExecutor(1) as thread:
        one.verify(*ALGEBRA)
        (pool,) = one._pools.values()
        thread.submit(one.verify, HANG, "1")
        assert wait_until(lambda: not pool._free, 5.0)
        assert wait_until(lambda: "masa-watchdog" in {t.name for t in threading.enumerate()}, 5.0)
        yield one


def make_case(number: int) -> tuple[str, str]:
    return rf"\boxed{{(x+{number})^2}}", "x^2+2x+1"  # right for 1


def test_from_eight_threads():
    with AnswerVerifier(workers=2) as verifier, ThreadPoolExecutor(8) as threads:
        jobs = [
            (rf"\boxed{{{i}x + {i % 3}}}", f"{i} x + {i % 2}", i % 3 == i % 2) for i in range(2, 62)
        ]
        verdicts = list(threads.map(lambda job: verifier.verify(job[0], job[1]), jobs))
        assert [verdict.correct for verdict in verdicts] == [right for _, _, right in jobs]
        assert not any(verdict.failed for verdict in verdicts)
        assert len(list_worker_pids(verifier)) == 2


def test_many_at_once_keep_their_order(verifier):
    pairs = [ALGEBRA, (r"\boxed{2}", "3"), ("none", "3"), ALGEBRA]
    statuses = [verdict.status for verdict in verifier.verify_many(pairs)]
    assert statuses == ["correct", "incorrect", "unparsable", "correct"]
    assert verifier.verify_many([]) == []


def test_the_event_loop_goes_on_while_cases_run(verifier):
    async def both():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        cases = [verifier.averify(rf"\boxed{{(x+{i})^2}}", "x^2+2x+1") for i in range(10)]
        verdicts = await asyncio.gather(*cases, verifier.averify(r"\boxed{1}", "1"))
        ticking.cancel()
        return verdicts, ticks

    verdicts, ticks = asyncio.run(both())
    assert [v.correct for v in verdicts] == [i == 1 for i in range(10)] + [True]
    assert ticks > 2


def test_who_waits_costs_no_thread_and_keeps_only_the_answer(busy):
    async def ask_for_all():
        tasks = [
            asyncio.create_task(busy.averify(f"{number}" * 100_000 + make_case(number)[0], "1"))
            for number in range(100, 200)
        ]
        threads = threading.active_count()
        await asyncio.sleep(0.2)
        (pool,) = busy._pools.values()
        assert len(pool._waiting) == 100
        assert threading.active_count() <= threads
        kept, _ = tracemalloc.get_traced_memory()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return kept

    tracemalloc.start()
    try:
        assert asyncio.run(ask_for_all()) < 3_000_000  # of 30 MB of text
    finally:
        tracemalloc.stop()
    assert wait_for_free_slots(busy, 1)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="3.10: the caller's frame holds arguments")
def test_a_thread_that_waits_keeps_only_the_answer(busy):
    def ask():
        return busy.verify("7" * 5_000_000 + ALGEBRA[0], ALGEBRA[1])

    tracemalloc.start()
    try:
        with ThreadPoolExecutor(4) as threads:
            asked = [threads.submit(ask) for _ in range(4)]
            (pool,) = busy._pools.values()
            assert wait_until(lambda: len(pool._waiting) == 4, 2.0)
            kept, _ = tracemalloc.get_traced_memory()
            assert [one.result().status for one in asked] == ["correct"] * 4
    finally:
        tracemalloc.stop()
    assert kept < 2_000_000  # of 20 MB


def test_cancelling_who_waits_and_who_runs_loses_no_worker():
    async def cancel_all(verifier):
        running = asyncio.create_task(verifier.averify(HANG, "1"))
        await asyncio.sleep(0.5)
        waiting = [asyncio.create_task(verifier.averify(*ALGEBRA)) for _ in range(50)]
        await asyncio.sleep(0.1)
        for task in [running, *waiting]:
            task.cancel()
        done = await asyncio.gather(running, *waiting, return_exceptions=True)
        assert {type(one) for one in done} == {asyncio.CancelledError}

    with AnswerVerifier(workers=1, timeout=2.0) as verifier:
        verifier.verify(*ALGEBRA)
        (pool,) = verifier._pools.values()
        for _ in range(2):
            asyncio.run(cancel_all(verifier))
            assert all(job.reply.cancelled() for job in pool._waiting)
        assert verifier.verify(*ALGEBRA).status == "correct"
        assert wait_for_free_slots(verifier, 1)
        assert len(list_worker_pids(verifier)) == 1


def test_cancelling_at_any_moment_loses_no_worker(verifier):
    async def ask_and_leave(seconds):
        try:
            await asyncio.wait_for(verifier.averify(*make_case(5)), seconds)
        except asyncio.TimeoutError:
            return "late"
        return "in time"

    async def all_of_them():
        moments = (moment * 1e-3 for moment in range(1, 60))
        return await asyncio.gather(*(ask_and_leave(seconds) for seconds in moments))

    verifier.verify(*ALGEBRA)
    assert "late" in asyncio.run(all_of_them())
    assert verifier.verify(*ALGEBRA).status == "correct"
    assert wait_for_free_slots(verifier, 1)


def test_several_event_loops_and_threads_share_the_workers():
    def in_a_loop(start):
        async def all_of_them():
            cases = [verifier.averify(*make_case(number)) for number in range(start, start + 15)]
            return await asyncio.gather(*cases)

        return [verdict.correct for verdict in asyncio.run(all_of_them())]

    with AnswerVerifier(workers=2) as verifier, ThreadPoolExecutor(4) as threads:
        loops = [threads.submit(in_a_loop, start) for start in (0, 1, 2)]
        plain = threads.submit(verifier.verify_many, [make_case(number) for number in range(15)])
        for start, loop in enumerate(loops):
            assert loop.result() == [number == 1 for number in range(start, start + 15)]
        assert [verdict.correct for verdict in plain.result()] == [n == 1 for n in range(15)]
        assert wait_for_free_slots(verifier, 2)
        assert len(list_worker_pids(verifier)) == 2


def test_an_interrupted_wait_gives_its_place_up(busy):
    (pool,) = busy._pools.values()
    threading.Timer(0.5, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        busy.verify(*ALGEBRA)
    assert all(job.reply.cancelled() for job in pool._waiting)
    assert busy.verify(*ALGEBRA).status == "correct"
    assert wait_for_free_slots(busy, 1)


def test_a_stream_without_end_is_read_as_its_verdicts_are_taken():
    read = 0

    def pairs():
        nonlocal read
        for read in itertools.count(1):
            yield make_case(read)

    with AnswerVerifier(workers=2, max_waiting=10) as verifier:
        stream = verifier.verify_stream(pairs())
        assert read == 0
        verdicts = [next(stream) for _ in range(30)]
        assert read <= 40
        assert [verdict.correct for verdict in verdicts] == [True] + [False] * 29
        stream.close()
        assert wait_for_free_slots(verifier, 2)


def test_one_slow_case_does_not_let_a_stream_pile_up(busy):
    read = 0

    def pairs():
        nonlocal read
        for read in range(1, 5_000):
            yield (HANG, "1") if read == 1 else (r"\boxed{1}", "2")

    stream = busy.verify_stream(pairs())
    assert next(stream).status == "timeout"
    assert read == 1024  # the default
    stream.close()


def test_a_long_stream_takes_constant_memory(verifier):
    def pairs():
        for number in range(20_000):
            text = f"{number}" * 4_000  # up to 20 kB, 390 MB in all
            if number % 1000 == 0:
                yield text + ALGEBRA[0], ALGEBRA[1]
            else:
                yield rf"{text} \boxed{{{number % 7}}}", "3"

    tracemalloc.start()
    try:
        counts = Counter(verdict.status for verdict in verifier.verify_stream(pairs()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    right = sum(number % 1000 == 0 or number % 7 == 3 for number in range(20_000))
    assert counts == {"correct": right, "incorrect": 20_000 - right}
    assert peak < 5_000_000


def test_an_error_of_the_source_comes_out_and_nobody_stays_in_line(busy):
    def pairs():
        yield from [ALGEBRA] * 5
        raise OSError("the disk is gone")

    (pool,) = busy._pools.values()
    with pytest.raises(OSError, match="the disk is gone"):
        busy.verify_many(pairs())
    with pytest.raises(ValueError, match="gold is blank"):
        busy.verify_many([ALGEBRA, (r"\boxed{1}", " ")])
    assert all(job.reply.cancelled() for job in pool._waiting)
    assert wait_for_free_slots(busy, 1)


EXIT = """
import threading, time
from masa_rewards import AnswerVerifier
verifier = AnswerVerifier(workers=1, timeout=300.0)
verifier.verify(r"\\boxed{(x+1)^2}", "x^2+2x+1")
for case in [(r"\\boxed{9^{9^{9^{9}}}}", "1"), (r"\\boxed{(x+1)^2}", "y")]:
    threading.Thread(target=verifier.verify, args=case, daemon=True).start()
    time.sleep(0.5)
"""


def test_an_interpreter_that_exits_waits_for_no_case():
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", EXIT], check=True, timeout=120)
    assert time.monotonic() - start < 60.0
