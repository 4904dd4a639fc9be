"""Settings as TOML, to be read again: those that differ from the defaults."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from masa_openrlhf.config.rules import find_alternative, list_alternatives
from masa_openrlhf.config.tree import TrainConfig


def select_changes(config: TrainConfig) -> dict[str, Any]:
    """Return the settings that differ from the defaults, sections in sections.

    Of a section with alternatives, what differs from the defaults of the rule that it has; the rule
    too, where it is not the first.
    """
    return _select_changed(config.model_dump(mode="json"), TrainConfig().model_dump(mode="json"))


def _select_changed(
    settings: Mapping[str, Any], defaults: Mapping[str, Any], before: str = ""
) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for name, value in settings.items():
        default = defaults.get(name)
        if not isinstance(value, Mapping) or name == "openrlhf":
            if value != default:
                changed[name] = value
            continue
        if list_alternatives(name) and not before:
            inner = _select_of_rule(name, value)
        else:
            inner = _select_changed(
                value, default if isinstance(default, Mapping) else {}, f"{name}."
            )
        if inner:
            changed[name] = inner
    return changed


def _select_of_rule(section: str, value: Mapping[str, Any]) -> dict[str, Any]:
    model = find_alternative(section, value)
    assert model is not None, f"{section} has an unknown rule: {value!r}"
    changed = _select_changed(value, model().model_dump(mode="json"), f"{section}.")
    if value["rule"] != next(iter(list_alternatives(section))):
        changed = {"rule": value["rule"], **changed}
    return changed


def render_toml(settings: Mapping[str, Any]) -> str:
    """Return settings as TOML; what is None is left out, as TOML has no such value.

    Args:
        settings: texts, numbers, truth values, lists of these, and sections of them.
    """
    return "\n".join(_render_lines(settings, "")).strip() + "\n"


def _render_lines(settings: Mapping[str, Any], section: str) -> Iterator[str]:
    for name, value in settings.items():
        if not isinstance(value, Mapping) and value is not None:
            yield f"{_render_key(name)} = {_render_value(value)}"
    for name, value in settings.items():
        if isinstance(value, Mapping):
            inner = f"{section}.{_render_key(name)}" if section else _render_key(name)
            lines = list(_render_lines(value, inner))
            if any(line and not line.startswith("[") for line in lines[:1]):
                yield from ("", f"[{inner}]")
            yield from lines


def _render_key(name: str) -> str:
    is_bare = name.replace("-", "").replace("_", "").isalnum() and name.isascii()
    return name if is_bare else json.dumps(name)


def _render_value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_render_value, value)) + "]"
    # JSON's texts, numbers and truth values are TOML's, but for DEL and characters beyond 16 bits.
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
