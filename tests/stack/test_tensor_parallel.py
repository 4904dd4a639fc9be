"""An engine of two workers: the policy's weights arrive in both shards, and are compared."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack.command_runs import SMALL_RUN, find_only_folder, list_steps, start_training

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("tensor_parallel_shards.py")
MATRICES = 2 * 4 + 1
"""Two layers of qkv, o, gate and up, down; the embedding."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two steps of one rank and an engine of two workers; the titles of its processes."""
    where = tmp_path_factory.mktemp("shards")
    flags = ("--max-steps=2", "--cluster.engines=1", "--cluster.tensor-parallel=2")
    with start_training(
        "--runs", str(where / "runs"), *SMALL_RUN, *flags, log=where / "out.txt"
    ) as running:
        running.wait_until(lambda: (where / "runs").exists() and any((where / "runs").iterdir()))
        folder = find_only_folder(where / "runs")
        running.wait_until(lambda: bool(list_steps(folder)))
        titles = [" ".join(process.cmdline()) for process in running.processes()]
        status = running.wait()
        left = running.left_behind()
    assert status == 0, running.output
    return folder, titles, left


def test_an_engine_has_two_workers(run):
    _, titles, left = run
    assert sum("VLLM::Worker" in title for title in titles) == 2
    assert left == []


def test_the_policys_weights_arrive_in_the_shards(run):
    checks = [event for event in run[0].events() if event["event"] == "weights"]
    assert [event["step"] for event in checks] == [1, 2]
    assert all(event["compared"] >= 18 and not event["differing"] for event in checks)
    assert list_steps(run[0]) == [1, 2]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """An engine, one of whose workers loses an update: ``tensor_parallel_shards``."""
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path_factory.mktemp("engine")],
        env={**os.environ, "TOKENIZERS_PARALLELISM": "false"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    return json.loads(line.removeprefix("FOUND "))


def test_one_shard_is_not_the_policys_but_both_are(found):
    assert found["workers"] == 2
    assert len(found["alone"]["differing"]) >= MATRICES
    assert found["whole"]["compared"] >= 18
    assert found["whole"]["differing"] == []
    assert found["whole"]["unmatched"] == []


def test_a_shard_that_is_not_updated_is_found(found):
    assert found["spoilt"]["differing"] == ["model.layers.1.mlp.down_proj.weight"]
