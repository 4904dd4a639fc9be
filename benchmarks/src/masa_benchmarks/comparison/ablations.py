"""MASA-efficient with one of its parts otherwise each."""

from __future__ import annotations

from masa_openrlhf.config.rules import merge_settings

from masa_benchmarks.comparison.arms import (
    BASE,
    EFFICIENT,
    Arm,
    Settings,
    make_batch_settings,
    vary_learning_rate,
)

NO_DECISIONS: Settings = {"gate": {"rule": "off"}, "cutoff": {"rule": "off"}}
"""Predictions are learned and decide nothing: what learning them costs the policy."""

AblationPart = tuple[str, str, Settings]
"""A name, a title, settings over the recipe."""

LEARNING_PARTS: tuple[AblationPart, ...] = (
    ("decides-nothing", "without a gate or a cutoff", NO_DECISIONS),
    (
        "cloned-alone",
        "without a gate or a cutoff, predictions only cloned when they might decide",
        merge_settings(NO_DECISIONS, {"schedule": {"meta_weight": 0.0}}),
    ),
    (
        "frozen",
        "without a gate or a cutoff, predictions not trained when they might decide",
        merge_settings(NO_DECISIONS, {"schedule": {"meta_weight": 0.0, "clone_weight": 0.0}}),
    ),
)
"""Ways to go on learning predictions that decide nothing."""


def make_ablations(
    recipe: Settings, kind: str = "", title: str = "MASA-efficient"
) -> tuple[Arm, ...]:
    """Return a recipe with predictions that decide something else, one thing at a time.

    Runs are as long as those of GRPO with the same batch.

    Args:
        recipe: of MASA-efficient.
        kind: how their names begin, as in "brief-".
        title: how their titles begin.
    """
    whole = merge_settings(BASE, recipe)
    steps: Settings = {"max_steps": make_batch_settings(whole["batch"]["problems"])["max_steps"]}
    recipe = merge_settings(recipe, steps)
    return tuple(
        Arm(f"{kind}{name}", f"{title}, {part}", merge_settings(recipe, settings), 1)
        for name, part, settings in _list_parts(whole["schedule"]["start"])
        if merge_settings(whole, settings) != whole
    )


def _list_parts(start: int) -> tuple[AblationPart, ...]:
    """Return what is otherwise, of a recipe whose start is given."""
    return (
        ("gate-off", "without a gate", {"gate": {"rule": "off"}}),
        *LEARNING_PARTS,
        (
            "gate-audited",
            "the audited gate",
            {
                "gate": {
                    "rule": "audited",
                    "audit": 0.1,
                    "precision": 0.8,
                    "caution": 0.5,
                    "window": 96,
                }
            },
        ),
        ("tolerance-0", "skips at 0 and 1 alone", {"gate": {"tolerance": 0.0}}),
        (
            "experts-all",
            "the best prediction of every problem cloned, however little it earned",
            {"experts": {"threshold": 0.0}},
        ),
        ("refill", "other problems drawn for skipped ones", {"gate": {"refill": True}}),
        ("no-refill", "no other problems drawn for skipped ones", {"gate": {"refill": False}}),
        (
            "start-early",
            "predictions decide from half as many steps on",
            {"schedule": {"start": start // 2}},
        ),
        (
            "start-late",
            "predictions decide from five halves as many steps on",
            {"schedule": {"start": start * 5 // 2}},
        ),
        ("cutoff-off", "without a cutoff", {"cutoff": {"rule": "off"}}),
        ("cutoff-fixed", "cut at twice the predicted length", {"cutoff": {"rule": "fixed"}}),
        (
            "cut-is-wrong",
            "cut at twice the predicted length, what is cut counts as wrong",
            {"cutoff": {"rule": "fixed", "cut_is": "wrong"}},
        ),
    )


ABLATIONS = make_ablations(EFFICIENT)
"""What is decided otherwise; what a recipe has already is not among them."""

NO_DECISIONS_AT_RATES = tuple(
    other for arm in ABLATIONS if arm.name == "decides-nothing" for other in vary_learning_rate(arm)
)
"""What learning to predict costs a policy that other rates suit."""
