"""The kit for a card, as far as it goes without one."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

KIT = Path(__file__).parents[1] / "benchmarks" / "gpu"


def loaded(name):
    spec = importlib.util.spec_from_file_location(f"gpu_kit_{name}", KIT / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(KIT))
        spec.loader.exec_module(module)
    return module


def run(out, *arguments):
    return subprocess.run(
        [sys.executable, KIT / "kit.py", "--device", "cpu", "--small", "--out", out, *arguments],
        capture_output=True,
        text=True,
    )


def test_the_steps_that_need_torch_alone_hold_in_small(tmp_path):
    pytest.importorskip("transformers")
    names = ["attention", "log_probs", "adam", "passes", "ipc"]
    done = run(tmp_path, "--only", *names)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((tmp_path / "kit.json").read_text())
    assert {name: step["state"] for name, step in record["steps"].items()} == dict.fromkeys(
        names, "holds"
    )
    assert all(step["checks"] for name, step in record["steps"].items() if name != "passes")
    assert "| attention |" in (tmp_path / "kit.md").read_text()


def test_a_step_that_finds_something_wrong_fails(tmp_path, capsys):
    step = loaded("step")
    found = step.Found("cpu", small=True)
    found.check("holds", True)
    found.check("does not", False)
    assert found.failed == ["does not"]
    found.report("failed")
    assert (
        json.loads(capsys.readouterr().out.removeprefix(step.MARK))["checks"]["does not"] is False
    )


def test_a_step_without_time_is_said_to_have_had_none(tmp_path):
    pytest.importorskip("torch")
    done = run(tmp_path, "--only", "adam", "--seconds", "5")
    assert done.returncode == 0
    assert json.loads((tmp_path / "kit.json").read_text())["steps"]["adam"]["state"] == "no time"


def test_what_is_split_is_joined(tmp_path):
    bring = loaded("bring")
    assert list(bring.split(b"abcdefg", 3)) == [b"abc", b"def", b"g"]
    import io
    import tarfile

    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        archive.add(KIT / "wheels.txt", arcname="some/wheels.txt")
    for number, data in enumerate(bring.split(whole.getvalue(), 100)):
        (tmp_path / f"site.tar.gz.{number:03}").write_bytes(data)
    bring.join(tmp_path, tmp_path / "site")
    there = tmp_path / "site" / "some" / "wheels.txt"
    assert there.read_text() == (KIT / "wheels.txt").read_text()


def test_what_is_brought_is_pinned_by_the_lock():
    bring = loaded("bring")
    pins = bring.pinned(bring.wanted())
    assert (pins["openrlhf"], pins["deepspeed"]) == ("0.11.2", "0.19.6")
