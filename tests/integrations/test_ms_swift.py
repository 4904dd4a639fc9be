"""The reward plug-in of ms-swift: with lists as ms-swift gives them, and in real training."""

import json
import logging
import pickle
import shlex
import shutil
from functools import partial
from pathlib import Path
from statistics import fmean

import pytest
from masa_rewards import AnswerVerifier, MetaPrompt
from masa_rewards.integrations.ms_swift import MasaReward, swift_rows
from masa_rewards.integrations.rows import paired_rows

from tests.integrations.reward_reference import (
    adapt_example,
    check_batch_rewards,
    read_batches,
    read_page_examples,
    write_problems,
)
from tests.integrations.stack_environments import make_environment, needs_uv

HERE = Path(__file__).parent
GIVEN = {  # as ms-swift 4.6 gives it, the completions apart
    "trainer_state": None,
    "messages": [[{"role": "user", "content": "..."}]] * 3,
    "prompt_id": ["1", "1", "2"],
    "request_id": ["1", "2", "3"],
    "finish_reason": ["stop"] * 3,
    "is_truncated": [False] * 3,
    "rollout_infos": [{}] * 3,
    "response_token_ids": [[5, 6, 7], [5, 6], [5, 6, 7, 8]],
    "kind": ["solution", "solution", "meta"],
    "problem_id": ["a", "a", "a"],
    "problem": ["2 + 2"] * 3,
    "answer": ["4"] * 3,
}
COMPLETIONS = [r"\boxed{4}", r"\boxed{5}", '{"pass_rate": 4, "solution_length": 3}']


@pytest.fixture
def reward():
    with AnswerVerifier(workers=1) as verifier:
        # As ms-swift makes it of a plug-in's entry.
        yield partial(MasaReward, prompt=MetaPrompt(min_length=1), verifier=verifier)(args=None)


def test_by_hand(reward):
    # Half are right, the right one has 3 tokens; no notion was named.
    assert reward(COMPLETIONS, **GIVEN) == pytest.approx([1.0, 0.0, (1 + 1 + 0) / 3])


def test_tokens_turn_by_turn(reward):
    turns = {"response_token_ids": [[[5], [6, 7]], [[5, 6]], [[5, 6, 7], [8]]]}
    assert reward(COMPLETIONS, **GIVEN | turns) == pytest.approx([1.0, 0.0, 2 / 3])


@pytest.mark.parametrize("tokens", [None, []])
def test_a_response_without_tokens(reward, tokens):
    missing = {"response_token_ids": [[5, 6, 7], tokens, [5, 6, 7, 8]]}
    with pytest.raises(ValueError, match=r"boxed\{5\}.* came without response_token_ids"):
        reward(COMPLETIONS, **GIVEN | missing)


def test_an_empty_response_has_no_tokens(reward):
    empty = {"response_token_ids": [[5, 6, 7], [], [5, 6, 7, 8]]}
    assert reward([COMPLETIONS[0], "", COMPLETIONS[2]], **GIVEN | empty)[1] == 0.0


def test_a_meta_prompt_without_its_solutions(reward):
    alone = {name: values and values[2:] for name, values in GIVEN.items()}
    with pytest.raises(ValueError, match=r"'a' has 1 meta .*--dataset_shuffle false.*multiple of"):
        reward(COMPLETIONS[2:], **alone)


def test_what_is_logged(reward, caplog):
    with caplog.at_level(logging.INFO, logger="swift.masa_rewards"):
        reward(COMPLETIONS, **GIVEN)
    assert "meta/reward=0.6667 meta/reward_difficulty=1 meta/reward_length=1" in caplog.text


def test_it_can_be_pickled(reward):
    other = pickle.loads(pickle.dumps(reward))
    with other.verifier:
        assert other(COMPLETIONS, **GIVEN) == pytest.approx([1.0, 0.0, 2 / 3])


@pytest.mark.parametrize("chat", [True, False])
def test_rows(chat):
    rows = swift_rows(paired_rows([{"problem": "2 + 2", "answer": "4"}], MetaPrompt(), chat=chat))
    assert [(row["kind"], row["problem_id"], row["problem"], row["answer"]) for row in rows] == [
        ("solution", "0", "2 + 2", "4"),
        ("meta", "0", "2 + 2", "4"),
    ]
    for row in rows:
        (message,) = row["messages"]
        assert message["role"] == "user"
        assert "2 + 2" in message["content"]


