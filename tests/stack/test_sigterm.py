"""Told to end: a checkpoint of the last finished step, or of that whose weights are being made."""

import signal
import time
from typing import NamedTuple

import pytest

from tests.stack.command_runs import (
    SMALL_RUN,
    TWO_RANKS,
    find_only_folder,
    list_steps,
    start_training,
)

pytestmark = pytest.mark.timeout(1500)  # five starts of the stack

KILL_WAIT = 30
"""Seconds from SIGTERM to SIGKILL in Slurm, as it is shipped."""


def wait_for_phase(run, folder, what, step):
    """Wait until a part of a step begins; some are over in a tenth of a second."""

    def begun():
        phases = [e for e in folder.events() if e["event"] == "phase"]
        return phases[-1:] and (phases[-1]["what"], phases[-1]["step"]) == (what, step)

    run.wait_until(begun, every=0.005)


class Ending(NamedTuple):
    """How a run ended that was sent SIGTERM."""

    status: int
    sent: float
    ended: float
    said: str
    checkpoints: list[tuple[int, float]]  # those of this run: step, and when it was written


def end(run, folder):
    """Send SIGTERM, and wait for the end."""
    before, sent = len(folder.events()), time.time()
    run.process.send_signal(signal.SIGTERM)
    status, ended = run.wait(), time.time()
    written = [e for e in folder.events()[before:] if e["event"] == "checkpoint"]
    return Ending(status, sent, ended, run.output, [(e["step"], e["time"]) for e in written])


@pytest.fixture(scope="module")
def ended_often(tmp_path_factory):
    """Ended in rollouts, in an update, and in its optimiser step; gone on with each time."""
    where = tmp_path_factory.mktemp("sigterm")
    runs, story = where / "runs", {}
    with start_training(
        "--runs", str(runs), *SMALL_RUN, *TWO_RANKS, log=where / "first.txt"
    ) as run:
        run.wait_until(lambda: runs.exists() and any(runs.iterdir()))
        folder = find_only_folder(runs)
        wait_for_phase(run, folder, "rollouts", 4)
        run.driver().send_signal(signal.SIGTERM)  # as `ray job stop` does, to all processes
        story["rollouts"] = end(run, folder)
        story["left"] = run.left_behind()
    story["steps"], story["events"] = list_steps(folder), folder.events()
    for what in ("update", "optimiser step"):
        with start_training("--resume", str(folder.path), log=where / f"{what}.txt") as run:
            wait_for_phase(run, folder, what, 6)
            story[what] = end(run, folder)
    story["evaluated"] = [row["step"] for row in folder.evals()]
    for ending in (story[what] for what in ("rollouts", "update", "optimiser step")):
        seconds = [(step, f"{at - ending.sent:.1f} s") for step, at in ending.checkpoints]
        print(f"checkpoints {seconds}, gone {ending.ended - ending.sent:.1f} s after SIGTERM")
    with start_training("--resume", str(folder.path), log=where / "last.txt") as run:
        assert run.wait() == 0, run.output
    return folder, story


def test_in_rollouts_the_last_finished_step_is_written_at_once(ended_often):
    folder, story = ended_often
    ending = story["rollouts"]
    assert ending.status == 130, ending.said
    assert story["steps"] == [1, 2, 3]
    ((step, written),) = ending.checkpoints
    assert step == 3
    assert written - ending.sent < 15
    assert ending.ended - ending.sent < KILL_WAIT
    said = ending.said
    assert "SIGTERM: ending now, with a checkpoint of step 3, the last finished one" in said
    assert "checkpoint of step 3 written in" in said
    assert "the last checkpoint is of step 3" in said
    assert f"masa-openrlhf train --resume {folder.path}" in said
    assert story["left"] == []


def test_an_update_is_given_up_while_no_weight_has_changed(ended_often):
    _, story = ended_often
    ending = story["update"]
    assert ending.status == 130, ending.said
    assert "going on after step 3" in ending.said
    assert "SIGTERM: ending now, with a checkpoint of step 5" in ending.said
    ((step, written),) = ending.checkpoints
    assert step == 5
    assert written - ending.sent < 15
    assert ending.ended - ending.sent < KILL_WAIT


def test_a_step_whose_weights_are_being_made_is_finished_and_written(ended_often):
    _, story = ended_often
    ending = story["optimiser step"]
    assert ending.status == 130, ending.said
    assert "going on after step 5" in ending.said
    assert [step for step, _ in ending.checkpoints] == [6]
    assert "the last checkpoint is of step 6" in ending.said
    assert story["evaluated"] == [0, 3]  # that of step 6 is owed


def test_no_model_is_written_by_a_run_that_is_told_to_end(ended_often):
    folder, story = ended_often
    names = [e["event"] for e in story["events"]]
    assert names[-1] == "trained"
    assert "finished" not in names
    assert (folder.model / "config.json").exists()  # by the last


TIMES = ("time", "overhead/")


def numbers(rows):
    return [{k: v for k, v in row.items() if not k.startswith(TIMES)} for row in rows]


def test_it_goes_on_with_the_numbers_of_a_run_that_was_never_ended(ended_often, whole_run):
    """Rollouts, decisions, gradients and evaluations, of every step."""
    folder, _ = ended_often
    assert numbers(folder.metrics()) == numbers(whole_run.folder.metrics())
    assert numbers(folder.evals()) == numbers(whole_run.folder.evals())
    for name in ("calibration.jsonl", "confusion.jsonl", "notions.jsonl"):
        ours, whole = (
            sorted((one.path / name).read_text().splitlines()) for one in (folder, whole_run.folder)
        )
        assert ours == whole
