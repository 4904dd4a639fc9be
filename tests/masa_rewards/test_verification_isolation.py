from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from masa_rewards import AnswerVerifier

from tests.masa_rewards.verifier_helpers import (
    ALGEBRA,
    LINUX,
    POSIX,
    has_ended,
    list_worker_pids,
    wait_until,
    wait_until_ended,
)


def start_worker(verifier: AnswerVerifier) -> Path:
    """Where Linux shows the worker of a verifier, which is made to start one."""
    assert verifier.verify(*ALGEBRA).status == "correct"
    (pid,) = list_worker_pids(verifier)
    return Path(f"/proc/{pid}")


def read_status(process: Path) -> dict[str, str]:
    lines = (process / "status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def list_signals(mask: str) -> set[int]:
    return {number for number in range(1, 65) if int(mask, 16) >> (number - 1) & 1}


@LINUX
def test_of_the_environment_a_worker_has_what_it_needs(monkeypatch):
    theirs = {
        "CUDA_VISIBLE_DEVICES": "0",
        "NCCL_DEBUG": "INFO",
        "RAY_ADDRESS": "127.0.0.1:1",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "https_proxy": "http://127.0.0.1:1",
        "LD_PRELOAD": "",
        "PYTHONSTARTUP": "/nowhere.py",
        "PYTHONWARNINGS": "error",
        "SECRET": "x",
    }
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    with AnswerVerifier(workers=1) as verifier:
        entries = (start_worker(verifier) / "environ").read_bytes().decode().split("\0")
    names = {entry.partition("=")[0] for entry in entries if entry}
    assert not names & theirs.keys()
    assert {"PYTHONPATH", "PYTHONSAFEPATH", "OMP_NUM_THREADS"} <= names
    assert len(names) <= 15


@LINUX
def test_no_file_of_the_parent_is_open_in_a_worker(tmp_path):
    reading, writing = os.pipe()
    with open(tmp_path / "ours", "w") as file, AnswerVerifier(workers=1) as verifier:
        ours = [file.fileno(), reading, writing]
        for descriptor in ours:
            os.set_inheritable(descriptor, True)
        process = start_worker(verifier)
        opened = {os.readlink(entry) for entry in (process / "fd").iterdir()}
        assert not opened & {os.readlink(f"/proc/self/fd/{number}") for number in ours}
        assert len(opened) <= 3  # two pipes and the null device
        assert os.readlink(process / "cwd") == "/"
    os.close(reading)
    os.close(writing)


@LINUX
def test_signals_that_the_parent_blocks_or_ignores_reach_a_worker():
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        with AnswerVerifier(workers=1) as verifier:
            status = read_status(start_worker(verifier))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGUSR1, before)
    assert list_signals(status["SigBlk"]) == set()
    # Not those that the C library keeps to itself; the other two are the interpreter's own.
    ignored = list_signals(status["SigIgn"]) & signal.valid_signals()
    assert ignored <= {signal.SIGPIPE, signal.SIGXFSZ}
    assert not list_signals(status["SigCgt"]) & {signal.SIGALRM, signal.SIGIO}  # these end it


@LINUX
def test_a_worker_is_a_fresh_interpreter_whatever_its_parent_holds():
    ballast = b"x" * 600_000_000
    release = threading.Event()
    threads = [threading.Thread(target=release.wait) for _ in range(200)]
    for thread in threads:
        thread.start()
    try:
        with AnswerVerifier(workers=1, memory_mb=512) as verifier:
            process = start_worker(verifier)
            status = read_status(process)
            command = (process / "cmdline").read_bytes().split(b"\0")
    finally:
        release.set()
        for thread in threads:
            thread.join()
    assert command[1:3] == [b"-m", b"masa_rewards.verify.workers.worker"]
    assert int(status["VmPeak"].split()[0]) * 1024 < len(ballast)
    assert int(status["Threads"]) <= 3


