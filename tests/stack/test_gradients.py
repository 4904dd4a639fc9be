"""The gradient of a batch is that of its loss, however the batch is laid out. Two ranks on gloo."""

import ast
import json
import os
import socket
import subprocess
import sys

import pytest
from masa_openrlhf.arguments.installed import find_source_file


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What each layout of ``gradient_ranks`` came to, beside the whole batch's loss at once."""
    folder = tmp_path_factory.mktemp("gradients")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {
        **os.environ,
        "MASA_OPENRLHF_CPU": "1",
        "DS_ACCELERATOR": "cpu",
        "TORCHDYNAMO_DISABLE": "1",
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
        "CUDA_VISIBLE_DEVICES": "",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": "2",
        "LOCAL_RANK": "0",
    }
    logs = [folder / f"rank-{rank}.txt" for rank in range(2)]
    ranks = []
    for rank, log in enumerate(logs):
        with log.open("w") as file:
            ranks.append(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.stack.gradient_ranks", str(folder)],
                    env={**shared, "RANK": str(rank)},
                    stdout=file,
                    stderr=subprocess.STDOUT,
                )
            )
    try:
        ended = [rank.wait(550) for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    assert ended == [0, 0], "".join(log.read_text()[-3000:] for log in logs)
    return json.loads((folder / "found.json").read_text())


def is_right(layout):
    """Up to what rounding to bfloat16 does to a forward pass."""
    return layout["difference"] < 0.02 and abs(layout["size"] - 1) < 0.005


RIGHT = [
    *(
        f"{loss} stage {stage} {how}"
        for loss in ("token", "sequence", "gspo")
        for stage in (1, 2, 3)
        for how in ("packed", "padded")
    ),
    "kl stage 3 packed",
    "kl stage 2 padded",
    "token stage 3 one micro-batch",
    "sequence stage 2 few micro-batches",
    "gspo stage 2 padded singly",
    "token stage 3 bf16",
    "token stage 1 bf16",
]


@pytest.mark.parametrize("name", RIGHT)
def test_the_gradient_is_that_of_the_batchs_loss(found, name):
    assert is_right(found[name]), found[name]


@pytest.mark.parametrize("name", RIGHT)
def test_the_loss_that_is_reported_is_the_batchs(found, name):
    layout = found[name]
    assert layout["loss"] == pytest.approx(layout["expected loss"], rel=0.01, abs=1e-4)


def test_batches_were_laid_out_in_different_ways(found):
    many = {name: found[name]["micro-batches"] for name in found}
    assert many["token stage 3 one micro-batch"] == 1
    assert 1 < many["sequence stage 2 few micro-batches"] < many["sequence stage 2 packed"]
    assert many["gspo stage 2 padded singly"] > 20


@pytest.mark.parametrize("stage", [1, 2])
def test_it_is_seen_when_only_the_last_micro_batch_counts(found, stage):
    """The same without our word on which is the last: what stock does below ZeRO 3."""
    layout = found[f"token stage {stage} unmarked"]
    assert not is_right(layout)
    assert layout["cosine"] < 0.8, layout


def test_zero_3_adds_micro_batches_up_by_itself(found):
    assert is_right(found["token stage 3 unmarked"])


def test_gradients_are_added_up_in_the_type_that_was_asked_for(found):
    for stage in (2, 3):
        assert found[f"token stage {stage} packed"]["accumulates in"] == "torch.float32"
    assert found["token stage 3 bf16"]["accumulates in"] == "torch.bfloat16"


def test_every_loss_that_openrlhf_has_is_tried():
    """A type or a mean that it adds is neither accepted unseen nor forgotten here."""
    tree = ast.parse(find_source_file("openrlhf/cli/train_ppo_ray.py").read_text(encoding="utf-8"))
    choices = {}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if call.args and isinstance(call.args[0], ast.Constant):
            for keyword in call.keywords:
                if keyword.arg == "choices" and isinstance(keyword.value, ast.List):
                    choices[call.args[0].value] = ast.literal_eval(keyword.value)
    assert choices["--actor.policy_loss_type"] == ["ppo", "gspo"]
    assert choices["--actor.loss_agg_mode"] == ["token-mean", "seq-mean-token-mean"]
