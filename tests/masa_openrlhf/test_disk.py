import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from masa_openrlhf.run import disk
from masa_openrlhf.run.disk import explain_full_disk

# What was seen of runs on a full disk: Python's own, torch's writer, C++ streams, safetensors.
SAID = [
    "OSError: [Errno 28] No space left on device: '/scratch/run/metrics.jsonl'",
    "RuntimeError: [enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0",
    "RuntimeError: basic_ios::clear: iostream error",
    "RuntimeError: PytorchStreamWriter failed writing file data/12: file write failed",
    "safetensors_rust.SafetensorError: I/O error: No space left on device (os error 28)",
    "OSError: [Errno 122] Disk quota exceeded",
]


@pytest.mark.parametrize("line", SAID)
def test_a_full_disk_is_named(tmp_path, monkeypatch, line):
    monkeypatch.setattr(disk, "measure_free_bytes", lambda path: 3 << 20)
    said = explain_full_disk(["Traceback", line, "more"], [tmp_path])
    wanted = "/scratch/run/metrics.jsonl" if "'" in line else str(tmp_path)
    assert said == f"disk full: {wanted} (3 MiB are free there)"


def test_of_several_places_the_full_one_is_named(tmp_path, monkeypatch):
    full = tmp_path / "full"
    monkeypatch.setattr(disk, "measure_free_bytes", lambda path: 0 if path == full else 1 << 40)
    assert (
        explain_full_disk([SAID[2]], [tmp_path, full])
        == f"disk full: {full} (0 MiB are free there)"
    )


def test_a_quota_is_told_from_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "measure_free_bytes", lambda path: 2 << 30)
    assert explain_full_disk([SAID[5]], [tmp_path]) == (
        f"disk full: {tmp_path} (over a quota: 2,048 MiB are free there)"
    )


def test_another_error_is_none_of_a_disk(tmp_path):
    assert (
        explain_full_disk(["ValueError: unexpected pos", "RuntimeError: CUDA error"], [tmp_path])
        is None
    )


TRAIN = "from masa_openrlhf.cli import main; main(['train', '--runs', {runs!r}])"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_the_command_line_says_so_too(tmp_path):
    """On a disk of its own, in a mount namespace that goes with the command."""
    small = tmp_path / "small"
    small.mkdir()
    python = f'{sys.executable} -c "{TRAIN.format(runs=str(small / "runs"))}"'
    script = f"mount -t tmpfs -o size=64k tmpfs {small} && (cat /dev/zero > {small}/zero; {python})"
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"no mount namespace here: {done.stderr}")
    assert done.returncode == 1
    assert f"masa-openrlhf: disk full: {small}" in done.stderr
    assert "Traceback" not in done.stderr


def test_free_room_is_found_for_a_path_that_is_not_there_yet(tmp_path):
    assert disk.measure_free_bytes(tmp_path / "a" / "b") == disk.measure_free_bytes(tmp_path) > 0
    assert errno.ENOSPC in disk.FULL_ERRORS
    assert disk.measure_free_bytes(Path("/nowhere/at/all")) > 0
