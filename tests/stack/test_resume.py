"""Stopped, killed, gone on with: two ranks, batches that do not divide between them."""

import json
import os
import signal

import pytest

from tests.stack.command_runs import (
    SMALL_RUN,
    TWO_RANKS,
    find_only_folder,
    list_steps,
    start_training,
)


def problems(folder):
    """The ids of the problems of each step."""
    return {
        int(path.stem.split("-")[1]): [episode["id"] for episode in json.loads(path.read_text())]
        for path in sorted((folder.path / "episodes").iterdir())
    }


@pytest.fixture(scope="module")
def stopped_killed_and_resumed(tmp_path_factory):
    where = tmp_path_factory.mktemp("resume")
    runs, story = where / "runs", {}

    with start_training(
        "--runs", str(runs), *SMALL_RUN, *TWO_RANKS, log=where / "first.txt"
    ) as run:
        run.wait_until(lambda: runs.exists() and any(runs.iterdir()))
        folder = find_only_folder(runs)
        run.wait_until(lambda: list_steps(folder) == [1])
        run.process.send_signal(signal.SIGINT)
        story["interrupted"] = run.wait()
        story["interrupted said"] = run.output
        story["left after the interrupt"] = run.left_behind()
    story["checkpoint"] = folder.events()
    story["steps"] = list_steps(folder)

    with start_training("--resume", str(folder.path), log=where / "second.txt") as run:
        # Past a checkpoint, and into a step.
        run.wait_until(lambda: max(list_steps(folder), default=0) >= 5)
        os.kill(run.driver().pid, signal.SIGKILL)
        story["killed"] = run.wait()
        story["killed said"] = run.output
        story["left after the kill"] = run.left_behind()
    story["steps when killed"] = list_steps(folder)

    with start_training("--resume", str(folder.path), log=where / "third.txt") as run:
        story["resumed"] = run.wait()
        story["resumed said"] = run.output
        story["left at the end"] = run.left_behind()
    return folder, story


def test_ctrl_c_leaves_a_checkpoint_and_says_how_to_go_on(stopped_killed_and_resumed):
    folder, story = stopped_killed_and_resumed
    assert story["interrupted"] == 130, story["interrupted said"]
    saved = [e["step"] for e in story["checkpoint"] if e["event"] == "checkpoint"]
    assert saved[-1] == story["steps"][-1] < 7
    assert f"masa-openrlhf train --resume {folder.path}" in story["interrupted said"]


def test_a_killed_driver_is_reported_with_its_last_words(stopped_killed_and_resumed):
    folder, story = stopped_killed_and_resumed
    assert story["killed"] != 0
    assert "was killed by signal 9" in story["killed said"]
    assert str(folder.log) in story["killed said"]


def test_it_goes_on_after_the_last_checkpoint(stopped_killed_and_resumed):
    folder, story = stopped_killed_and_resumed
    assert story["resumed"] == 0, story["resumed said"]
    resumed = [e["step"] for e in folder.events() if e["event"] == "resumed"]
    saved = [e["step"] for e in folder.events() if e["event"] == "checkpoint"]
    assert resumed[0] == saved[0]
    assert resumed[1] in saved
    assert resumed[1] >= 4
    assert list_steps(folder) == list(range(1, 8))


def test_it_goes_on_with_the_model_it_had(stopped_killed_and_resumed):
    """A model that lost its weights, or its tokenizer, would predict nothing readable."""
    folder, _ = stopped_killed_and_resumed
    assert all(row["meta/unreadable_pass_rate"] < 0.5 for row in folder.metrics())


def test_no_process_outlives_its_run(stopped_killed_and_resumed):
    _, story = stopped_killed_and_resumed
    assert story["left after the interrupt"] == []
    assert story["left after the kill"] == []
    assert story["left at the end"] == []


def test_the_problems_come_in_the_order_of_a_run_that_was_never_stopped(
    stopped_killed_and_resumed, whole_run
):
    folder, _ = stopped_killed_and_resumed
    assert problems(folder) == problems(whole_run.folder)


def decided(folder):
    """All that decisions depended on, and all they came to: of every step, every episode."""
    kept = ("gate/", "cutoff/", "experts/", "ledger/", "meta/", "solution/", "tokens/")
    rows = [{k: v for k, v in row.items() if k.startswith(kept)} for row in folder.metrics()]
    episodes = [json.loads(p.read_text()) for p in sorted((folder.path / "episodes").iterdir())]
    return rows, episodes


def test_the_decisions_are_those_of_a_run_that_was_never_stopped(
    stopped_killed_and_resumed, whole_run
):
    """Controller, experts, ledger, audits and sampling go on exactly, after a kill -9 too."""
    resumed, whole = decided(stopped_killed_and_resumed[0]), decided(whole_run.folder)
    last = whole[0][-1]
    assert last["ledger/gate_audits"] > 0
    assert last.get("ledger/skipped_trivial", 0) + last.get("ledger/skipped_unsolvable", 0) > 0
    assert resumed == whole


def test_two_ranks_lose_no_sample(stopped_killed_and_resumed):
    folder, _ = stopped_killed_and_resumed
    last = folder.metrics()[-1]
    skipped = last.get("ledger/skipped_trivial", 0) + last.get("ledger/skipped_unsolvable", 0)
    assert last["ledger/problems"] == 7 * 5
    assert last["ledger/solution_rollouts"] == (7 * 5 - skipped) * 6
    assert last["ledger/meta_rollouts"] == 7 * 5 * 4
    assert last["ledger/cloned_sequences"] > 0
    assert all(row["policy/grad_norm"] > 0 for row in folder.metrics())
