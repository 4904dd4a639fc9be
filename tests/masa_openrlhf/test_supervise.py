"""Watching a run: what is said, and returned, when it is asked to stop."""

import sys
import time

import pytest
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.run.folder import RunFolder
from masa_openrlhf.run.supervision import supervise_run

# Stands for a run that is asked to stop, and then ends with the event it is given.
ASKED = """
import json, os, pathlib, signal, sys, time
folder, event = pathlib.Path(sys.argv[-1]), {event!r}
with open(folder / "events.jsonl", "a") as events:
    events.write(json.dumps({{"event": "training", "time": 0, "steps": 3}}) + "\\n")
os.kill(os.getppid(), signal.SIGINT)
while not (folder / "stop").exists():
    time.sleep(0.01)
with open(folder / "events.jsonl", "a") as events:
    for name in ("checkpoint", "trained"):
        events.write(json.dumps({{"event": name, "time": 0, **event}}) + "\\n")
"""


@pytest.mark.parametrize(
    ("reason", "status", "said"),
    [("asked to stop", 130, "stopped"), ("finished", 0, "What the run learned")],
)
def test_asked_to_stop_in_its_last_step_a_run_has_finished(tmp_path, capsys, reason, status, said):
    folder, config = RunFolder(tmp_path), TrainConfig(max_steps=3)
    folder.create(config)
    child = (sys.executable, "-c", ASKED.format(event={"reason": reason, "step": 3}))
    folder.write_metrics(3, {"solution/pass_rate": 0.5, "time/step": 1.0})
    assert supervise_run(folder, config, command=child, resume=False) == status
    shown = capsys.readouterr().out
    assert said in shown
    assert ("--resume" in shown) == (status == 130)


# Stands for a run that waits for something, before it trains; here for a minute.
STARTING = """
import json, os, pathlib, signal, sys, time
with open(pathlib.Path(sys.argv[-1]) / "events.jsonl", "a") as events:
    for event in {events!r}:
        events.write(json.dumps({{"time": 0, **event}}) + "\\n")
os.kill(os.getppid(), signal.SIGINT)
time.sleep(60)
"""
WAITING = {"event": "waiting", "gpus": 8, "free": 3, "total": 8}


@pytest.mark.parametrize("events", [[], [WAITING]], ids=["starting", "waiting for GPUs"])
def test_before_training_the_first_interrupt_ends_a_run(tmp_path, capsys, events):
    folder, config = RunFolder(tmp_path), TrainConfig(max_steps=3)
    folder.create(config)
    child = (sys.executable, "-c", STARTING.format(events=events))
    begun = time.monotonic()
    assert supervise_run(folder, config, command=child, resume=False) == 130
    assert time.monotonic() - begun < 30
    shown = " ".join(capsys.readouterr().out.split())
    assert "stopping at once: training has not begun" in shown
    assert "after this step" not in shown
    if events:
        assert "waiting for 8 free GPUs: 3 of the cluster's 8 are free" in shown
