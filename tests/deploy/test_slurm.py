"""deploy/slurm.sh under a stand-in for Slurm, with real runs of the real stack on the CPU in it."""

import sys
import time
from pathlib import Path

import pytest

from tests.deploy.stand_in_slurm import KILL_WAIT, Slurm
from tests.stack.command_runs import SMALL_RUN, find_only_folder, list_steps

pytestmark = [pytest.mark.timeout(1500), pytest.mark.slow]  # three starts of the stack
SCRIPT = Path(__file__).parents[2] / "deploy" / "slurm.sh"
RUN = (*SMALL_RUN, "--checkpoint.every=100", "--eval.every=100", "--max-steps=4")


def make_project(where):
    """A checkout as far as the script sees it: the environment that these tests run in."""
    where.mkdir()
    (where / ".venv").symlink_to(Path(sys.executable).parents[1])
    return where


def is_in(folder, what, step):
    """Whether a run is in a part of a step now, and not one that has ended in it before."""
    names = ("starting", "training", "phase", "trained")
    last = [e for e in folder.events() if e["event"] in names][-1:]
    return [(e.get("what"), e.get("step")) for e in last if e["event"] == "phase"] == [(what, step)]


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Near its limit, put into the queue again, cancelled, submitted again, and once too often."""
    where = tmp_path_factory.mktemp("slurm")
    runs, told = where / "runs", {}
    slurm = Slurm(where / "slurm", PROJECT=str(make_project(where / "project")), RUNS=str(runs))
    job = slurm.submit(SCRIPT, *RUN)
    job.wait_until(lambda: list(runs.glob("*/config.json")))
    folder = find_only_folder(runs)
    job.wait_until(lambda: is_in(folder, "rollouts", 3))
    begun = time.time()
    job.warn_of_limit()
    told["limit"] = (job.end(), begun, job.requeues, job.said)
    told["saved"] = [e for e in folder.events() if e["event"] == "checkpoint"]
    told["steps"] = list_steps(folder)

    job.run_again()
    job.wait_until(lambda: is_in(folder, "rollouts", 3))
    begun = time.monotonic()
    job.cancel()
    told["cancelled"] = (job.end(), time.monotonic() - begun, job.requeues, job.said)
    told["saved by the second"] = [e for e in folder.events() if e["event"] == "checkpoint"]

    second = slurm.submit(SCRIPT, *RUN)
    told["resubmitted"] = (second.end(300), second.requeues, second.said)
    third = slurm.submit(SCRIPT, *RUN)
    told["once more"] = (third.end(60), third.said)
    print("\n".join([*job.log, *second.log, *third.log]))
    return folder, told


def test_near_its_limit_a_job_leaves_a_checkpoint_within_killwait(story):
    _, told = story
    status, begun, requeues, said = told["limit"]
    assert status == 130, said
    assert told["steps"] == [1, 2]
    assert [e["step"] for e in told["saved"]] == [2]
    assert told["saved"][0]["time"] - begun < KILL_WAIT
    assert "SIGTERM: ending now, with a checkpoint of step 2, the last finished one" in said
    assert requeues == 1


def test_put_into_the_queue_again_it_goes_on(story):
    folder, told = story
    said = told["cancelled"][-1]
    assert f"slurm.sh: masa-openrlhf train --resume {folder.path}" in said
    assert "going on after step 2" in said


def test_cancelled_where_a_checkpoint_is_there_it_writes_none_and_stays_ended(story):
    _, told = story
    status, seconds, requeues, said = told["cancelled"]
    assert status == 130, said
    assert seconds < KILL_WAIT
    assert "SIGTERM: ending now; step 2, the last finished one, has a checkpoint" in said
    assert told["saved by the second"] == told["saved"]
    assert requeues == 0


def test_a_second_submission_resumes_and_finishes(story):
    folder, told = story
    status, requeues, said = told["resubmitted"]
    assert (status, requeues) == (0, 0), said
    assert "going on after step 2" in said
    assert list_steps(folder) == [1, 2, 3, 4]


def test_a_finished_run_is_not_begun_anew(story):
    folder, told = story
    status, said = told["once more"]
    assert status == 0
    assert f"{folder.path} has finished" in said
    assert list_steps(folder) == [1, 2, 3, 4]


# Stands for the run alone: the script's part of several nodes is what is tried.
LOOK = """#!/usr/bin/env python
import os, ray, sys
ray.init(log_to_driver=False)
print("nodes", sum(node["Alive"] for node in ray.nodes()), "GPUs", ray.cluster_resources()["GPU"])
print("arguments", *sys.argv[1:])
"""


def test_on_several_nodes_ray_is_up_everywhere_and_asks_for_a_token(tmp_path):
    project = tmp_path / "project"
    real = Path(sys.executable).parent
    texts = {name: f'#!/bin/sh\nexec {real / name} "$@"\n' for name in ("python", "ray")}
    programs = project / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, text in {**texts, "masa-openrlhf": LOOK}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    runs = tmp_path / "runs"
    slurm = Slurm(
        tmp_path / "slurm",
        PROJECT=str(project),
        RUNS=str(runs),
        HEAD_ADDRESS="127.0.0.1",
        RAY_ENABLE_UV_RUN_RUNTIME_ENV="0",
    )
    job = slurm.submit(SCRIPT, "--preset", "qwen3-8b", nodes=2)
    status = job.end(200)
    assert status == 0, job.said
    assert "nodes 2 GPUs 2.0" in job.said
    assert f"arguments train --preset qwen3-8b --runs {runs}" in job.said
    token = runs / ".ray-token"
    assert token.stat().st_mode & 0o777 == 0o600
    assert len(token.read_text()) == 64