# -- Real training, by the example of the page -----------------------------------------------------

SHORT = {"MetaPrompt(max_length=2048)": "MetaPrompt(min_length=1, max_length=8)"}
TINY = {
    "--model Qwen/Qwen3-1.7B": "--model tiny --model_type qwen3 --template dummy --use_cpu true",
    "--max_completion_length 2048": "--max_completion_length 6 --torch_dtype float32",
    "--num_train_epochs 1": "--max_steps 2",
    "--external_plugins plugin.py": f"--external_plugins plugin.py {HERE / 'swift_record.py'}",
}
WHOLE = {  # all 16 rows in one batch of two processes, so that they may be shuffled
    "--dataset_shuffle false": "--dataset_shuffle true",
    "--per_device_train_batch_size 8": "--per_device_train_batch_size 16",
}
EVALUATION = {
    "--dataset rows.jsonl": "--dataset rows.jsonl --val_dataset solutions.jsonl --eval_strategy"
    " steps --eval_steps 2 --per_device_eval_batch_size 32",
}
CHANGED = """
import safetensors.torch, sys
before, after = (safetensors.torch.load_file(path) for path in sys.argv[1:])
print([name for name in before if (before[name] == after[name]).all()])
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("ms-swift") / "tiny"
    make_environment("ms-swift").run("python", HERE / "trl_tiny.py", path)
    return path


def run_page(tiny, folder, changes, **variables):
    """Run the whole page; returns the lines of its log."""
    shutil.copytree(tiny, folder / "tiny")
    write_problems(folder)
    rows, plugin = (
        adapt_example(example, SHORT) for example in read_page_examples("ms-swift.md", "python")
    )
    (folder / "rows.py").write_text(rows)
    (folder / "plugin.py").write_text(plugin)
    _, command = read_page_examples("ms-swift.md", "bash")
    command = adapt_example(command.replace("\\\n", ""), TINY | changes)
    make_environment("ms-swift").run("python", "rows.py", cwd=folder)
    written = (folder / "rows.jsonl").read_text().splitlines(keepends=True)
    solutions = "".join(line for line in written if '"kind": "solution"' in line)
    (folder / "solutions.jsonl").write_text(solutions)
    make_environment("ms-swift").run(
        *shlex.split(command), cwd=folder, MASA_RECORD=folder, **variables
    )
    (run,) = (folder / "masa").iterdir()
    weights = [folder / "tiny/model.safetensors", run / "checkpoint-2/model.safetensors"]
    unchanged = make_environment("ms-swift").run("python", "-c", CHANGED, *weights)
    assert unchanged.strip() == "[]"
    return [json.loads(line) for line in (run / "logging.jsonl").read_text().splitlines()]


@needs_uv
@pytest.mark.timeout(1500)
def test_the_example_of_the_page_trains(tiny, tmp_path):
    log = [line for line in run_page(tiny, tmp_path, {}) if "reward" in line]
    batches = read_batches(tmp_path)
    assert len(batches) == len(log) == 2
    for batch, line in zip(batches, log, strict=True):
        assert len(batch) == 32
        assert len(check_batch_rewards(batch)) == 16
        rewards = [sample["reward"] for sample in batch]
        assert line["rewards/MasaReward/mean"] == pytest.approx(fmean(rewards), rel=1e-4)
    assert {sample["reward"] for batch in batches for sample in batch} > {0.0, 1.0}


@needs_uv
@pytest.mark.timeout(1500)
def test_two_processes_and_any_order(tiny, tmp_path):
    log = run_page(tiny, tmp_path, WHOLE | EVALUATION, NPROC_PER_NODE=2)
    *batches, evaluated = read_batches(tmp_path)
    assert [len(batch) for batch in batches] == [128, 128]
    assert {sample["kind"] for sample in evaluated} == {"solution"}
    check_batch_rewards(evaluated)
    assert "eval_reward" in str(log)
    for batch in batches:
        check_batch_rewards(batch)
        places = {(sample["kind"], sample["id"]): set() for sample in batch}
        for sample in batch:
            places[sample["kind"], sample["id"]].add(sample["rank"])
        assert any(places["meta", each] - places["solution", each] for each in map(str, range(8)))