@LINUX
def test_a_worker_writes_no_file_and_is_the_first_to_go_without_memory():
    with AnswerVerifier(workers=1) as verifier:
        process = start_worker(verifier)
        limits = (process / "limits").read_text().splitlines()
        assert [line.split()[3] for line in limits if line.startswith("Max file size")] == ["0"]
        assert [line.split()[4] for line in limits if line.startswith("Max core file")] == ["0"]
        assert (process / "oom_score_adj").read_text().strip() == "1000"


def test_in_a_process_that_was_spawned():
    # As a worker of Ray is: a fresh interpreter that gets the verifier by pickle.
    context = multiprocessing.get_context("spawn")
    with AnswerVerifier(workers=1) as verifier, ProcessPoolExecutor(1, context) as processes:
        verifier.verify(*ALGEBRA)
        assert processes.submit(verifier.verify, *ALGEBRA).result(timeout=120).correct


def test_settings_travel_and_workers_do_not():
    with AnswerVerifier(workers=3, timeout=7.5, extraction="anchored") as verifier:
        verifier.verify(r"\boxed{x}", "y")
        with pickle.loads(pickle.dumps(verifier)) as copy:
            assert repr(copy) == repr(verifier)
            assert "workers=3, timeout=7.5" in repr(copy)
            assert list_worker_pids(copy) == []
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


PARENT = """
import signal, sys, threading, time
from masa_rewards import AnswerVerifier
if "blocked" in sys.argv:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
verifier = AnswerVerifier(workers=2, timeout=float(sys.argv[1]))
verifier.verify(r"\\boxed{(x+1)^2}", "x^2+2x+1")
threading.Thread(target=verifier.verify, args=(r"\\boxed{9^{9^{9^{9}}}}", "1")).start()
time.sleep(1.0)
verifier.verify(r"\\boxed{(x+1)^2}", "x^2+2x+1")
(pool,) = verifier._pools.values()
print(*(worker._process.pid for worker in pool._workers), flush=True)
time.sleep(60)
"""


@POSIX
@pytest.mark.parametrize("arguments", [["300"], ["300", "blocked"]], ids=" ".join)
def test_no_worker_outlives_a_parent_that_is_killed(arguments):
    command = [sys.executable, "-c", PARENT, *arguments]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2  # one idle, one that hangs in C code for 300 s
        parent.kill()
    assert wait_until_ended(pids, 5.0)


@POSIX
def test_what_is_written_to_a_worker_while_it_works_does_not_end_it():
    # The kernel tells readers of a pipe that there is something when it is in there already: to a
    # worker that is quick, while it works on just that.
    command = [sys.executable, "-m", "masa_rewards.verify.workers.worker", "60", "1024"]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with worker:
        assert json.loads(worker.stdout.readline()) == {"ready": ""}
        worker.stdin.write('{"answer": "9^{9^{9^{9}}}", "gold": "1"}\n')
        worker.stdin.flush()
        assert not wait_until(lambda: worker.poll() is not None, 1.0)
        worker.stdin.write("\n")
        worker.stdin.flush()
        assert not wait_until(lambda: worker.poll() is not None, 0.5)
        worker.stdout.close()  # nobody is there to be told
        assert wait_until(lambda: worker.poll() is not None, 5.0)


HOLDER = """
import os, sys, threading, time
from masa_rewards import AnswerVerifier
verifier = AnswerVerifier(workers=2, timeout=3.0)
verifier.verify(r"\\boxed{(x+1)^2}", "x^2+2x+1")
if "busy" in sys.argv:
    case = (r"\\boxed{9^{9^{9^{9}}}}", "1")
    threading.Thread(target=verifier.verify, args=case, daemon=True).start()
    time.sleep(0.5)
(worker,) = verifier._pools[os.getpid()]._workers
child = os.fork()
if child:
    print(worker._process.pid, child, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("state", ["idle", "busy"])
def test_a_fork_that_holds_the_pipes_does_not_keep_a_worker_alive(state):
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", HOLDER, state]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with parent:
        worker, child = map(int, parent.stdout.readline().split())
        parent.kill()
        parent.wait()
        try:
            assert wait_until_ended([worker], 10.0)
            assert not has_ended(child)
        finally:
            os.kill(child, signal.SIGKILL)
