from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from masa_rewards import AnswerVerifier, Verdict

CASES = json.loads(Path(__file__).with_name("verification_cases.json").read_text(encoding="utf-8"))
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "math_train.parquet"
HANG = r"\boxed{9^{9^{9^{9}}}}"
ALGEBRA = (r"\boxed{(x+1)^2}", "x^2+2x+1")
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and process groups of POSIX")


@pytest.fixture(scope="module")
def verifier():
    with AnswerVerifier(workers=1) as shared:
        yield shared


def workers_of(verifier: AnswerVerifier) -> list[int]:
    pools = verifier._pools.values()
    return [worker._process.pid for pool in pools for worker in pool._workers if worker.alive]


def gone(pid: int) -> bool:
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


def wait_until_gone(pids: list[int], seconds: float) -> bool:
    return wait_until(lambda: all(map(gone, pids)), seconds)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['answer']} for {case['gold']}")
def test_verdicts(verifier, case):
    verdict = verifier.verify(rf"So it is $\boxed{{{case['answer']}}}$.", case["gold"])
    assert verdict.status == case["status"], case["why"]
    assert verdict.correct == (case["status"] == "correct")
    assert not verdict.failed


def test_no_answer_is_never_right(verifier):
    verdict = verifier.verify("I do not know.", r"\frac{}{")
    assert verdict.status == "unparsable"
    assert verdict.answer is None
    assert "no boxed answer in the last 8192 characters" in verdict.detail
    assert verifier.verify(r"\boxed{$}", "$").status == "unparsable"  # nothing is not "nothing"


def test_an_answer_without_end_is_not_computed(verifier):
    verdict = verifier.verify(rf"\boxed{{{'x' * 1001}}}", "x^2")
    assert (verdict.status, verdict.detail) == ("unparsable", "an answer of 1001 > 1000 characters")
    assert verifier.verify(rf"\boxed{{{'x' * 1001}}}", "x" * 1001).status == "correct"


def test_anchored_answers_are_a_setting():
    text = "Therefore the final answer is 5."
    with AnswerVerifier() as boxed, AnswerVerifier(extraction="anchored") as anchored:
        assert boxed.verify(text, "5").status == "unparsable"
        assert anchored.verify(text, "5") == Verdict(status="correct", answer="5")


@pytest.mark.parametrize("gold", ["", "  \n"])
def test_a_blank_gold_is_refused(verifier, gold):
    with pytest.raises(ValueError, match="gold is blank"):
        verifier.verify(r"\boxed{5}", gold)


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\n", '"', "\u2028", "é" * 900])
def test_any_characters_pass_through_the_pipe(verifier, text):
    assert verifier.verify(rf"\boxed{{{text} + x}}", "x^2").status in ("unparsable", "incorrect")
    assert verifier.verify(*ALGEBRA).status == "correct"


def test_no_process_is_started_for_what_can_be_told_at_once():
    with AnswerVerifier() as verifier:
        verifier.verify(r"\boxed{1}", "2")
        verifier.verify(r"\boxed{0.5}", r"\frac12")
        verifier.verify("no answer", "2")
        assert workers_of(verifier) == []


def test_a_case_that_hangs_times_out_and_the_next_is_fine():
    with AnswerVerifier(workers=1, timeout=3.0) as verifier:
        assert verifier.verify(*ALGEBRA).status == "correct"
        (before,) = workers_of(verifier)
        start = time.monotonic()
        verdict = verifier.verify(HANG, "1")
        assert 2.9 < time.monotonic() - start < 10.0
        assert verdict == Verdict(
            status="timeout", answer="9^{9^{9^{9}}}", detail="not done after 3.0 s"
        )
        assert verdict.failed
        assert verifier.verify(*ALGEBRA).status == "correct"
        assert workers_of(verifier) != [before]
        assert not verdict.correct


@POSIX
def test_a_worker_that_is_killed_is_replaced():
    with AnswerVerifier(workers=1, timeout=30.0) as verifier:
        verifier.verify(*ALGEBRA)
        (pid,) = workers_of(verifier)
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: not workers_of(verifier), 5.0)
        assert verifier.verify(*ALGEBRA).status == "correct"  # killed while idle: not noticed
        with ThreadPoolExecutor(1) as thread:
            verdict = thread.submit(verifier.verify, HANG, "1")
            time.sleep(0.5)
            os.kill(workers_of(verifier)[0], signal.SIGKILL)
        assert verdict.result().status == "error"
        assert "ended with code -9" in verdict.result().detail
        assert verifier.verify(*ALGEBRA).status == "correct"


@POSIX
def test_memory_is_limited_and_running_out_is_no_wrong_answer():
    with AnswerVerifier(workers=1, timeout=20.0, memory_mb=256) as verifier:
        # 200 MB of integer, in far less time than the timeout
        verdict = verifier.verify(r"\boxed{2^{2^{32}} + x}", "1 + x")
        assert verdict.status == "error", verdict
        assert workers_of(verifier) == []  # its peak would be taken for that of every later case
        assert verifier.verify(*ALGEBRA).status == "correct"


def test_a_worker_that_cannot_start_is_an_error_that_says_so(monkeypatch):
    with (
        AnswerVerifier(start_timeout=0.05) as verifier,
        pytest.raises(
            RuntimeError, match=r"did not start: not done after 0.05 s.*masa_rewards._worker"
        ),
    ):
        verifier.verify(*ALGEBRA)


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


