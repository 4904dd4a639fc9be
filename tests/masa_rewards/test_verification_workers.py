from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from masa_rewards import AnswerVerifier, Verdict

from tests.masa_rewards.verifier_helpers import (
    ALGEBRA,
    HANG,
    LINUX,
    POSIX,
    list_worker_pids,
    wait_for_free_slots,
    wait_until,
    wait_until_ended,
)


def test_no_process_is_started_for_what_can_be_told_at_once():
    with AnswerVerifier() as verifier:
        verifier.verify(r"\boxed{1}", "2")
        verifier.verify(r"\boxed{0.5}", r"\frac12")
        verifier.verify("no answer", "2")
        assert list_worker_pids(verifier) == []


def test_a_case_that_hangs_times_out_and_the_next_is_fine():
    with AnswerVerifier(workers=1, timeout=3.0) as verifier:
        assert verifier.verify(*ALGEBRA).status == "correct"
        (before,) = list_worker_pids(verifier)
        start = time.monotonic()
        verdict = verifier.verify(HANG, "1")
        assert 2.9 < time.monotonic() - start < 10.0
        assert verdict == Verdict(
            status="timeout", answer="9^{9^{9^{9}}}", detail="not done after 3.0 s"
        )
        assert verdict.failed
        assert verifier.verify(*ALGEBRA).status == "correct"
        assert list_worker_pids(verifier) != [before]
        assert not verdict.correct


@POSIX
def test_a_worker_that_is_killed_is_replaced():
    with AnswerVerifier(workers=1, timeout=30.0) as verifier:
        verifier.verify(*ALGEBRA)
        (pid,) = list_worker_pids(verifier)
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: not list_worker_pids(verifier), 5.0)
        assert verifier.verify(*ALGEBRA).status == "correct"  # killed while idle: not noticed
        with ThreadPoolExecutor(1) as thread:
            verdict = thread.submit(verifier.verify, HANG, "1")
            killed = set()
            for _ in range(2):  # once may have been anybody's fault
                assert wait_until(lambda: set(list_worker_pids(verifier)) - killed, 60.0)
                (pid,) = list_worker_pids(verifier)
                time.sleep(0.5)
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        assert verdict.result().status == "error"
        assert "tried twice: the worker ended with code -9" in verdict.result().detail
        assert verifier.verify(*ALGEBRA).status == "correct"


def end_or_stop(verifier, seconds, seed):
    """Kill or stop some worker every now and then."""
    draw = random.Random(seed)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(draw.uniform(0.2, 0.6))
        for pid in list_worker_pids(verifier)[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, draw.choice([signal.SIGKILL, signal.SIGSTOP]))


@LINUX
def test_killed_and_stopped_workers_cost_no_verdict(monkeypatch):
    monkeypatch.setattr("masa_rewards.verify.workers.process._POLL_SECONDS", 0.1)
    pairs, wanted = [], []
    for n in range(200):
        right = n % 2 == 0
        pairs.append((rf"\boxed{{(x+{n})^2}}", f"x^2+{2 * n}x+{n * n + (not right)}"))
        wanted.append("correct" if right else "incorrect")
    with AnswerVerifier(workers=2, timeout=20.0) as verifier:
        verifier.verify(*ALGEBRA)
        with ThreadPoolExecutor(1) as thread:
            havoc = thread.submit(end_or_stop, verifier, 4.0, 7)
            found = [verdict.status for verdict in verifier.verify_stream(pairs)]
            havoc.result()
        pids = list_worker_pids(verifier)
        assert verifier.verify(*ALGEBRA).status == "correct"
    wrong = [(f, w) for f, w in zip(found, wanted, strict=True) if f not in (w, "error")]
    assert wrong == []
    assert found.count("error") <= 4  # of those that were hit twice
    assert wait_until_ended(pids, 10.0)


@LINUX
def test_a_worker_that_is_stopped_while_it_starts_is_replaced(monkeypatch):
    monkeypatch.setattr("masa_rewards.verify.workers.process._POLL_SECONDS", 0.1)
    started = subprocess.Popen

    def stopped_at_once(*args, **kwargs):
        process = started(*args, **kwargs)
        process.send_signal(signal.SIGSTOP)
        monkeypatch.setattr("masa_rewards.verify.workers.process.subprocess.Popen", started)
        return process

    monkeypatch.setattr("masa_rewards.verify.workers.process.subprocess.Popen", stopped_at_once)
    with AnswerVerifier(workers=1) as verifier:
        assert verifier.verify(*ALGEBRA).status == "correct"


