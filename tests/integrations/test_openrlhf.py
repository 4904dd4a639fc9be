"""The bare reward function in OpenRLHF 0.11.2: stock trains two steps with it."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from masa_rewards import AnswerVerifier, MetaPrompt, Rollout, RolloutGroup, Verdict
from masa_rewards.integrations.openrlhf import RewardFunc, extract_response, meta_label, read_label

from tests.integrations.doc_pages import read_code_blocks
from tests.integrations.stack_environments import ROOT

GROUP = RolloutGroup(
    problem="What is 2 + 3?",
    rollouts=(
        Rollout(text="By addition.", length=200, correct=True),
        Rollout(text="A guess.", length=50, correct=False),
    ),
)
HALF = '{"pass_rate": 4, "solution_length": 200, "math_notion": ["addition"]}'

RECORD = """
import json
_own = reward_func
def reward_func(queries, prompts, labels):
    told = _own(queries, prompts, labels)
    with open(RECORD, "a") as file:
        file.write(json.dumps([queries[0], prompts[0], labels[0], told]) + "\\n")
    return told
"""


@pytest.fixture(scope="module")
def func():
    with AnswerVerifier(workers=1) as verifier:
        yield RewardFunc(MetaPrompt(), verifier=verifier)


def test_a_solution_is_verified(func):
    told = func(["Q: \\boxed{5}<end>"], ["Q: "], ["5"])
    assert told == {
        "rewards": 1.0,
        "scores": 1.0,
        "extra_logs": {"masa_meta": 0.0, "masa_unrewarded": 0.0},
    }
    assert func(["Q: \\boxed{6}"], ["Q: "], ["5"])["rewards"] == 0.0


def test_a_prediction_is_judged_by_the_measured_group(func):
    # p = 1/2 as predicted, the one right length is 200, "addition" only in the right one.
    told = func([f"Q: {HALF}<end>"], ["Q: "], [meta_label(GROUP)])
    assert told["rewards"] == 1.0
    assert told["extra_logs"] == {"masa_meta": 1.0, "masa_unrewarded": 0.0}
    # Unreadable: nothing was predicted.
    assert func(["Q: no"], ["Q: "], [meta_label(GROUP)])["rewards"] == 0.0


def test_a_verifier_that_failed_is_counted(caplog):
    class Failing(AnswerVerifier):
        def verify(self, answer_text, gold):
            return Verdict(status="timeout", answer="5", detail="killed")

    with Failing(workers=1) as verifier:
        told = RewardFunc(MetaPrompt(), verifier=verifier, verifier_failed=0.5)(["Q"], ["Q"], ["5"])
    assert (told["rewards"], told["extra_logs"]["masa_unrewarded"]) == (0.5, 1.0)
    assert "could not be verified" in caplog.text


def test_labels():
    assert read_label(meta_label(GROUP)) == GROUP
    # Right answers, whatever they look like.
    for answer in ("5", "[1, 2]", '{"a": 1}', "\\{1, 2\\}", "null"):
        assert read_label(answer) is None
    with pytest.raises(ValueError, match="holds no group"):
        read_label('{"masa_group": {"problem": 5}}')
    with pytest.raises(ValueError, match="no rollouts"):
        meta_label(RolloutGroup(problem="?", rollouts=()))


def test_the_prompt_is_cut_off():
    assert extract_response("prompt: answer", "prompt: ") == "answer"
    # A long prompt is cut from its beginning.
    long = "x" * 500 + "y" * 200
    assert extract_response(long[300:] + "answer", long) == "answer"
    with pytest.raises(ValueError, match="does not hold its prompt"):
        extract_response("something else", "prompt: ")


def test_it_takes_one_sample_as_openrlhf_gives_it(func):
    with pytest.raises(ValueError, match="one sample at a time: got 2 queries"):
        func(["a", "b"], ["a", "b"], ["5", "5"])
    with pytest.raises(ValueError, match="blank"):
        func(["a"], ["a"], [" "])
    with pytest.raises(ValueError, match=r"in \[0, 1\]: got 2"):
        RewardFunc(MetaPrompt(), verifier_failed=2)


def test_the_page_writes_its_data(tmp_path):
    data = read_code_blocks("openrlhf")[1]
    subprocess.run([sys.executable, "-c", data], cwd=tmp_path, check=True)
    solution, meta = map(json.loads, (tmp_path / "train.jsonl").read_text().splitlines())
    assert solution["label"] == "5"
    assert read_label(meta["label"]).pass_rate == 0.5


# -- with OpenRLHF ---------------------------------------------------------------------------------


def make_rows(problems):
    """Both prompts of each problem, in the tiny model's words; 3 of 4 measured ones are right."""
    for entry in problems:
        rollouts = (Rollout(text="So.", length=150, correct=number < 3) for number in range(4))
        measured = RolloutGroup(problem=entry["problem"], rollouts=tuple(rollouts))
        yield {"input": entry["problem"] + "\nSolve.", "label": str(entry["answer"])}
        yield {"input": entry["problem"] + "\nPredict.", "label": meta_label(measured)}