def test_from_eight_threads():
    with AnswerVerifier(workers=2) as verifier, ThreadPoolExecutor(8) as threads:
        jobs = [
            (rf"\boxed{{{i}x + {i % 3}}}", f"{i} x + {i % 2}", i % 3 == i % 2) for i in range(2, 62)
        ]
        verdicts = list(threads.map(lambda job: verifier.verify(job[0], job[1]), jobs))
        assert [verdict.correct for verdict in verdicts] == [right for _, _, right in jobs]
        assert not any(verdict.failed for verdict in verdicts)
        assert len(workers_of(verifier)) == 2


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


def test_settings_travel_and_workers_do_not():
    with AnswerVerifier(workers=3, timeout=7.5, extraction="anchored") as verifier:
        verifier.verify(r"\boxed{x}", "y")
        with pickle.loads(pickle.dumps(verifier)) as copy:
            assert repr(copy) == repr(verifier)
            assert "workers=3, timeout=7.5" in repr(copy)
            assert workers_of(copy) == []
            assert copy.verify(*ALGEBRA).status == "correct"


FORK = """
import os, sys, threading, time
from masa_rewards import AnswerVerifier
verifier = AnswerVerifier(workers=2, timeout=300.0)
case = (r"\\boxed{(x+1)^2}", "x^2+2x+1")
verifier.verify(*case)
(ours,) = verifier._pools[os.getpid()]._workers
hang = threading.Thread(target=verifier.verify, args=(r"\\boxed{9^{9^{9^{9}}}}", "1"))
hang.start()  # holds the lock of a pipe while we fork
time.sleep(0.5)
child = os.fork()
if not child:
    status = verifier.verify(*case).status
    (theirs,) = verifier._pools[os.getpid()]._workers
    print(status, theirs._process.pid != ours._process.pid, flush=True)
    sys.exit()  # with everything that runs at exit
os.waitpid(child, 0)
print(ours.alive, verifier.verify(*case).status, ours in verifier._pools[os.getpid()]._workers)
verifier.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_has_workers_of_its_own_and_leaves_ours_alone():
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert out.stdout.split() == ["correct", "True", "True", "correct", "True"]


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
    pids = workers_of(verifier)
    verifier.close()
    verifier.close()
    assert wait_until_gone(pids, 5.0)
    for pair in [ALGEBRA, (r"\boxed{1}", "1")]:
        with pytest.raises(RuntimeError, match="the verifier is closed"):
            verifier.verify(*pair)


@POSIX
def test_a_verifier_that_is_dropped_takes_its_workers_along():
    verifier = AnswerVerifier()
    verifier.verify(*ALGEBRA)
    pids = workers_of(verifier)
    assert len(pids) == 1
    del verifier
    assert wait_until_gone(pids, 5.0)


PARENT = """
import sys, threading, time
from masa_rewards import AnswerVerifier
verifier = AnswerVerifier(workers=2, timeout=4.0)
verifier.verify(r"\\boxed{(x+1)^2}", "x^2+2x+1")
threading.Thread(target=verifier.verify, args=(r"\\boxed{9^{9^{9^{9}}}}", "1")).start()
time.sleep(1.0)
verifier.verify(r"\\boxed{(x+1)^2}", "x^2+2x+1")
(pool,) = verifier._pools.values()
print(*(worker._process.pid for worker in pool._workers), flush=True)
time.sleep(60)
"""


@POSIX
def test_no_worker_outlives_a_parent_that_is_killed():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    with parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2  # one idle, one that hangs in C code
        parent.kill()
    assert wait_until_gone(pids, 10.0)


HOLDER = """
import os, sys, time
from masa_rewards import AnswerVerifier
verifier = AnswerVerifier()
verifier.verify(r"\\boxed{(x+1)^2}", "x^2+2x+1")
(worker,) = verifier._pools[os.getpid()]._workers
child = os.fork()
if child:
    print(worker._process.pid, child, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_that_holds_the_pipes_does_not_keep_a_worker_alive():
    parent = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    with parent:
        worker, child = map(int, parent.stdout.readline().split())
        parent.kill()
        parent.wait()
        try:
            assert wait_until_gone([worker], 10.0)
            assert not gone(child)
        finally:
            os.kill(child, signal.SIGKILL)


def test_importing_the_package_loads_no_computer_algebra():
    heavy = "{'sympy', 'math_verify', 'simplemma', 'numpy', 'torch', 'ray'}"
    check = f"import sys, masa_rewards; print(sorted({heavy} & {{*sys.modules}}))"
    out = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"workers": 0}, "workers must be at least 1: got 0"),
        ({"timeout": 0}, "timeout must be more than 0 seconds: got 0"),
        ({"memory_mb": 100}, "memory_mb must be at least 256: got 100"),
        ({"start_timeout": -1.0}, "start_timeout must be more than 0 seconds"),
        ({"extraction": "all"}, "extraction must be one of .*got 'all'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        AnswerVerifier(**settings)


@pytest.mark.skipif(not DATA.exists(), reason=f"the MATH training set is not at {DATA}")
def test_gold_solutions_are_right_and_those_of_other_problems_wrong(verifier):
    import pyarrow.parquet as parquet

    rows = parquet.read_table(DATA, columns=["reward_model"]).to_pylist()[::50]
    truths = [row["reward_model"]["ground_truth"] for row in rows]
    truths = [truth for truth in truths if truth["target"].strip()]
    right = verifier.verify_many([(truth["solution"], truth["target"]) for truth in truths])
    assert sum(verdict.correct for verdict in right) >= 0.99 * len(truths)
    shifted = zip(truths, truths[1:] + truths[:1], strict=True)
    pairs = [
        (one["solution"], other["target"])
        for one, other in shifted
        if one["target"] != other["target"]
    ][::4]
    wrong = verifier.verify_many(pairs)
    assert len(pairs) > 30
    assert not [pair for pair, verdict in zip(pairs, wrong, strict=True) if verdict.correct]
