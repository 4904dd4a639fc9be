"""The arms of the comparison: what each is, as settings of `masa-openrlhf train`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from comparison.demonstrations import META_TEMPLATE, SCALE, SOLUTION_TEMPLATE
from masa_openrlhf.settings import merged

Settings = dict[str, Any]

MAX_LENGTH = 176
"""Longest solution, tokens; few need as much."""

FIRST_SEED, SEEDS, CONTROL_SEEDS = 15, 5, 3
"""Those that are reported: of nearly all arms, and of the gate by chance. Seeds 0 to 14 were looked
at while the recipe was found."""

STEPS, EVERY = 80, 10
"""Steps of a run of 16 problems a step, and how many lie between two evaluations; with fewer
problems in proportion."""

BASE: Settings = {
    "max_steps": STEPS,
    "model": {"attention": "sdpa"},
    "data": {"prompt_max_tokens": 64},
    "meta": {
        "rollouts": 6,
        "max_tokens": 24,
        "prompt": {"wording": META_TEMPLATE, "min_length": 4, "scale": SCALE},
    },
    "solution": {"rollouts": 8, "max_tokens": MAX_LENGTH, "template": SOLUTION_TEMPLATE},
    "batch": {"problems": 16, "train_micro": 32, "forward_micro": 32},
    "experts": {"number_weight": 1.0, "passes": 0},
    "optim": {"lr": 1e-3, "weight_decay": 0.0, "warmup_steps": 16},
    "sampling": {"seeded": True},
    "cluster": {
        "device": "cpu",
        "gpus_per_node": 1,
        "engines": 1,
        "colocate": False,
        "pack": False,
        "gradient_checkpointing": False,
        "gpu_memory": 0.1,
    },
    "verifier": {"workers": 1, "memory_mb": 1024},
    "checkpoint": {"every": 40},
    "eval": {"every": EVERY, "rollouts": 4, "temperature": 1.0},
    "log": {"episodes": 2, "tensorboard": False},
}
"""What all arms share."""

SMALL: Settings = {
    "max_steps": 2 * STEPS,
    "batch": {"problems": 8},
    "optim": {"lr": 7e-4},
    "eval": {"every": 2 * EVERY},
    "checkpoint": {"every": 80},
}
"""The batch that was taken for GRPO's best: 8 problems a step; the modes have it too."""

META: Settings = {"rollouts": 4, "weight": 0.03}
"""Predictions that take little of the policy's step; M : G is the paper's."""

PLAIN: Settings = merged(
    SMALL,
    {
        "mode": "masa-efficient",
        "max_steps": 220,
        "optim": {"lr": 5e-4, "warmup_steps": 5},
        "meta": {"weight": 0.1},
        "gate": {
            "rule": "static",
            "max_std": 0.3,
            "tolerance": 0.2,
            "audit": 0.05,
            "audit_trivial": 0.05,
            "count_skipped": False,
        },
        "cutoff": {"rule": "calibrated", "audit": 0.05, "window": 96, "max_age": 10},
        "experts": {"batch": 32, "weight": 0.05, "number_weight": 8.0, "max_age": 20},
        "schedule": {"start": 16},
    },
)
"""MASA-efficient as it was when the ablations about predictions were made, each with one thing
otherwise: experts are cloned in the policy's own step alone."""

EFFICIENT: Settings = merged(
    PLAIN,
    {
        "max_steps": 240,
        "optim": {"lr": 7e-4, "warmup_steps": 16},
        "meta": {"rollouts": 4, "weight": 0.1},
        "gate": {"tolerance": 0.1, "audit_trivial": 1.0, "count_skipped": True},
        "experts": {"passes": 2, "weight": 0.05},
        "schedule": {"meta_weight": 0.03, "clone_weight": 0.01},
    },
)
"""What it came to: predictions are learned by cloning passes of their own before they decide, and
from then on take little of the policy's step; a group weighs in it what it does without a gate, and
the learning rate is GRPO's; the gate leaves what is not nearly sure, and all that is trivial."""

LIGHT: Settings = merged(
    PLAIN, {"optim": {"lr": 7e-4}, "meta": META, "experts": {"passes": 2, "weight": 0.01}}
)
"""What came between the two: predictions and clones weigh as little before they decide as after."""