@POSIX
def test_a_case_goes_to_a_worker_that_runs_before_one_is_started():
    with AnswerVerifier(workers=2) as verifier:
        for _ in range(3):
            assert verifier.verify(*ALGEBRA).status == "correct"
        assert len(list_worker_pids(verifier)) == 1


@POSIX
def test_workers_are_started_ahead_where_that_is_asked_for():
    with AnswerVerifier(workers=2) as verifier:
        verifier.warm()
        assert wait_until(lambda: len(list_worker_pids(verifier)) == 2, 60.0)
        assert wait_for_free_slots(verifier, 2, 60.0)
        warm = sorted(list_worker_pids(verifier))
        assert verifier.verify(*ALGEBRA).status == "correct"
        assert sorted(list_worker_pids(verifier)) == warm
    with pytest.raises(RuntimeError, match="is closed"):
        verifier.warm()


@POSIX
def test_a_worker_that_was_ended_is_replaced_before_it_is_needed():
    with AnswerVerifier(workers=1, timeout=2.0) as verifier:
        assert verifier.verify(*ALGEBRA).status == "correct"
        assert verifier.verify(HANG, "1").status == "timeout"
        assert wait_until(lambda: list_worker_pids(verifier), 60.0)
        warm = list_worker_pids(verifier)
        assert verifier.verify(*ALGEBRA).status == "correct"
        assert list_worker_pids(verifier) == warm


@POSIX
def test_memory_is_limited_and_running_out_is_no_wrong_answer():
    with AnswerVerifier(workers=1, timeout=20.0, memory_mb=256) as verifier:
        assert verifier.verify(*ALGEBRA).status == "correct"
        before = list_worker_pids(verifier)
        # 200 MB of integer, in far less time than the timeout
        verdict = verifier.verify(r"\boxed{2^{2^{32}} + x}", "1 + x")
        assert verdict.status == "error", verdict
        # Its peak would be taken for that of every later case.
        assert wait_until(lambda: list_worker_pids(verifier) not in ([], before), 60.0)
        assert verifier.verify(*ALGEBRA).status == "correct"


@POSIX
@pytest.mark.parametrize("answer", ["(10^8)! + x", "2^{2^{32}} + x", r"\prod_{k=1}^{10^8} k"])
def test_a_memory_bomb_stays_in_its_process(answer):
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with AnswerVerifier(workers=1, timeout=2.0, memory_mb=256) as verifier:
        verdict = verifier.verify(rf"\boxed{{{answer}}}", "1 + x")
        assert verdict.status in ("error", "timeout"), verdict
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB
        assert verifier.verify(*ALGEBRA).status == "correct"


@LINUX
def test_a_worker_has_the_memory_it_is_given_and_no_more():
    with AnswerVerifier(workers=1, memory_mb=300) as verifier:
        verifier.verify(*ALGEBRA)
        (pid,) = list_worker_pids(verifier)
        with open(f"/proc/{pid}/limits", encoding="ascii") as lines:
            (line,) = [line for line in lines if line.startswith("Max address space")]
        assert line.split()[3] == str(300 * 1024 * 1024)


def test_a_worker_that_cannot_start_is_an_error_that_says_so(monkeypatch):
    with (
        AnswerVerifier(start_timeout=0.05) as verifier,
        pytest.raises(
            RuntimeError,
            match=r"did not start: not done after 0.05 s.*masa_rewards.verify.workers.worker",
        ),
    ):
        verifier.verify(*ALGEBRA)


def test_no_interpreter_to_be_had_is_an_error_that_says_so(monkeypatch):
    monkeypatch.setattr("sys.executable", None)
    with (
        AnswerVerifier(workers=1) as verifier,
        pytest.raises(RuntimeError, match="did not start: sys.executable names no Python"),
    ):
        verifier.verify(*ALGEBRA)


REFUSING = """
import resource, sys, types
from masa_rewards.verify.workers import limits, worker
def refuse(kind, limits):
    if kind == resource.RLIMIT_AS:
        raise ValueError("current limit exceeds maximum limit")
resource.setrlimit = refuse
limits.sys = types.SimpleNamespace(platform=sys.argv.pop())
worker.main()
"""


