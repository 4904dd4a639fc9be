"""The kit for a card, as far as it goes without one."""

import io
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from masa_benchmarks.gpu import bring, step

ROOT = Path(__file__).parents[1]
WHEELS = Path(bring.__file__).with_name("wheels.txt")
README = Path(bring.__file__).with_name("README.md")


@pytest.fixture(scope="module")
def from_the_tree():
    """An environment with the README's PYTHONPATH, beside which no package of ours is installed."""
    (line,) = set(re.findall(r"^export PYTHONPATH=(.+)$", README.read_text(), re.MULTILINE))
    return os.environ | {"PYTHONPATH": line, "PYTHONNOUSERSITE": "1"}


def run(out, *arguments):
    command = [sys.executable, "-m", "masa_benchmarks.gpu", "--device", "cpu", "--small"]
    return subprocess.run([*command, "--out", out, *arguments], capture_output=True, text=True)


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
    assert list(bring.split(b"abcdefg", 3)) == [b"abc", b"def", b"g"]
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        archive.add(WHEELS, arcname="some/wheels.txt")
    for number, data in enumerate(bring.split(whole.getvalue(), 100)):
        (tmp_path / f"site.tar.gz.{number:03}").write_bytes(data)
    bring.join(tmp_path, tmp_path / "site")
    there = tmp_path / "site" / "some" / "wheels.txt"
    assert there.read_text() == (WHEELS).read_text()


def test_what_is_brought_is_pinned_by_the_lock():
    pins = bring.pinned(bring.wanted())
    assert (pins["openrlhf"], pins["deepspeed"]) == ("0.11.2", "0.19.6")


BARE = """
import sys

class NotHere:
    def find_spec(self, name, path=None, target=None):
        known = name.partition(".")[0] in sys.stdlib_module_names | {"masa_benchmarks"}
        if not known:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NotHere())
from masa_benchmarks.gpu import bring, kit
bring.join(bring.Path(sys.argv[1]), bring.Path(sys.argv[2]))
"""
