"""TRL's trainer with our reward function, by the example of docs/guides/stacks/trl.md."""

import json
import re
import shutil
from pathlib import Path
from statistics import fmean

import pytest
from masa_rewards import AnswerVerifier, MetaPrompt
from masa_rewards.integrations.trl import MasaReward

from tests.integrations.reward_reference import (
    adapt_example,
    check_batch_rewards,
    read_batches,
    read_page_examples,
    write_problems,
)
from tests.integrations.score_files import score_files
from tests.integrations.stack_environments import make_environment, needs_uv

HERE = Path(__file__).parent

TINY = {
    '"Qwen/Qwen3-1.7B"': '"tiny"',
    "MetaPrompt(max_length=2048)": "MetaPrompt(min_length=1, max_length=8)",
    "max_completion_length=2048": 'max_completion_length=6, use_cpu=True, report_to="none"',
    "num_train_epochs=1": "max_steps=2",
}
WHOLE = {  # all 16 rows in one batch of two processes, so that they may be shuffled
    "shuffle_dataset=False": "shuffle_dataset=True",
    "per_device_train_batch_size=8": "per_device_train_batch_size=16",
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("trl") / "tiny"
    make_environment("trl").run("python", HERE / "trl_tiny.py", path)
    return path


@pytest.fixture
def folder(tiny, tmp_path):
    """Where a script runs: with a tiny model and the problems."""
    shutil.copytree(tiny, tmp_path / "tiny")
    write_problems(tmp_path)
    return tmp_path


def run_training(folder, changes, launch=("python",), **expected):
    example, _ = read_page_examples("trl.md", "python")
    (folder / "train.py").write_text(adapt_example(example, TINY | changes))
    return make_environment("trl").run(
        *launch, HERE / "trl_record.py", folder, "train.py", cwd=folder, **expected
    )


def read_trained(folder, rank=0):
    return json.loads((folder / f"trained-{rank}.json").read_text())


@needs_uv
@pytest.mark.timeout(1500)
def test_the_example_of_the_page_trains(folder):
    run_training(folder, {"logging_steps=1": "logging_steps=1, log_completions=True"})
    batches = read_batches(folder)
    parts = [check_batch_rewards(batch) for batch in batches]
    log = [line for line in read_trained(folder)["log"] if "reward" in line]
    assert len(batches) == len(log) == read_trained(folder)["steps"] == 2
    for batch, metas, line in zip(batches, parts, log, strict=True):
        # Two problems, each with 8 solutions and 8 meta responses.
        assert [(len(batch), len(metas))] == [(32, 16)]
        rewards = [sample["reward"] for sample in batch]
        assert line["rewards/MasaReward/mean"] == pytest.approx(fmean(rewards), rel=1e-4)
        for name, values in zip(
            ("length", "difficulty", "notion"), zip(*metas, strict=True), strict=True
        ):
            assert line[f"meta/reward_{name}"] == pytest.approx(fmean(values), rel=1e-4)
    # It was something to learn from: right and wrong solutions, each kind of meta reward.
    assert {sample["reward"] for batch in batches for sample in batch} > {0.0, 1.0}
    every = [meta for metas in parts for meta in metas]
    assert all(any(values) for values in zip(*every, strict=True))
    assert len(read_trained(folder)["changed"]) == read_trained(folder)["weights"]
    check_scored_log(score_files(folder / "masa" / "completions"), batches)


def check_scored_log(report, batches):
    """What TRL logged (completions_00001.parquet, ...) is scored as what was trained on."""
    solutions = [s for batch in batches for s in batch if s["kind"] == "solution"]
    assert (report.problems, report.rollouts) == (4, len(solutions))
    assert report.correct == sum(sample["reward"] == 1.0 for sample in solutions)
    assert report.predictions == sum(len(batch) for batch in batches) - len(solutions)
    assert report.notes == (
        "read as TRL's completions; an answer is right where MasaReward >= 0.5",
    )
    groups = {}
    for number, batch in enumerate(batches):
        for sample in batch:
            if sample["kind"] == "solution":
                groups.setdefault((number, sample["id"]), []).append(sample["reward"])
    agreed = [set(rewards) for rewards in groups.values()]
    assert report.gate.groups == 4
    assert report.gate.all_right.groups == agreed.count({1.0})
    assert report.gate.all_wrong.groups == agreed.count({0.0})
    assert report.gate.unit == "characters"


@needs_uv
@pytest.mark.timeout(1500)
def test_two_processes_and_any_order(folder):
    _, solutions_alone = read_page_examples("trl.md", "python")
    evaluation = {
        "trainer = ": f"held_out = problems\n{solutions_alone}\ntrainer = ",
        "    args=GRPOConfig(": "    eval_dataset=evaluation,\n    args=GRPOConfig("
        'eval_strategy="steps", eval_steps=2, per_device_eval_batch_size=32,',
    }
    launch = ("torchrun", "--standalone", "--nproc-per-node", "2")
    run_training(folder, WHOLE | evaluation, launch)
    *batches, evaluated = read_batches(folder)
    for batch in batches:
        assert len(batch) == 128
        check_batch_rewards(batch)
        parts = {(sample["kind"], sample["id"], sample["rank"]) for sample in batch}
        assert any(
            ("solution", each, rank) not in parts and ("meta", each, rank) in parts
            for rank in (0, 1)
            for each in map(str, range(8))
        ), "no meta response was rewarded by the solutions of another process"
    assert {sample["kind"] for sample in evaluated} == {"solution"}
    check_batch_rewards(evaluated)
    assert "eval_reward" in str(read_trained(folder)["log"])
    assert read_trained(folder)["steps"] == read_trained(folder, 1)["steps"] == 2
    with AnswerVerifier(workers=1) as verifier:
        alone = MasaReward(MetaPrompt(min_length=1), verifier=verifier)(**merge_batch(batches[0]))
    assert alone == [sample["reward"] for sample in batches[0]]


def merge_batch(batch):
    """The batch as one process would have got it."""
    given = {name: [sample[name] for sample in batch] for name in ("kind", "answer")}
    return given | {
        "problem_id": [sample["id"] for sample in batch],
        "problem": [f"What is {sample['id']} + 1 ?" for sample in batch],
        "completions": [sample["text"] for sample in batch],
        "completion_ids": [[0] * sample["length"] for sample in batch],
    }


@needs_uv
@pytest.mark.timeout(1500)
def test_a_shuffled_data_set_is_refused(folder):
    changes = {"shuffle_dataset=False": "shuffle_dataset=True"}
    output = run_training(folder, changes, fails=True)
    assert re.search(r"MissingSolutionsError: .*shuffle_dataset=False.*multiple of", output)
