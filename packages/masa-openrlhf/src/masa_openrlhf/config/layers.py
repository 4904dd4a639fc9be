"""Where a configuration comes from: a preset, then a TOML file, then flags."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import pydantic
import tyro

from masa_openrlhf.arguments.build import unknown_flags
from masa_openrlhf.config.tree import TrainConfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROGRAM = "masa-openrlhf train"


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the settings and their values."""


def presets() -> list[str]:
    """Return the names of the presets."""
    files = resources.files("masa_openrlhf.config.presets").iterdir()
    return sorted(file.name[:-5] for file in files if file.name.endswith(".toml"))


def read_preset(name: str) -> dict[str, Any]:
    """Return the settings of a preset.

    Raises:
        ConfigError: there is no preset of this name.
    """
    if name not in presets():
        raise ConfigError(f"there is no preset {name!r}; there are {', '.join(presets())}")
    text = (
        resources.files("masa_openrlhf.config.presets").joinpath(f"{name}.toml").read_text("utf-8")
    )
    return tomllib.loads(text)


def read_toml(path: Path) -> dict[str, Any]:
    """Return the settings of a TOML file.

    Raises:
        ConfigError: no such file, or not TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``below`` with the settings of ``above`` over it, section by section."""
    result = dict(below)
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            value = merged(result[key], value)
        result[key] = value
    return result


def flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return settings by their whole names, as in "optim.lr".

    Args:
        settings: sections in sections.
        before: what goes before each name.
    """
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{name}.")
        else:
            found[before + name] = value
    return found


def from_settings(settings: Mapping[str, Any]) -> TrainConfig:
    """Return the configuration of plain settings.

    Raises:
        ConfigError: names every setting that is wrong, with its value.
    """
    try:
        return TrainConfig.model_validate(settings)
    except pydantic.ValidationError as error:
        raise ConfigError(explain(error)) from error


def with_flags(base: TrainConfig, flags: Sequence[str]) -> TrainConfig:
    """Put flags over a configuration; those that are not ours are OpenRLHF's.

    Raises:
        ConfigError: a flag's value cannot be used.
        OpenRLHFArgumentError: something stands alone that belongs to no flag.
        SystemExit: a flag of ours is misused; tyro has said how.
    """
    try:
        config, rest = tyro.cli(
            TrainConfig, default=base, args=list(flags), return_unknown_args=True, prog=PROGRAM
        )
        passed = {**base.openrlhf, **unknown_flags(rest)}
        return TrainConfig.model_validate({**config.model_dump(), "openrlhf": passed})
    except pydantic.ValidationError as error:
        raise ConfigError(explain(error)) from error


def explain(error: pydantic.ValidationError) -> str:
    """Say what is wrong, a line a setting."""
    lines = []
    for one in error.errors():
        name = ".".join(str(part) for part in one["loc"])
        value = "" if one["type"] == "missing" or not name else f" (got {one['input']!r})"
        lines.append(f"{name + ': ' if name else ''}{one['msg']}{value}")
    return "\n".join(lines)
