"""The comparison of weights can fail: without the broadcast it does."""

import sys

from masa_openrlhf.run_folder import RunFolder
from masa_openrlhf.settings import from_settings, read_preset, with_flags
from masa_openrlhf.supervise import supervise

from tests.stack.runs import SMALL


def test_without_the_broadcast_the_run_stops_and_says_why(tmp_path, capfd):
    config = with_flags(
        from_settings(read_preset("tiny")), ["--max-steps", "3", "--eval.every", "9", *SMALL]
    )
    folder = RunFolder(tmp_path / "run")
    folder.create(config)
    status = supervise(
        folder,
        config,
        resume=False,
        command=(sys.executable, "-m", "tests.stack.without_broadcast"),
    )
    assert status == 1
    assert "the weights of vLLM engine 0 are not the policy's" in capfd.readouterr().out
    (check,) = [event for event in folder.events() if event["event"] == "weights"]
    assert check["step"] == 1
    assert check["compared"] >= 18
    # Every matrix; a norm's weight of 1 may have moved by less than bfloat16 can say.
    matrices = [name for name in check["differing"] if "_proj" in name or "embed" in name]
    assert len(matrices) >= 9
    assert folder.metrics() == []
