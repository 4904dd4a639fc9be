"""A checkpoint is loaded without running what lies in it."""

import os
import subprocess
import sys

import pytest

LOAD = """
import os, pickle, sys, torch
from masa_openrlhf.checkpoints import use_weights_only_loading
from deepspeed.runtime.checkpoint_engine.torch_checkpoint_engine import TorchCheckpointEngine

class Evil:
    def __reduce__(self):
        return {call}

path = sys.argv[1]
torch.save({{"module": {{"w": torch.ones(2)}}, "masa": Evil()}}, path)
engine = TorchCheckpointEngine()
if {safe}:
    use_weights_only_loading()
engine.load(path, map_location="cpu")
"""

CALLS = {
    "a command": "(os.system, ('touch ' + path + '.ran',))",
    "a file": "(open, (path + '.ran', 'w'))",
    "by getattr": "(getattr(os, 'mkdir'), (path + '.ran',))",
    "by eval": '(eval, (f\'open({path + chr(46) + "ran"!r}, "w").close()\',))',
}


def load(path, call, *, safe):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD.format(call=call, safe=safe), str(path)],
        env={**os.environ, "DS_ACCELERATOR": "cpu"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_tampered_checkpoint_runs_nothing(tmp_path, call):
    done = load(tmp_path / "states.pt", call, safe=True)
    assert "UnsafeCheckpointError" in done.stderr
    assert "holds more than a checkpoint does" in done.stderr
    assert not (tmp_path / "states.pt.ran").exists()


def test_as_deepspeed_loads_it_it_would(tmp_path):
    load(tmp_path / "states.pt", CALLS["a command"], safe=False)
    assert (tmp_path / "states.pt.ran").exists()


def test_a_real_run_leaves_checkpoints_that_load_so(whole_run, importable_here):
    from masa_openrlhf.checkpoints import load_weights_only

    files = sorted(whole_run.folder.checkpoints.rglob("*.pt"))
    assert len(files) == 2 * 3  # two checkpoints: the model, and the optimiser's states a rank
    for file in files:
        states = load_weights_only(str(file), "cpu")
        assert "optimizer_state_dict" in states or "module" in states
