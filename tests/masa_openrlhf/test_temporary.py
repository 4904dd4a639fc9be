import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from masa_openrlhf.run.temporary import make_temporary_folder, remove_leftovers


@pytest.fixture
def parent(tmp_path_factory, monkeypatch):
    """A temporary folder of the user's, short enough for Ray's sockets."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as path:
        monkeypatch.setattr(tempfile, "tempdir", path)
        yield Path(path)


def make_old(path, seconds=3600.0):
    """A folder's own times cannot be set back: the clock is set forward instead."""
    return lambda: os.stat(path).st_ctime + seconds


def test_it_is_for_its_user_alone_and_goes_with_the_run(parent):
    with make_temporary_folder() as path:
        assert path.parent == parent
        assert path.stat().st_mode & 0o777 == 0o700
        (path / "r").mkdir(mode=0o777)
    assert not path.exists()


KILLED = """
import os, sys, time
from masa_openrlhf.run.temporary import make_temporary_folder
with make_temporary_folder() as path:
    (path / "r").mkdir()
    print(path, flush=True)
    time.sleep(600)
"""


def test_what_a_killed_run_left_goes_with_the_next_one(parent, monkeypatch):
    killed = subprocess.Popen(
        [sys.executable, "-c", KILLED],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(parent)},
    )
    left = Path(killed.stdout.readline().strip())
    monkeypatch.setattr("masa_openrlhf.run.temporary.time.time", make_old(left))
    assert remove_leftovers(parent) == []  # its run is alive
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert (left / "r").is_dir()
    with make_temporary_folder() as path:
        assert not left.exists()
        assert path.is_dir()


def test_nothing_else_is_removed(parent, monkeypatch):
    others = [parent / name for name in ("masa-run-notes", "masa-sandbox-abcdefgh", "x")]
    for path in others:
        path.mkdir()
    young = parent / "masa-run-abcdefgh"
    young.mkdir()
    link = parent / "masa-run-12345678"
    link.symlink_to(others[0])
    assert remove_leftovers(parent) == []
    monkeypatch.setattr("masa_openrlhf.run.temporary.time.time", make_old(young))
    assert remove_leftovers(parent) == [young]
    assert link.is_symlink()
    assert all(path.is_dir() for path in others)


def test_a_path_too_long_for_sockets_is_not_taken(tmp_path, monkeypatch):
    long = tmp_path / ("x" * 60)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with make_temporary_folder() as path:
        assert str(path).startswith("/tmp/masa-run-")