@POSIX
@pytest.mark.parametrize(("platform", "ready"), [("darwin", True), ("linux", False)])
def test_a_memory_limit_that_cannot_be_set_stops_a_worker_on_linux_only(platform, ready):
    """macOS refuses limits of the address space."""
    case = b'{"answer": "(x+1)^2", "gold": "x^2+2x+1"}\n'
    command = [sys.executable, "-c", REFUSING, "5", "1024", platform]
    # A worker ends at once when its input does: it stays open until the reply is there.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        lines = [worker.stdout.readline()]
        if ready:
            worker.stdin.write(case)
            worker.stdin.flush()
            lines.append(worker.stdout.readline())
    first, *replies = map(json.loads, lines)
    assert (first["ready"] == "") == ready
    assert [reply["outcome"] for reply in replies] == ["correct"] * ready
    assert ready or "current limit exceeds" in first["ready"]


def fail_to_spawn(*args, **kwargs):
    raise OSError(24, "Too many open files")


def test_no_process_to_be_had_is_an_error_that_says_so(monkeypatch):
    with AnswerVerifier(workers=1) as verifier:
        with monkeypatch.context() as patch:
            patch.setattr("masa_rewards.verify.workers.process.subprocess.Popen", fail_to_spawn)
            with pytest.raises(RuntimeError, match=r"did not start: OSError.*Too many open files"):
                verifier.verify(*ALGEBRA)
        assert verifier.verify(*ALGEBRA).status == "correct"
        (worker,) = verifier._pools[os.getpid()]._workers
        worker.kill()
        with monkeypatch.context() as patch:
            patch.setattr("masa_rewards.verify.workers.process.subprocess.Popen", fail_to_spawn)
            verdict = verifier.verify(*ALGEBRA)  # one did start before: the run goes on
        assert (verdict.status, verdict.failed) == ("error", True)
        assert "Too many open files" in verdict.detail
        assert verifier.verify(*ALGEBRA).status == "correct"
        assert wait_for_free_slots(verifier, 1)


def fail_to_thread(*args):
    raise RuntimeError("can't start new thread")


def test_no_thread_to_be_had_is_an_error_and_loses_no_worker(monkeypatch):
    with AnswerVerifier(workers=1) as verifier:
        verifier.verify(*ALGEBRA)
        with monkeypatch.context() as patch:
            patch.setattr("threading.Thread.start", fail_to_thread)
            verdict = verifier.verify(*ALGEBRA)
        assert (verdict.status, verdict.detail) == ("error", "RuntimeError: can't start new thread")
        with monkeypatch.context() as patch:
            patch.setattr(
                "masa_rewards.verify.workers.process._Watchdog.start", fail_to_thread
            )  # nobody to watch over the worker
            assert verifier.verify(HANG, "1").status == "error"  # killed at once, not after 5 s
        assert verifier.verify(*ALGEBRA).status == "correct"
        assert wait_for_free_slots(verifier, 1)


def test_an_interrupted_case_does_not_leave_its_reply_to_the_next(monkeypatch):
    with AnswerVerifier(workers=1) as verifier:
        verifier.verify(*ALGEBRA)
        (pool,) = verifier._pools.values()
        (worker,) = pool._workers

        def interrupted(seconds):
            raise KeyboardInterrupt

        monkeypatch.setattr(worker, "_read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            verifier.verify(*ALGEBRA)  # its reply, "correct", is under way
        assert verifier.verify(r"\boxed{(x+2)^2}", "x^2+2x+1").status == "incorrect"


def test_closing_ends_a_case_under_way():
    verifier = AnswerVerifier(workers=1, timeout=300.0)
    verifier.verify(*ALGEBRA)
    with ThreadPoolExecutor(2) as threads:
        running = threads.submit(verifier.verify, HANG, "1")
        time.sleep(0.5)
        waiting = threads.submit(verifier.verify, *ALGEBRA)
        time.sleep(0.5)
        verifier.close()
        assert running.result(timeout=30).status == "error"
        with pytest.raises(RuntimeError, match="the verifier is closed"):
            waiting.result(timeout=30)


@POSIX
def test_closing_ends_the_workers_and_may_be_done_twice():
    verifier = AnswerVerifier()
    verifier.verify(*ALGEBRA)
    pids = list_worker_pids(verifier)
    verifier.close()
    verifier.close()
    assert wait_until_ended(pids, 5.0)
    for pair in [ALGEBRA, (r"\boxed{1}", "1")]:
        with pytest.raises(RuntimeError, match="the verifier is closed"):
            verifier.verify(*pair)


@POSIX
def test_a_verifier_that_is_dropped_takes_its_workers_along():
    verifier = AnswerVerifier()
    verifier.verify(*ALGEBRA)
    pids = list_worker_pids(verifier)
    assert len(pids) == 1
    del verifier
    assert wait_until_ended(pids, 5.0)
