"""The arms of the comparison: what each is, as settings of `masa-openrlhf train`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from masa_openrlhf.config.rules import merge_settings

from masa_benchmarks.comparison.demonstrations import META_TEMPLATE, SCALE, SOLUTION_TEMPLATE

Settings = dict[str, Any]

MAX_LENGTH = 176
"""Longest solution, tokens; few need as much."""

FIRST_SEED, SEEDS, CONTROL_SEEDS = 25, 5, 3
"""Those that are reported: of nearly all arms, and of the controls. Seeds 0 to 24 were looked at
while the recipe was found."""

PROBLEMS, EVERY = 1280, 160
"""Problems that a run without a gate has rolled out, and how many lie between two evaluations."""

BASE: Settings = {
    "max_steps": 80,
    "model": {"attention": "sdpa"},
    "data": {"prompt_max_tokens": 64},
    "meta": {
        "rollouts": 6,
        "max_tokens": 24,
        "prompt": {"wording": META_TEMPLATE, "min_length": 4, "scale": SCALE},
    },
    "solution": {"rollouts": 8, "max_tokens": MAX_LENGTH, "template": SOLUTION_TEMPLATE},
    "batch": {"problems": 16, "train_micro": 32, "forward_micro": 32},
    "experts": {"number_weight": 1.0, "passes": 0, "threshold": 0.2},
    "optim": {"lr": 1e-3, "weight_decay": 0.0, "warmup_steps": 16},
    "sampling": {"seeded": True},
    "cluster": {
        "device": "cpu",
        "gpus_per_node": 1,
        "engines": 1,
        "colocate": False,
        "zero_stage": 2,
        "pack": False,
        "gradient_checkpointing": False,
        "gpu_memory": 0.1,
    },
    "verifier": {"workers": 1, "memory_mb": 1024},
    "checkpoint": {"every": 40},
    "eval": {"every": 10, "rollouts": 4, "temperature": 1.0},
    "log": {"episodes": 2, "tensorboard": False},
}
"""What all arms share."""


def make_batch_settings(problems: int, total: int = PROBLEMS) -> Settings:
    """Return a batch of so many problems, and as many steps as have so many rolled out in all."""
    return {
        "max_steps": total // problems,
        "batch": {"problems": problems},
        "eval": {"every": EVERY // problems},
        "checkpoint": {"every": 640 // problems},
    }


BATCH: Settings = merge_settings(make_batch_settings(4), {"optim": {"lr": 3.5e-4}})
"""GRPO's batch, 4 problems a step, and the highest rate at which none of its runs broke;
MASA-efficient has both too, MASA a rate of its own."""


def make_efficient_settings(problems: int, rate: float, clones: float = 0.05) -> Settings:
    """Return MASA-efficient with a batch of so many problems, whatever the gate skips.

    Predictions are learned by cloning passes of their own before they decide, and from then on take
    little of the policy's step. The gate skips what is surely unsolvable and draws another problem
    in its place; all that is trivial is rolled out. What experts and the cutoff remember is as many
    problems long whatever the batch.

    Args:
        problems: a step.
        rate: of learning.
        clones: weight of the cloning loss until predictions decide. A pass whose gradient is small
            beside the policy's lowers Adam's second moment, so that the policy's own steps grow.
    """
    efficient: Settings = {
        "mode": "masa-efficient",
        "optim": {"lr": rate, "warmup_steps": 16},
        "meta": {"rollouts": 4, "weight": 0.1},
        "gate": {
            "rule": "static",
            "max_std": 0.3,
            "tolerance": 0.1,
            "audit": 0.05,
            "audit_trivial": 1.0,
            "refill": True,
        },
        "cutoff": {
            "rule": "calibrated",
            "audit": 0.05,
            "window": 96,
            "max_age": 80 // problems,
        },
        "experts": {
            "batch": 32,
            "passes": 2,
            "weight": clones,
            "number_weight": 8.0,
            "max_age": 160 // problems,
        },
        "schedule": {
            "start": 8 + 64 // problems,
            "meta_weight": 0.03,
            "clone_weight": 0.01,
        },
    }
    return merge_settings(make_batch_settings(problems, 9 * EVERY), efficient)


EFFICIENT: Settings = make_efficient_settings(4, 3.5e-4, clones=0.2)
"""MASA-efficient; its gate leaves tokens for an eighth more steps."""


def make_dapo_settings(problems: int, rate: float) -> Settings:
    """Return DAPO's dynamic sampling until so many problems a step have variance.

    GRPO has about as many of twice the problems, so that runs are half as long, and the rate is the
    one that suits twice the batch.
    """
    return {
        "algorithm": "dapo",
        "max_steps": PROBLEMS // 2 // problems,
        "batch": {"problems": problems},
        "optim": {"lr": rate},
        "eval": {"every": EVERY // 2 // problems},
        "checkpoint": {"every": 320 // problems},
    }


@dataclass(frozen=True)
class Arm:
    """One way to train.

    Attributes:
        name: as in folders and tables.
        title: what it is, in a few words.
        settings: over `base`.
        seeds: how many of the seeds it is run with, where no number is asked for.
        base: what it shares with the arms that it is compared with.
        task: which policy and problems it is run on: "sums", or "pretrained".
    """

    name: str
    title: str
    settings: Settings = field(default_factory=dict)
    seeds: int = SEEDS
    base: Settings = field(default_factory=lambda: BASE)
    task: str = "sums"

    @property
    def whole(self) -> Settings:
        """All its settings."""
        return merge_settings(self.base, self.settings)


def make_random_gate(share: float) -> Settings:
    """Return a gate that skips so large a share of all problems, whatever is predicted.

    It says "skip" of every problem, and its audit, which is drawn by chance, has the others rolled
    out.
    """
    return {
        "rule": "static",
        "max_std": 2.0,
        "tolerance": 0.4999,
        "min_readable": 0.01,
        "audit": round(1 - share, 4),
        "audit_trivial": round(1 - share, 4),
    }


ARMS = (
    Arm("grpo", "GRPO", merge_settings(BATCH, {"mode": "grpo"})),
    Arm(
        "masa",
        "MASA",
        merge_settings(
            BATCH,
            {"mode": "masa", "meta": {"rollouts": 4, "weight": 1.0}, "optim": {"lr": 5e-4}},
        ),
    ),
    Arm("masa-efficient", "MASA-efficient", EFFICIENT),
    Arm(
        "grpo-half",
        "GRPO, 2 problems a step",
        merge_settings(make_batch_settings(2), {"mode": "grpo", "optim": {"lr": 3.5e-4}}),
        CONTROL_SEEDS,
    ),
    Arm(
        "dapo",
        "GRPO with DAPO's dynamic sampling, 4 problems with variance a step",
        merge_settings({"mode": "grpo"}, make_dapo_settings(4, 7e-4)),
        CONTROL_SEEDS,
    ),
    Arm(
        "random",
        "MASA-efficient with a random gate",
        merge_settings(EFFICIENT, {"max_steps": PROBLEMS // 4, "gate": make_random_gate(0.25)}),
        CONTROL_SEEDS,
    ),
)
"""What is compared, in the order of the tables, 4 problems a step where nothing else is said; the
first is the baseline. `grpo-half` has half its batch: what that saves has nothing to do with what a
gate knows."""


LARGER_BATCHES = (
    Arm(
        "grpo-8",
        "GRPO, 8 problems a step",
        merge_settings(make_batch_settings(8), {"mode": "grpo", "optim": {"lr": 7e-4}}),
    ),
    Arm(
        "dapo-8",
        "GRPO with DAPO's dynamic sampling, 8 problems with variance a step",
        merge_settings({"mode": "grpo"}, make_dapo_settings(8, 1e-3)),
    ),
)
"""The baselines with twice the batch, each with the learning rate that suits it."""

EXPERT_EVERY_PROBLEM = Arm(
    "round-13",
    "MASA-efficient, every problem has an expert",
    merge_settings(EFFICIENT, {"experts": {"threshold": 0.0}}),
)
"""And the best prediction of every problem is cloned, however little it earned, as the package does
where nothing is said; run beside `masa-efficient` on policies of other warm-ups."""


def shorten_arm(arm: Arm) -> Arm:
    """Return an arm with three quarters of its steps, evaluated half as often."""
    whole = arm.whole
    less = {"max_steps": whole["max_steps"] * 3 // 4, "eval": {"every": 2 * whole["eval"]["every"]}}
    return replace(arm, settings=merge_settings(arm.settings, less))


_RATES = (2.5e-4, 3.5e-4, 5e-4, 7e-4, 1e-3, 1.4e-3)


def _make_grpo_settings(problems: int, rate: float) -> Settings:
    settings = merge_settings(
        make_batch_settings(problems), {"mode": "grpo", "optim": {"lr": rate}}
    )
    if problems >= 8:
        settings["checkpoint"] = BASE["checkpoint"]  # as they were recorded
    return settings


def vary_learning_rate(arm: Arm) -> tuple[Arm, ...]:
    """Return an arm at other learning rates."""
    return tuple(
        Arm(
            f"{arm.name}-{rate}",
            f"{arm.title}, learning rate {rate}",
            merge_settings(arm.settings, {"optim": {"lr": rate}}),
            arm.seeds,
        )
        for rate in _RATES
    )


TUNING = (
    *(
        Arm(
            f"grpo-{problems}-{rate}",
            f"GRPO, {problems} problems a step, learning rate {rate}",
            _make_grpo_settings(problems, rate),
        )
        for problems in (2, 4, 8, 16, 32)
        for rate in _RATES
    ),
    *(
        Arm(
            f"refilled-{problems}-{rate}",
            f"MASA-efficient, {problems} problems a step, learning rate {rate}",
            make_efficient_settings(problems, rate),
        )
        for problems in (2, 4, 8)
        for rate in _RATES
    ),
    *(other for arm in ARMS if arm.name in ("masa", "dapo") for other in vary_learning_rate(arm)),
    Arm(
        "refilled-4-looked-half",
        "MASA-efficient, half of what is trivial rolled out",
        merge_settings(make_efficient_settings(4, 5e-4), {"gate": {"audit_trivial": 0.5}}),
    ),
)
"""Other batch sizes and learning rates: on seeds from 100 on, to choose by."""
