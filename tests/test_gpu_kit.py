"""The kit for a card, as far as it goes without one."""

import io
import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest
from masa_benchmarks.gpu import bring, step

ROOT = Path(__file__).parents[1]
WHEELS = Path(bring.__file__).with_name("wheels.txt")
README = Path(bring.__file__).with_name("README.md")


def run(module, *arguments, beside=()):
    """Run a command with the README's PYTHONPATH, by a Python that has no package of ours."""
    (sources,) = set(re.findall(r"^export PYTHONPATH=(\S+)$", README.read_text(), re.MULTILINE))
    return subprocess.run(
        [sys._base_executable, "-m", module, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": ":".join([sources, *beside]), "PYTHONNOUSERSITE": "1"},
    )


def run_kit(out, *arguments):
    """Run the kit with packages beside it as plain files: none of ours is among them."""
    small = ["--device", "cpu", "--small", "--out", out]
    return run("masa_benchmarks.gpu", *small, *arguments, beside=[sysconfig.get_path("purelib")])


def test_the_steps_that_need_torch_alone_hold_in_small(tmp_path):
    pytest.importorskip("transformers")
    names = ["attention", "log_probs", "adam", "passes", "ipc"]
    done = run_kit(tmp_path, "--only", *names)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((tmp_path / "kit.json").read_text())
    assert {name: step["state"] for name, step in record["steps"].items()} == dict.fromkeys(
        names, "holds"
    )
    assert all(step["checks"] for name, step in record["steps"].items() if name != "passes")
    assert "| attention |" in (tmp_path / "kit.md").read_text()


def test_a_step_that_finds_something_wrong_fails(tmp_path, capsys):
    found = step.StepRecord("cpu", small=True)
    found.check("holds", True)
    found.check("does not", False)
    assert found.failed == ["does not"]
    found.report("failed")
    assert (
        json.loads(capsys.readouterr().out.removeprefix(step.RESULT_MARK))["checks"]["does not"]
        is False
    )


def test_a_step_without_time_is_said_to_have_had_none(tmp_path):
    pytest.importorskip("torch")
    done = run_kit(tmp_path, "--only", "adam", "--seconds", "5")
    assert done.returncode == 0
    assert json.loads((tmp_path / "kit.json").read_text())["steps"]["adam"]["state"] == "no time"


def test_what_is_split_is_joined(tmp_path):
    assert list(bring.split_bytes(b"abcdefg", 3)) == [b"abc", b"def", b"g"]
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        archive.add(WHEELS, arcname="some/wheels.txt")
    for number, data in enumerate(bring.split_bytes(whole.getvalue(), 100)):
        (tmp_path / f"site.tar.gz.{number:03}").write_bytes(data)
    joined = run("masa_benchmarks.gpu.bring", "join", tmp_path, tmp_path / "site")
    assert joined.returncode == 0, joined.stderr
    there = tmp_path / "site" / "some" / "wheels.txt"
    assert there.read_text() == (WHEELS).read_text()


def test_what_is_brought_is_pinned_by_the_lock():
    pins = bring.read_locked_versions(bring.read_wheel_names())
    assert (pins["openrlhf"], pins["deepspeed"]) == ("0.11.2", "0.19.6")
