"""What comes of a run whose weights do not reach vLLM."""

import sys
import time

import pytest
from masa_openrlhf.config.layers import apply_flags, build_config, read_preset
from masa_openrlhf.run.folder import RunFolder
from masa_openrlhf.run.supervision import supervise_run

from tests.stack.command_runs import SMALL_RUN


@pytest.fixture
def run_with(tmp_path, capfd):
    """Run three steps with the actors of a module of these tests; seconds are of the training."""

    def run(module):
        flags = ["--max-steps", "3", "--eval.every", "9", *SMALL_RUN]
        config = apply_flags(build_config(read_preset("tiny")), flags)
        folder = RunFolder(tmp_path / "run")
        folder.create(config)
        command = (sys.executable, "-m", f"tests.stack.{module}")
        status = supervise_run(folder, config, resume=False, command=command)
        (training,) = [e["time"] for e in folder.events() if e["event"] == "training"]
        return folder, status, capfd.readouterr().out, time.time() - training

    return run


def test_without_the_broadcast_the_run_stops_and_says_why(run_with):
    folder, status, output, _ = run_with("without_broadcast")
    assert status == 1
    assert "the weights of vLLM engine 0 are not the policy's" in output
    (check,) = [event for event in folder.events() if event["event"] == "weights"]
    assert check["step"] == 1
    assert check["compared"] >= 18
    # Every matrix; a norm's weight of 1 may have moved by less than bfloat16 can say.
    matrices = [name for name in check["differing"] if "_proj" in name or "embed" in name]
    assert len(matrices) >= 9
    assert folder.metrics() == []


def test_an_engine_that_dies_while_weights_are_sent_ends_the_run_at_once(run_with):
    folder, status, output, seconds = run_with("dying_engine")
    assert status == 1
    assert "ActorDiedError" in output
    assert "it was actor 0 of 1 that others were waiting for" in output
    assert seconds < 120  # the transport itself would have waited for five minutes
    assert folder.metrics() == []