DYNAMIC: Settings = {
    "algorithm": "dapo",
    "max_steps": STEPS,
    "batch": {"problems": 8},
    "optim": {"lr": 1e-3},
    "eval": {"every": EVERY},
    "checkpoint": {"every": 40},
}
"""DAPO, with as many problems that have variance a step as GRPO has at 16, about; its rate too."""


@dataclass(frozen=True)
class Arm:
    """One way to train.

    Attributes:
        name: as in folders and tables.
        title: what it is, in a few words.
        settings: over `BASE`.
        seeds: how many of the seeds it is run with, where no number is asked for.
    """

    name: str
    title: str
    settings: Settings = field(default_factory=dict)
    seeds: int = SEEDS


def _masa(weight: float) -> Settings:
    """Return MASA with predictions at this weight; the paper's is 1."""
    meta = merged(META, {"weight": weight})
    return merged(SMALL, {"mode": "masa", "meta": meta})


def random_gate(share: float) -> Settings:
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
    Arm("grpo", "GRPO, 8 problems a step", merged(SMALL, {"mode": "grpo"})),
    Arm("masa", "MASA", _masa(1.0)),
    Arm("masa-efficient", "MASA-efficient", EFFICIENT),
    Arm(
        "masa-light",
        f"MASA, predictions at a weight of {META['weight']}",
        _masa(META["weight"]),
    ),
    Arm(
        "grpo-half",
        "GRPO, 4 problems a step",
        merged(
            SMALL,
            {
                "mode": "grpo",
                "max_steps": 4 * STEPS,
                "batch": {"problems": 4},
                "optim": {"lr": 5e-4},
                "eval": {"every": 4 * EVERY},
                "checkpoint": {"every": 160},
            },
        ),
    ),
    Arm(
        "dapo",
        "GRPO with DAPO's dynamic sampling, 8 problems with variance a step",
        merged({"mode": "grpo"}, DYNAMIC),
    ),
    Arm(
        "random",
        "MASA-efficient with a gate that decides by chance",
        merged(EFFICIENT, {"max_steps": 2 * STEPS, "gate": random_gate(0.25)}),
        CONTROL_SEEDS,
    ),
)
"""What is compared, in the order of the tables; the first is the baseline. `grpo-half` has half its
batch: what that saves has nothing to do with what a gate knows."""

ASIDE = (
    Arm("grpo-double", "GRPO, 16 problems a step", {"mode": "grpo"}),
    Arm(
        "efficient-dapo",
        "MASA-efficient with DAPO's dynamic sampling for what its gate lets through",
        merged(EFFICIENT, DYNAMIC),
    ),
    Arm(
        "passes-2-whole",
        "MASA-efficient, round 3",
        merged(PLAIN, {"experts": {"passes": 2}}),
    ),
    Arm(
        "plain-gate-off",
        "MASA-efficient, round 2 without its gate",
        merged(PLAIN, {"max_steps": 2 * STEPS, "gate": {"rule": "off"}}),
    ),
    Arm(
        "quarter",
        "MASA-efficient, round 8: of what is trivial a quarter rolled out",
        merged(EFFICIENT, {"gate": {"audit_trivial": 0.25}}),
    ),
    Arm(
        "alike",
        "MASA-efficient, round 6: both ends audited alike",
        merged(LIGHT, {"gate": {"tolerance": 0.1, "count_skipped": True}}),
    ),
    Arm(
        "counted",
        "MASA-efficient, round 5: a gate that skips up to 0.2 from an end",
        merged(LIGHT, {"gate": {"count_skipped": True}}),
    ),
    Arm(
        "uncounted",
        "MASA-efficient, round 4: skipped problems not counted, learning rate 5e-4",
        merged(LIGHT, {"max_steps": 300, "optim": {"lr": 5e-4}}),
    ),
)
"""Run where it is named, not with the others, which take long enough; the last six are what the
recipe was before."""