def make_tiny_model():
    """The warmed-up tiny model, and four of its problems; made by a process that may warn."""
    make = (
        "from masa_openrlhf.cache import find_cache_home\n"
        "from masa_openrlhf.tiny import prepare_assets\n"
        "made = prepare_assets(find_cache_home() / 'tiny', seed=0, problems=64, held_out=8)\n"
        "print(made.model_dir, made.train_file, sep='\\n')\n"
    )
    ended = subprocess.run([sys.executable, "-c", make], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    model, train = map(Path, ended.stdout.splitlines()[-2:])
    return model, [json.loads(line) for line in train.read_text().splitlines()[:4]]


def build_flags(folder, model):
    (command,) = read_code_blocks("openrlhf", "bash")
    page = command.replace("\\\n", " ").split()[3:]
    more = f"""
        --actor.model_name_or_path {model} --actor.num_nodes 1 --actor.num_gpus_per_node 1
        --vllm.num_engines 1 --vllm.tensor_parallel_size 1 --vllm.gpu_memory_utilization 0.1
        --vllm.sync_backend gloo --vllm.enforce_eager --ds.zero_stage 2 --ds.param_dtype bf16
        --ds.attn_implementation sdpa --data.max_len 160 --rollout.batch_size 4
        --rollout.micro_batch_size 16 --rollout.max_new_tokens 64 --rollout.temperature 1.0
        --train.batch_size 16 --train.micro_batch_size 16 --train.num_episodes 1
        --train.max_epochs 1 --algo.kl.init_coef 0 --actor.adam.lr 1e-3
        --actor.lr_scheduler constant_with_warmup --ckpt.path {folder}/checkpoints
        --ckpt.output_dir {folder}/trained --data.prompt_dataset {folder}/train.jsonl
        --reward.remote_url {folder}/reward.py --rollout.n_samples_per_prompt 4
    """
    return [*page, *more.split()]


def run_training(folder, *arguments, seconds=1200):
    with open(folder / "log.txt", "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integrations.openrlhf_steps", *arguments],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"RAY_TMPDIR": str(folder), "OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )
        try:
            status = process.wait(seconds)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    assert status == 0, (folder / "log.txt").read_text()[-10_000:]


def read_weights(folder):
    """The bytes of every tensor: a header of so many bytes, then the data."""
    stored = (folder / "model.safetensors").read_bytes()
    start = 8 + int.from_bytes(stored[:8], "little")
    header = json.loads(stored[8:start])
    header.pop("__metadata__", None)
    return {
        name: stored[start + tensor["data_offsets"][0] : start + tensor["data_offsets"][1]]
        for name, tensor in header.items()
    }


@pytest.mark.stack
@pytest.mark.timeout(1500)
def test_stock_trains_two_steps(tmp_path_factory):
    pytest.importorskip("vllm", reason="the stack is not installed: masa-openrlhf[cpu]")
    folder = tmp_path_factory.mktemp("rl")
    model, problems = make_tiny_model()
    (folder / "train.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in make_rows(problems))
    )
    record = folder / "record.jsonl"
    (folder / "reward.py").write_text(
        f"RECORD = {str(record)!r}\n" + read_code_blocks("openrlhf")[0] + RECORD
    )
    run_training(folder, *build_flags(folder, model))
    samples = [json.loads(line) for line in record.read_text().splitlines()]
    assert len(samples) == 2 * 4 * 4  # steps, prompts, rollouts
    assert {check_reward(*sample) for sample in samples} >= {"solution", "meta"}
    assert len({told["rewards"] for *_, told in samples}) > 2
    before, after = read_weights(model), read_weights(folder / "trained")
    assert any(before[name] != after[name] for name in before if name in after)


def check_reward(query, prompt, label, told):
    """Reckon the reward of a sample anew; returns its kind."""
    response = query.removeprefix(prompt)
    if "Solve." in prompt:
        boxed = re.findall(r"\\boxed\{([^{}]*)\}", response)
        right = bool(boxed) and boxed[-1].strip() == label
        assert told["rewards"] == float(right), (response, label)
        return "solution"
    # Three of four are right. No length below 128 is read, and no notion is in the measured ones.
    try:
        rate = json.loads(re.findall(r"\{[^{}]*\}", response)[-1])["pass_rate"]
    except (ValueError, LookupError):
        return "unreadable"  # no plain JSON: what is made of that is the parser's own test
    expected = 0.01 ** abs(0.75 - rate / 8) / 3 if 0 <= rate <= 8 else 0.0
    assert told["rewards"] == pytest.approx(expected), response
    return "meta"
