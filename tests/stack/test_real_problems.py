"""The tiny model on real problems, in the form that verl and DeepScaleR use, and on made ones."""

import json
import sys
from pathlib import Path

import pytest

from tests.stack.command_runs import find_only_folder, list_steps, start_training

DATA = Path(__file__).parents[3] / "shared" / "data" / "math_train.parquet"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason=f"the real problems are not there: {DATA}")
def test_three_steps_on_real_mathematics(tmp_path):
    with start_training(
        "--preset=tiny",
        "--data.train",
        str(DATA),
        "--data.prompt-max-tokens=512",
        "--batch.problems=4",
        "--max-steps=3",
        "--runs",
        str(tmp_path / "runs"),
        log=tmp_path / "out.txt",
    ) as run:
        status = run.wait()
    assert status == 0, run.output
    folder = find_only_folder(tmp_path / "runs")
    assert list_steps(folder) == [1, 2, 3]
    (read,) = [e for e in folder.events() if e["event"] == "problems"]
    assert read["split"] == "train"
    assert read["left_out"]["no answer"] == 4  # blank in the file
    assert read["count"] + sum(read["left_out"].values()) == 7500
    assert read["count"] > 5000
    verdicts = {k: v for k, v in folder.metrics()[-1].items() if k.startswith("ledger/verdict_")}
    assert sum(verdicts.values()) == 3 * 4 * 8


@pytest.mark.skipif(sys.version_info < (3, 11), reason="reasoning-gym needs Python 3.11")
def test_a_step_on_tasks_with_scorers_of_their_own(tmp_path):
    tasks = "reasoning_gym:fraction_simplification,chain_sum(max_terms=3)"
    with start_training(
        "--preset=tiny",
        "--data.train",
        tasks,
        "--data.eval",
        tasks,
        "--data.reasoning-gym.problems=8",
        "--data.reasoning-gym.held-out=4",
        "--data.prompt-max-tokens=256",
        "--batch.problems=4",
        "--max-steps=1",
        "--runs",
        str(tmp_path / "runs"),
        log=tmp_path / "out.txt",
    ) as run:
        status = run.wait()
    assert status == 0, run.output
    folder = find_only_folder(tmp_path / "runs")
    assert list_steps(folder) == [1]
    assert not folder.named_problems.exists()
    read = {
        e["split"]: (e["count"], e["scored"]) for e in folder.events() if e["event"] == "problems"
    }
    assert read == {"train": (8, 4), "eval": (4, 2)}
    lines = (folder.data / "train.jsonl").read_text("utf-8").splitlines()
    labels = [json.loads(line)["task"] for line in lines]
    assert sorted(bool(label["scorer"]) for label in labels) == [False] * 4 + [True] * 4
    verdicts = {k: v for k, v in folder.metrics()[-1].items() if k.startswith("ledger/verdict_")}
    assert sum(verdicts.values()) == 4 * 8
    assert verdicts.get("ledger/verdict_error", 0) == 0