def shortened(arm: Arm) -> Arm:
    """Return an arm with three quarters of its steps, evaluated half as often."""
    whole = merged(BASE, arm.settings)
    less = {"max_steps": whole["max_steps"] * 3 // 4, "eval": {"every": 2 * whole["eval"]["every"]}}
    return replace(arm, settings=merged(arm.settings, less))


_RATES = (3.5e-4, 5e-4, 7e-4, 1e-3, 1.4e-3)

TUNING = (
    *(
        Arm(
            f"grpo-{problems}-{rate}",
            f"GRPO, {problems} problems a step, learning rate {rate}",
            {
                "mode": "grpo",
                "max_steps": STEPS * 16 // problems,
                "batch": {"problems": problems},
                "optim": {"lr": rate},
                "eval": {"every": EVERY * 16 // problems},
            },
        )
        for problems in (8, 16, 32)
        for rate in _RATES
    ),
    *(
        Arm(
            f"{arm.name}-{rate}",
            f"{arm.title}, learning rate {rate}",
            merged(arm.settings, {"optim": {"lr": rate}}),
        )
        for arm in (*ARMS, *ASIDE)
        for rate in _RATES
        if not arm.name.startswith("grpo")
    ),
    *(
        Arm(f"masa-weight-{weight}", f"MASA, predictions at a weight of {weight}", _masa(weight))
        for weight in (0.1, 0.3)
    ),
)
"""Other batch sizes, learning rates and weights: on seeds from 100 on, to choose by."""


ALIGNED = 60
"""Steps after which arms are compared by what their predictions are worth."""


def _brief(name: str, title: str, settings: Settings) -> Arm:
    whole = merged(PLAIN, {"max_steps": ALIGNED})
    return Arm(name, f"MASA-efficient, {title}", merged(whole, settings), 1)


def _but(name: str, title: str, settings: Settings) -> Arm:
    whole = merged(EFFICIENT, {"max_steps": 2 * STEPS})
    return Arm(name, f"MASA-efficient, {title}", merged(whole, settings), 1)


PREDICTION_ABLATIONS = (
    _brief("plain", "as these ablations have it", {}),
    _brief("no-cloning", "without cloning", {"experts": {"batch": 0}}),
    _brief("meta-weight-0", "predictions cloned, not rewarded", {"meta": {"weight": 0.0}}),
    _brief(
        "clone-numbers-1", "numbers cloned as other tokens", {"experts": {"number_weight": 1.0}}
    ),
    _brief("clone-weight-0.1", "cloning weight 0.1", {"experts": {"weight": 0.1}}),
    _brief("clone-weight-0.5", "cloning weight 0.5", {"experts": {"weight": 0.5}}),
    _brief("passes-2", "two more cloning passes until the start", {"experts": {"passes": 2}}),
    _brief("apart", "predictions in an optimiser step of their own", {"optim": {"apart": True}}),
    _brief("meta-weight-1", "meta groups at full weight", {"meta": {"weight": 1.0}}),
    _brief(
        "meta-weight-first",
        "meta groups at full weight until the start",
        {"meta": {"weight": 1.0}, "schedule": {"meta_weight": 0.1}},
    ),
    _brief(
        "only-difficulty", "paid for the pass rate alone", {"meta": {"rewards": ["difficulty"]}}
    ),
    _brief("only-length", "paid for the length alone", {"meta": {"rewards": ["length"]}}),
    _brief("only-notion", "paid for notions alone", {"meta": {"rewards": ["notion"]}}),
)
"""`PLAIN` with another way to teach predictions, as long as that takes."""

CONTROL_ABLATIONS = (
    _but("gate-off", "without a gate", {"gate": {"rule": "off"}}),
    _but(
        "decides-nothing",
        "without a gate or a cutoff",
        {"gate": {"rule": "off"}, "cutoff": {"rule": "off"}},
    ),
    _but(
        "gate-audited",
        "the audited gate",
        {"gate": {"rule": "audited", "audit": 0.1, "precision": 0.8, "caution": 0.5, "window": 96}},
    ),
    _but("tolerance-0", "skips at 0 and 1 alone", {"gate": {"tolerance": 0.0}}),
    _but("not-counted", "skipped problems not counted", {"gate": {"count_skipped": False}}),
    _but("refill", "other problems drawn for skipped ones", {"gate": {"refill": True}}),
    _but("start-8", "predictions decide from step 8", {"schedule": {"start": 8}}),
    _but("start-40", "predictions decide from step 40", {"schedule": {"start": 40}}),
    _but("cutoff-off", "without a cutoff", {"cutoff": {"rule": "off"}}),
    _but("cutoff-fixed", "cut at twice the predicted length", {"cutoff": {"rule": "fixed"}}),
    _but(
        "cut-is-wrong",
        "cut at twice the predicted length, what is cut counts as wrong",
        {"cutoff": {"rule": "fixed", "cut_is": "wrong"}},
    ),
)
"""`EFFICIENT` with predictions that decide something else, over as many problems as GRPO's."""
