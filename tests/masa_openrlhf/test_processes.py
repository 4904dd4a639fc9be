import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from masa_openrlhf.run.processes import StoppedProcesses
from masa_openrlhf.run.supervision import read_failure_lines

linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel calls are Linux's")


def python(code):
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def gone(pid, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


@linux
def test_orphans_are_adopted_and_ended():
    """A grandchild in a session of its own, that ignores SIGTERM, whose parent has gone."""
    code = (
        "import subprocess, sys, time\n"
        "from masa_openrlhf.run.processes import adopt_orphans, end_children\n"
        "adopt_orphans()\n"
        "stubborn = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);'\\\n"
        "    ' print(\"up\", flush=True); time.sleep(60)'\n"
        "parent = ('import subprocess, sys; p = subprocess.Popen([sys.executable, \"-c\", '\n"
        "    f'{stubborn!r}], start_new_session=True, stdout=subprocess.PIPE);'\n"
        "    'p.stdout.readline(); print(p.pid)')\n"
        "done = subprocess.run([sys.executable, '-c', parent], stdout=subprocess.PIPE, text=True)\n"
        "print(done.stdout.strip(), end_children(patience=0.5), flush=True)\n"
    )
    with python(code) as process:
        pid, count = map(int, process.stdout.read().split())
    assert count == 1
    assert not psutil.pid_exists(pid)


@linux
def test_a_child_goes_when_its_parent_is_killed():
    child = (
        "from masa_openrlhf.run.processes import die_with_parent; import time;"
        "die_with_parent(); print('ready', flush=True); time.sleep(60)"
    )
    parent = (
        "import subprocess, sys, time;"
        f"c = subprocess.Popen([sys.executable, '-c', {child!r}], stdout=subprocess.PIPE);"
        "c.stdout.readline(); print(c.pid, flush=True); time.sleep(60)"
    )
    with python(parent) as process:
        pid = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert gone(pid)


def test_last_words_are_the_last_traceback(tmp_path):
    log = tmp_path / "log"
    log.write_text("noise\n" * 50 + "Traceback (most recent call last):\n  File\nValueError: 1\n")
    assert read_failure_lines(log) == [
        "Traceback (most recent call last):",
        "  File",
        "ValueError: 1",
    ]


def test_of_a_long_traceback_both_ends(tmp_path):
    log = tmp_path / "log"
    log.write_text("Traceback (most recent call last):\n" + "  deep\n" * 99 + "ValueError: 1\n")
    said = read_failure_lines(log, lines=10)
    assert len(said) == 10
    assert said[0].startswith("Traceback")
    assert said[-1] == "ValueError: 1"


def test_without_a_traceback_the_last_lines(tmp_path):
    log = tmp_path / "log"
    log.write_text("".join(f"line {i}\n" for i in range(100)))
    assert read_failure_lines(log, lines=2) == ["line 98", "line 99"]


@linux
def test_a_stopped_process_is_named_once_and_again_when_it_stops_again():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    grace = StoppedProcesses(after=0.3, every=0.0)
    try:
        assert grace.find_new() == []
        for _ in range(2):
            child.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, child.pid, os.WSTOPPED)
            assert grace.find_new() == []  # it has only just been stopped
            time.sleep(0.4)
            ((pid, title),) = grace.find_new()
            assert pid == child.pid
            assert "time.sleep(60)" in title
            assert grace.find_new() == []
            child.send_signal(signal.SIGCONT)
            os.waitid(os.P_PID, child.pid, os.WCONTINUED)
            assert grace.find_new() == []
    finally:
        child.kill()
        child.wait()


DRIVER = (
    "import os, time\n"
    "from masa_openrlhf.run.launch import outlive_sigterm\n"
    "outlive_sigterm()\n"
    "print(os.getpid(), flush=True)\n"
    "time.sleep(60)\n"
)


@linux
def test_a_driver_outlives_sigterm_as_long_as_somebody_supervises_it():
    """As `ray job stop` sends it: to all processes of a run."""
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {DRIVER!r}])"
    with python(parent) as up:
        pid = int(up.stdout.readline())
        os.kill(pid, signal.SIGTERM)
        assert not gone(pid, seconds=1)
        up.kill()
        assert gone(pid)


def test_a_run_that_ended_as_told_has_not_failed(tmp_path, monkeypatch):
    from masa_openrlhf.config.tree import TrainConfig
    from masa_openrlhf.run import launch
    from masa_openrlhf.run.folder import TOLD_TO_END, RunFolder

    folder = RunFolder(tmp_path)
    folder.create(TrainConfig())

    def leave(folder, config, *, resume):
        folder.event("trained", reason=reasons.pop(0), step=3)
        raise RuntimeError("out of OpenRLHF's script")

    reasons = [TOLD_TO_END, "finished"]
    monkeypatch.setattr(launch, "launch_run", leave)
    monkeypatch.setattr(launch, "outlive_sigterm", lambda: None)
    launch.main([str(tmp_path)])
    assert folder.events()[-1]["event"] == "trained"
    with pytest.raises(RuntimeError, match="out of"):
        launch.main([str(tmp_path)])
    assert folder.events()[-1]["event"] == "failed"


@linux
def test_a_driver_ends_by_sigint_though_it_was_started_in_the_background():
    ignored = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    with python(ignored + DRIVER) as up:
        pid = int(up.stdout.readline())
        os.kill(pid, signal.SIGINT)
        assert gone(pid)
