"""A run whose problems are replaced, to the end of its data: nobody knows before where that is."""

import pytest
from masa_openrlhf.config.tree import TrainConfig

from tests.stack.command_runs import SMALL_RUN, find_only_folder, list_steps, start_training

DAPO = (
    "--mode=grpo",
    "--algorithm=dapo",
    "--max-steps=None",
    "--optim.schedule=constant",
    "--tiny.problems=40",
    "--checkpoint.every=100",
    "--eval.every=100",
    "--sampling.ahead=1.5",
)


@pytest.fixture(scope="module")
def dapo(tmp_path_factory):
    where = tmp_path_factory.mktemp("dapo")
    with start_training(
        "--runs", str(where / "runs"), *SMALL_RUN, *DAPO, log=where / "out.txt"
    ) as run:
        status = run.wait()
    assert status == 0, run.output
    return find_only_folder(where / "runs"), run.output


def test_the_last_step_is_evaluated_and_in_a_checkpoint(dapo):
    folder, _ = dapo
    last = list_steps(folder)[-1]
    assert 1 < last < 8  # of 40 problems, 5 a step, some were replaced
    saved = [event["step"] for event in folder.events() if event["event"] == "checkpoint"]
    assert saved == [last]
    assert (folder.checkpoints / "_actor" / f"global_step{last}").is_dir()
    assert [row["step"] for row in folder.evals()] == [0, last]
    ended = [event for event in folder.events() if event["event"] == "trained"]
    assert [(event["reason"], event["step"]) for event in ended] == [("finished", last)]


def test_every_problem_was_drawn_once(dapo):
    folder, _ = dapo
    rows = folder.metrics()
    assert sum(row["sampling/drawn"] for row in rows) == 40
    assert sum(row["sampling/replaced"] for row in rows) > 0


def test_its_steps_are_said_to_be_at_most_so_many(dapo):
    folder, output = dapo
    (training,) = [event for event in folder.events() if event["event"] == "training"]
    assert (training["steps"], training["at_most"]) == (8, True)
    assert "step 1/at most 8" in output


@pytest.mark.parametrize(
    ("settings", "step", "drawn", "last"),
    [
        ({"algorithm": "dapo"}, 3, 39, False),
        ({"algorithm": "dapo"}, 3, 40, True),  # the data are used up, to the problem
        ({"algorithm": "dapo", "epochs": 2}, 3, 40, False),
        ({"algorithm": "dapo", "max_steps": 12}, 3, 40, False),  # another pass
        ({"algorithm": "dapo", "max_steps": 12}, 12, 90, True),
        ({"mode": "masa-efficient", "gate": {"refill": True}}, 3, 40, True),
        ({}, 8, 40, True),
        ({}, 7, 35, False),
        ({"max_steps": 7}, 7, 35, True),
    ],
)
def test_which_step_is_the_last(settings, step, drawn, last):
    config = TrainConfig.model_validate({"batch": {"problems": 5}, **settings})
    assert config.is_last_step(step, drawn, problems=40) is last
