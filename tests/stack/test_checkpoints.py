"""A checkpoint is loaded without running what lies in it."""

import json
import os
import subprocess
import sys

import pytest

LOAD = """
import json, os, sys, torch
from masa_openrlhf.stack.checkpoints import use_weights_only_loading
from deepspeed.runtime.checkpoint_engine.torch_checkpoint_engine import TorchCheckpointEngine

folder = sys.argv[1]
found = {}

def try_to_load(name, call):
    class Evil:
        def __reduce__(self):
            return call

    path = os.path.join(folder, "states.pt")
    torch.save({"module": {"w": torch.ones(2)}, "masa": Evil()}, path)
    try:
        TorchCheckpointEngine().load(path, map_location="cpu")
        said = ""
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    found[name] = [said, os.path.exists(mark)]
    if os.path.isdir(mark):
        os.rmdir(mark)
    elif os.path.exists(mark):
        os.remove(mark)

mark = os.path.join(folder, "ran")
try_to_load("as deepspeed loads it", (os.system, (f"touch {mark}",)))
use_weights_only_loading()
for name, call in {
    "a command": (os.system, (f"touch {mark}",)),
    "a file": (open, (mark, "w")),
    "a folder": (os.mkdir, (mark,)),
    "eval": (eval, (f"open({mark!r}, 'w').close()",)),
}.items():
    try_to_load(name, call)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What loading each tampered file said, and whether what lay in it ran."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD, str(tmp_path_factory.mktemp("evil"))],
        env={**os.environ, "DS_ACCELERATOR": "cpu"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("call", ["a command", "a file", "a folder", "eval"])
def test_a_tampered_checkpoint_runs_nothing(found, call):
    said, ran = found[call]
    assert not ran
    assert said.startswith("UnsafeCheckpointError")
    assert "holds more than a checkpoint does" in said


def test_as_deepspeed_loads_it_it_would(found):
    _, ran = found["as deepspeed loads it"]
    assert ran


def test_a_real_run_leaves_checkpoints_that_load_so(whole_run, importable_here):
    from masa_openrlhf.stack.checkpoints import load_weights_only

    files = sorted(whole_run.folder.checkpoints.rglob("*.pt"))
    assert len(files) == 2 * 3  # two checkpoints: the model, and the optimiser's states a rank
    for file in files:
        states = load_weights_only(str(file), "cpu")
        assert "optimizer_state_dict" in states or "module" in states
