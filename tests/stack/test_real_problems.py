"""The tiny model on real problems, in the form that verl and DeepScaleR use."""

from pathlib import Path

import pytest

from tests.stack.command_runs import find_only_folder, list_steps, start_training

DATA = Path(__file__).parents[3] / "shared" / "data" / "math_train.parquet"


@pytest.mark.skipif(not DATA.exists(), reason=f"the real problems are not there: {DATA}")
def test_three_steps_on_real_mathematics(tmp_path):
    with start_training(
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
