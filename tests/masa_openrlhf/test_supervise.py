"""Watching a run: what is said, and returned, when it is asked to stop."""

import signal
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
while (folder / "stop").read_text() != "after the step":
    time.sleep(0.01)
with open(folder / "events.jsonl", "a") as events:
    for name in ("checkpoint", "trained"):
        events.write(json.dumps({{"event": name, "time": 0, "seconds": 1, **event}}) + "\\n")
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


# Stands for a run that trains, and ends when it is killed: it sends signals to who watches it, and
# after each writes down what it is asked for.
SIGNALLED = """
import json, os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[-1])
with open(folder / "events.jsonl", "a") as events:
    for event in {events!r}:
        events.write(json.dumps({{"time": 0, **event}}) + "\\n")
time.sleep(1)
for number, pause in {signals!r}:
    os.kill(os.getppid(), number)
    time.sleep(pause)
    with open(folder / "asked", "a") as asked:
        asked.write((folder / "stop").read_text() + "\\n")
"""
TRAINING = [{"event": "training", "steps": 9}, {"event": "phase", "what": "rollouts", "step": 1}]
INT, TERM, HUP = signal.SIGINT.value, signal.SIGTERM.value, signal.SIGHUP.value


@pytest.mark.parametrize(
    ("signals", "asked"),
    [
        # Each with the seconds after it; what stands last was asked for when the run came to its
        # end by itself, so one entry fewer says that it was ended before.
        ([(INT, 0.5), (TERM, 0.5)], ["after the step", "now"]),
        ([(TERM, 0.2), (TERM, 0.5)], ["now", "now"]),
        ([(TERM, 1.5), (TERM, 9)], ["now"]),
        ([(TERM, 0.5), (INT, 9)], ["now"]),
        ([(INT, 0.5), (INT, 9)], ["after the step"]),
        ([(HUP, 0.5), (HUP, 0.5), (TERM, 0.5)], ["after the step", "after the step", "now"]),
    ],
    ids=[
        "SIGTERM is in more of a hurry than Ctrl-C",
        "SIGTERM come two ways is one",
        "a second SIGTERM ends at once",
        "so does Ctrl-C after it",
        "and a second Ctrl-C",
        "a terminal is lost once",
    ],
)
def test_what_each_signal_asks_for(tmp_path, capsys, signals, asked):
    folder, config = RunFolder(tmp_path), TrainConfig(max_steps=9)
    folder.create(config)
    child = (sys.executable, "-c", SIGNALLED.format(events=TRAINING, signals=signals))
    begun = time.monotonic()
    assert supervise_run(folder, config, command=child, resume=False) == 130
    assert time.monotonic() - begun < 8
    assert (folder.path / "asked").read_text().splitlines() == asked
    assert "stopped before the first checkpoint" in capsys.readouterr().out
