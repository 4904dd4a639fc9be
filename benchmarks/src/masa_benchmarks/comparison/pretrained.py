"""The comparison on a pretrained model: SmolLM2-135M-Instruct on tasks of reasoning-gym.

The same arms, runs, records and tables as on sums; another policy, other problems, other settings:
those of the preset `smollm2-135m`. A seed of the policy is that of the problems and of the warm-up.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from masa_openrlhf.cache import fill_once
from masa_openrlhf.config.layers import build_config, read_preset
from masa_openrlhf.config.rules import merge_settings
from masa_openrlhf.data.problems import LoadedProblems, load_problems

from masa_benchmarks.comparison.arms import Arm, Settings
from masa_benchmarks.comparison.policy import ComparisonAssets

PRESET = "smollm2-135m"

MODEL_VARIABLE = "MASA_SMOLLM2"
"""Variable that names the model: a folder, a GGUF file, or a name on the hub (where not said)."""

TRAIN_PROBLEMS, HELD_OUT = 3000, 96

_OWN = ("name", "model", "data", "warmup")
"""What of the preset a run has from the policy, or needs no more."""

PRETRAINED_BASE: Settings = merge_settings(
    {key: value for key, value in read_preset(PRESET).items() if key not in _OWN},
    {
        "model": {"attention": read_preset(PRESET)["model"]["attention"]},
        "data": {"prompt_max_tokens": read_preset(PRESET)["data"]["prompt_max_tokens"]},
        "optim": {"lr": 1e-5},
        "sampling": {"seeded": True},
        "checkpoint": {"every": 5},
        "eval": {"every": 20, "rollouts": 4, "temperature": 1.0},
        "log": {"episodes": 2, "tensorboard": False},
    },
)
"""What its arms share: the preset, a learning rate, and evaluation at training's temperature."""


def _make_arm(name: str, title: str, settings: Settings) -> Arm:
    return Arm(f"smollm2-{name}", title, settings, 2, base=PRETRAINED_BASE, task="pretrained")


PRETRAINED_ARMS = (
    _make_arm("grpo", "GRPO", {"mode": "grpo"}),
    _make_arm("masa", "MASA", {"mode": "masa", "meta": {"weight": 0.5}}),
    _make_arm(
        "masa-efficient",
        "MASA-efficient",
        {
            "mode": "masa-efficient",
            "meta": {"weight": 0.5},
            "gate": {"rule": "audited", "audit": 0.1, "window": 96, "refill": True},
            "cutoff": {"rule": "calibrated", "audit": 0.1, "window": 96},
            "experts": {"passes": 0, "batch": 32},
            "schedule": {"start": 24, "meta_weight": 0.2},
        },
    ),
)


def prepare_pretrained(
    home: Path, seed: int, say: Callable[[str], None] = print
) -> ComparisonAssets:
    """Make the problems and warm the model up, or find both.

    Args:
        home: where they are kept.
        seed: of the problems and of the warm-up.
        say: told what is done.

    Raises:
        subprocess.CalledProcessError: the warm-up failed, or missed its aim; what it said is beside
            the folder.
    """
    folder = fill_once(home / f"{PRESET}-{seed}", lambda made: _make_assets(made, seed, say))
    return ComparisonAssets(folder / "model", folder / "train.jsonl", folder / "held_out.jsonl")


def _make_assets(folder: Path, seed: int, say: Callable[[str], None]) -> None:
    preset = read_preset(PRESET)
    sizes = {"seed": seed, "problems": TRAIN_PROBLEMS, "held_out": HELD_OUT}
    data = build_config(merge_settings(preset, {"data": {"reasoning_gym": sizes}})).data
    assert data.train is not None
    train = load_problems(data.train, data)
    write_rows(folder / "train.jsonl", train)
    write_rows(folder / "held_out.jsonl", load_problems(data.train, data, held_out=True))
    say(f"seed {seed}: {len(train.problems)} problems; warming up")
    command = [sys.executable, "-m", "masa_openrlhf.cli", "warmup", "--preset", PRESET]
    command += ["--data.train", str(folder / "train.jsonl"), "--warmup.seed", str(seed)]
    command += ["--out", str(folder / "model")]
    if given := os.environ.get(MODEL_VARIABLE):
        command += ["--model.path", given]
    with (folder / "warmup.txt").open("wb") as said:
        subprocess.run(command, stdout=said, stderr=subprocess.STDOUT, check=True)


def write_rows(file: Path, loaded: LoadedProblems) -> None:
    """Write problems with their worked solutions, a row each.

    Raises:
        ValueError: some are judged by a scorer of their task, of which a row says nothing.
    """
    if loaded.scorers:
        raise ValueError(f"{len(loaded.scorers)} problems have a scorer of their task")
    rows = (
        {"id": p.id, "problem": p.text, "answer": p.answer, "solution": loaded.worked.get(p.id)}
        for p in loaded.problems
    )
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
