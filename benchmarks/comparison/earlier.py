"""How the recipe came about: arms of earlier rounds, most of them with 8 problems a step."""

from __future__ import annotations

from comparison.ablations import ablations
from comparison.arms import CONTROL_SEEDS, Arm, Settings, dynamic, random_gate, sized
from masa_openrlhf.config.layers import merged

EIGHT: Settings = merged(sized(8), {"optim": {"lr": 7e-4}})
"""What was taken for GRPO's best: 8 problems a step."""

META: Settings = {"rollouts": 4, "weight": 0.03}
"""Predictions that take little of the policy's step; M : G is the paper's."""

PLAIN: Settings = merged(
    EIGHT,
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
            "refill": False,
        },
        "cutoff": {"rule": "calibrated", "audit": 0.05, "window": 96, "max_age": 10},
        "experts": {"batch": 32, "weight": 0.05, "number_weight": 8.0, "max_age": 20},
        "schedule": {"start": 16},
    },
)
"""MASA-efficient as it was when the ablations about predictions were made, each with one thing
otherwise: experts are cloned in the policy's own step alone."""

ROUND_9: Settings = merged(
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
"""Round 9: predictions are learned by cloning passes of their own before they decide, and from then
on take little of the policy's step; a group weighs in it what it does without a gate, and the
learning rate is GRPO's; the gate leaves what is not nearly sure, and all that is trivial."""

LIGHT: Settings = merged(
    PLAIN, {"optim": {"lr": 7e-4}, "meta": META, "experts": {"passes": 2, "weight": 0.01}}
)
"""What came between the two: predictions and clones weigh as little before they decide as after."""


def _masa(weight: float) -> Settings:
    """Return MASA with predictions at this weight; the paper's is 1."""
    meta = merged(META, {"weight": weight})
    return merged(EIGHT, {"mode": "masa", "meta": meta})


EARLIER = (
    Arm("grpo-8", "GRPO, 8 problems a step", merged(EIGHT, {"mode": "grpo"})),
    Arm("masa-8", "MASA, 8 problems a step", _masa(1.0)),
    Arm("round-9", "MASA-efficient, 8 problems a step, not refilled", ROUND_9),
    Arm(
        "masa-light",
        f"MASA, 8 problems a step, predictions at a weight of {META['weight']}",
        _masa(META["weight"]),
    ),
    Arm(
        "dapo-8",
        "GRPO with DAPO's dynamic sampling, 8 problems with variance a step",
        merged({"mode": "grpo"}, dynamic(8, 1e-3)),
    ),
    Arm(
        "random-8",
        "round 9 with a gate that decides by chance",
        merged(ROUND_9, {"max_steps": 160, "gate": random_gate(0.25)}),
        CONTROL_SEEDS,
    ),
    Arm("grpo-16", "GRPO, 16 problems a step", {"mode": "grpo"}),
    Arm(
        "efficient-dapo",
        "round 9 with DAPO's dynamic sampling for what its gate lets through",
        merged(ROUND_9, dynamic(8, 1e-3)),
    ),
    *(
        Arm(f"masa-8-weight-{weight}", f"MASA, predictions at a weight of {weight}", _masa(weight))
        for weight in (0.1, 0.3)
    ),
    Arm(
        "passes-2-whole",
        "MASA-efficient, round 3",
        merged(PLAIN, {"experts": {"passes": 2}}),
    ),
    Arm(
        "plain-gate-off",
        "MASA-efficient, round 2 without its gate",
        merged(PLAIN, {"max_steps": 160, "gate": {"rule": "off"}}),
    ),
    Arm(
        "quarter",
        "MASA-efficient, round 8: of what is trivial a quarter rolled out",
        merged(ROUND_9, {"gate": {"audit_trivial": 0.25}}),
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
"""Run where it is named. The last six are what the recipe was before round 9."""


ALIGNED = 60
"""Steps after which arms are compared by what their predictions are worth."""


def _brief(name: str, title: str, settings: Settings) -> Arm:
    whole = merged(PLAIN, {"max_steps": ALIGNED})
    return Arm(name, f"MASA-efficient, {title}", merged(whole, settings), 1)


PREDICTIONS = (
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

ROUND_9_PARTS = ablations(ROUND_9, "round-9-", "round 9")
"""`ROUND_9` with predictions that decide something else."""
