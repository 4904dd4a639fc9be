"""A run on two nodes: `ray start` twice on this machine, each node with a GPU on paper.

What two machines have of their own is missing: another network, another clock, another disk but
where a mount hides one.
"""

import re
import socket
import time

import pytest
from masa_openrlhf.run.temporary import make_temporary_folder

from tests.stack.command_runs import SMALL_RUN, find_only_folder, list_steps, start_training
from tests.stack.paper_cluster import HEAD, OTHER, can_hide, hide, start_cluster

WAIT = 900
"""Seconds, at most, for a part of the story: a machine may be busy with others."""
pytestmark = [pytest.mark.timeout(1200), pytest.mark.slow]
TOKEN = "hf_a-token-that-nobody-sees"
SENT = {"HF_HUB_OFFLINE": "1", "NCCL_DEBUG": "INFO", "MINE": "mine"}
RUN = (
    *SMALL_RUN,
    "--cluster.nodes=2",
    "--cluster.gpus-per-node=1",
    "--cluster.engines=2",
    "--cluster.colocate",
    "--checkpoint.every=1",
)


def read_variables(process, names):
    there = process.environ()
    return {name: there.get(name) for name in names}


def look_at(node):
    """What of the run is on a node, and with which variables."""
    # An actor at work has the title of its method, which may be OpenRLHF's own class's.
    ranks = node.find_titled("ray::PolicyActor", "ray::PolicyModelActor")
    engines = node.find_titled("VLLM::EngineCore")
    return {
        "ranks": len(ranks),
        "engines": len(engines),
        "trainers": len(node.find_titled("ray::Trainer", "ray::PPOTrainer")),
        "variables": [read_variables(p, SENT) for p in (*ranks, *engines)],
        "token": [p.environ().get("HF_TOKEN") for p in engines],
        "command lines": " ".join(" ".join(p.cmdline()) for p in node.processes()),
    }


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A node that does not see the folder; a run that loses its second node."""
    where, told = tmp_path_factory.mktemp("nodes"), {}
    runs = where / "runs"
    runs.mkdir()
    with make_temporary_folder() as private, start_cluster(private) as cluster:
        head = cluster.start_head()
        variables = {**cluster.variables, "RAY_ADDRESS": cluster.address, **SENT, "HF_TOKEN": TOKEN}
        flags = ("--runs", str(runs), *RUN, "--cluster.send-variables", "MINE")

        if can_hide():
            other = cluster.start_other(before=hide(runs))
            with start_training(*flags, log=where / "blind.txt", **variables) as run:
                told["blind"] = run.wait(WAIT), run.output
            other.stop()
            find_only_folder(runs).path.rename(where / "blind")

        other = cluster.start_other()
        with start_training(*flags, "--max-steps=9", log=where / "first.txt", **variables) as run:
            run.wait_until(lambda: any(runs.iterdir()), WAIT)
            folder = find_only_folder(runs)
            run.wait_until(lambda: len(list_steps(folder)) >= 2, WAIT)
            told["placed"] = {node.address: look_at(node) for node in (head, other)}
            other.lose()
            lost = time.monotonic()
            told["lost"] = run.wait(WAIT), run.output
            told["seconds"] = time.monotonic() - lost
        time.sleep(5)
        told["left"] = [
            " ".join(p.cmdline())
            for p in head.find_titled("VLLM::EngineCore", "ray::Policy", "ray::PPOTrainer")
        ]
        told["logs"] = cluster.read_logs()
        told["events"] = folder.events()
        told["steps when lost"] = list_steps(folder)
        other.stop()

        begun = time.monotonic()
        more = ("--resume", str(folder.path), "--cluster.gpus-per-node=2", "--cluster.engines=4")
        with start_training(*more, log=where / "refused.txt", **variables) as run:
            told["refused"] = run.wait(WAIT), run.output, time.monotonic() - begun
    return folder, told


@pytest.fixture(scope="module")
def resumed(story, tmp_path_factory):
    """The run that lost a node, gone on with for a step on another cluster: status and output."""
    folder, told = story
    last = max(told["steps when lost"]) + 1
    flags = ("--resume", str(folder.path), f"--max-steps={last}")
    log = tmp_path_factory.mktemp("resumed") / "out.txt"
    with make_temporary_folder() as private, start_cluster(private) as cluster:
        cluster.start_head()
        cluster.start_other()
        variables = {**cluster.variables, "RAY_ADDRESS": cluster.address, **SENT}
        with start_training(*flags, log=log, **variables) as run:
            return run.wait(WAIT), run.output


def test_a_node_that_does_not_see_the_runs_folder_is_named(story):
    if not can_hide():
        pytest.skip("needs root: a mount of its own")
    status, said = story[1]["blind"]
    assert status == 1
    assert f"node {OTHER} ({socket.gethostname()}): it does not share the run's folder" in said
    assert f"node {HEAD}" not in said
    assert "starting the stack" not in said


def test_each_node_has_a_rank_and_an_engine(story):
    placed = story[1]["placed"]
    assert [placed[one]["ranks"] for one in (HEAD, OTHER)] == [1, 1]
    assert [placed[one]["engines"] for one in (HEAD, OTHER)] == [1, 1]


def test_the_trainer_is_where_the_run_was_started(story):
    placed = story[1]["placed"]
    assert [placed[one]["trainers"] for one in (HEAD, OTHER)] == [1, 0]


def test_both_engines_have_the_policys_weights(story):
    checks = [event for event in story[1]["events"] if event["event"] == "weights"]
    assert {event["step"] for event in checks} >= {1, 2}
    assert all(event["compared"] >= 18 and not event["differing"] for event in checks)


def test_variables_reach_the_processes_of_both_nodes(story):
    for one in (HEAD, OTHER):
        assert story[1]["placed"][one]["variables"] == [SENT, SENT]


def test_a_secret_reaches_both_nodes_and_is_shown_by_neither(story):
    for one in (HEAD, OTHER):
        assert story[1]["placed"][one]["token"] == [TOKEN]
        assert TOKEN not in story[1]["placed"][one]["command lines"]
    assert "HF_HUB_OFFLINE" in story[1]["logs"]
    assert TOKEN not in story[1]["logs"]


def test_a_node_that_dies_ends_the_run_and_is_named(story):
    status, said = story[1]["lost"]
    assert status == 1
    assert f"node {OTHER} ({socket.gethostname()}) of the Ray cluster is gone" in said
    assert f"masa-openrlhf train --resume {story[0].path}" in said
    assert "Traceback" not in said
    assert story[1]["seconds"] < 60


def test_nothing_of_the_run_is_left_on_the_other_node(story):
    assert story[1]["left"] == []


def test_another_number_of_ranks_is_refused_before_ray(story):
    status, said, seconds = story[1]["refused"]
    assert status == 2
    assert "was written by 2 ranks, and 4 were asked for" in said
    assert "starting Ray" not in said
    assert seconds < 20


def test_it_is_resumed_on_another_cluster(story, resumed):
    folder, told = story
    status, said = resumed
    assert status == 0, said
    assert re.search(r"going on after step \d+", said)
    assert list_steps(folder) == list(range(1, max(told["steps when lost"]) + 2))
    assert (folder.model / "config.json").exists()
    assert folder.events()[-1]["event"] == "finished"
