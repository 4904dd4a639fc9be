"""What our trainer takes for granted of TRL's: methods that it overrides, and their arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

TRIED = "1.16.0"
"""The version of TRL that tests/integrations/test_trl_gate.py trains with."""

OVERRIDDEN: Mapping[str, tuple[str, ...]] = {
    "_generate_and_score_completions": ("self", "inputs"),
    "_generate": ("self", "prompts"),
    "_generate_single_turn": (
        *("self", "prompt_ids", "images", "multimodal_fields", "num_generations"),
        "has_tool_images",
    ),
    "_calculate_rewards": ("self", "inputs", "prompts", "completions", "completion_ids_list"),
    "_save_checkpoint": ("self", "model", "trial"),
    "_load_optimizer_and_scheduler": ("self", "checkpoint"),
}
"""The methods of `GRPOTrainer` that are overridden, with their arguments."""


def check_methods(trainer: type, version: str) -> None:
    """Refuse a `GRPOTrainer` whose methods are not those that are overridden.

    TRL calls them private and changes them from version to version: a gate that is no longer asked
    would skip nothing, and say nothing.

    Args:
        trainer: TRL's class.
        version: of TRL, for the message.

    Raises:
        RuntimeError: names the method, what was found, and the version that works.
    """
    for name, wanted in OVERRIDDEN.items():
        found = _list_arguments(getattr(trainer, name, None))
        if found != wanted:
            there = "is gone" if found is None else f"takes {found!r}"
            raise RuntimeError(
                f"{trainer.__name__}.{name} of TRL {version} {there}, and the gate overrides one "
                f"that takes {wanted!r}: install trl=={TRIED}, or train without the gate"
            )


def _list_arguments(method: Callable[..., Any] | None) -> tuple[str, ...] | None:
    return None if method is None else tuple(inspect.signature(method).parameters)
