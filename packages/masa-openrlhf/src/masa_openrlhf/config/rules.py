"""Sections that have alternatives, told apart by their ``rule``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from masa_control import (
    AllocationSettings,
    CutoffSettings,
    GateSettings,
    HintSettings,
    ReaderSettings,
    ScheduleSettings,
    Settings,
)

_UNIONS = {
    "reader": ReaderSettings,
    "gate": GateSettings,
    "allocation": AllocationSettings,
    "cutoff": CutoffSettings,
    "hints": HintSettings,
    "schedule": ScheduleSettings,
}


def list_alternatives(section: str) -> dict[str, type[Settings]]:
    """Return the models of a section by their rule, the default's first; empty for others."""
    if section not in _UNIONS:
        return {}
    union = get_args(_UNIONS[section])[0]
    models = [get_args(tagged)[0] for tagged in get_args(union)]
    return {model.model_fields["rule"].default: model for model in models}


def find_alternative(section: str, settings: object) -> type[Settings] | None:
    """Return the model that a section's settings choose by their rule.

    Returns:
        None for a section without alternatives, and for a rule that there is none of.
    """
    models = list_alternatives(section)
    if not models or not isinstance(settings, Mapping):
        return None
    return models.get(settings.get("rule", next(iter(models))))


def is_alternative_key(section: str, key: str) -> bool:
    """Whether some rule of the section has a setting of this name."""
    return bool(find_rules_with_key(section, key))


def find_rules_with_key(section: str, key: str) -> list[str]:
    """Return the rules of a section that have a setting of this name."""
    return [rule for rule, model in list_alternatives(section).items() if key in model.model_fields]


def merge_settings(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``below`` with the settings of ``above`` over it, section by section.

    Where ``above`` chooses another rule of a section, what ``below`` sets for its own is dropped.
    """
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            chosen = find_alternative(key, value) if "rule" in value else None
            if chosen is not None and chosen is not find_alternative(key, old):
                old = {k: v for k, v in old.items() if k in chosen.model_fields}
            value = merge_settings(old, value)
        result[key] = value
    return result
