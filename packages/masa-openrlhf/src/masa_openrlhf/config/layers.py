"""Where a configuration comes from: a preset, then a TOML file, then flags."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import pydantic
import pydantic_core
import tyro

from masa_openrlhf.config.aliases import (
    RemovedSettingError,
    split_old_flags,
    translate_settings,
    upgrade_settings,
)
from masa_openrlhf.config.presets import list_presets
from masa_openrlhf.config.rules import find_rules_with_key, list_alternatives, merge_settings
from masa_openrlhf.config.suggestions import suggest_settings
from masa_openrlhf.config.toml_places import locate_setting
from masa_openrlhf.config.tree import TrainConfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROGRAM = "masa-openrlhf train"

_SHARED_SECTIONS = ("data", "eval")
"""Sections of ours whose name OpenRLHF's flags begin with too."""


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the settings and their values."""


def read_preset(name: str) -> dict[str, Any]:
    """Return the settings of a preset.

    Raises:
        ConfigError: there is no preset of this name.
    """
    if name not in list_presets():
        raise ConfigError(f"there is no preset {name!r}; there are {', '.join(list_presets())}")
    folder = resources.files("masa_openrlhf.config.presets")
    return tomllib.loads(folder.joinpath(f"{name}.toml").read_text("utf-8"))


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


def flatten_settings(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return settings by their whole names, as in "optim.lr".

    Args:
        settings: sections in sections.
        before: what goes before each name.
    """
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= flatten_settings(value, f"{before}{name}.")
        else:
            found[before + name] = value
    return found


def build_config(settings: Mapping[str, Any], files: Sequence[Path] = ()) -> TrainConfig:
    """Return the configuration of plain settings; old names are taken, with a warning.

    Args:
        settings: sections in sections.
        files: TOML files that they are from, the last put over the others; a message names the file
            and the line.

    Raises:
        ConfigError: names every setting that is wrong, with its value.
    """
    try:
        found = translate_settings(settings)
        _print_warnings(found.warnings)
        return TrainConfig.model_validate(found.settings)
    except pydantic.ValidationError as error:
        raise ConfigError(explain_errors(error, files)) from error
    except RemovedSettingError as error:
        raise ConfigError(str(error)) from error


def read_saved_config(text: str) -> TrainConfig:
    """Return the configuration of a run's ``config.json``; that of a run of 0.1.0 too.

    Raises:
        ConfigError: it is neither.
    """
    try:
        return TrainConfig.model_validate(upgrade_settings(pydantic_core.from_json(text)))
    except pydantic.ValidationError as error:
        raise ConfigError(explain_errors(error)) from error
    except ValueError as error:
        raise ConfigError(str(error)) from error


def apply_flags(base: TrainConfig, flags: Sequence[str]) -> TrainConfig:
    """Put flags over a configuration; those that are not ours are OpenRLHF's.

    Raises:
        ConfigError: a flag's value cannot be used, or it belongs to another rule of its section.
        OpenRLHFArgumentError: something stands alone that belongs to no flag.
        SystemExit: a flag of ours is misused; tyro has said how.
    """
    # Here, since evaluation reads settings by this module, and no arguments of OpenRLHF.
    from masa_openrlhf.arguments.parse import collect_openrlhf_flags

    old, flags = split_old_flags(flags)
    rules, flags = _split_rule_flags(flags)
    if old or rules:
        try:
            found = translate_settings(old)
        except RemovedSettingError as error:
            raise ConfigError(str(error)) from error
        _print_warnings(found.warnings)
        above = merge_settings(found.settings, rules)
        base = build_config(merge_settings(base.model_dump(), above))
    try:
        config, rest = tyro.cli(
            tyro.conf.AvoidSubcommands[TrainConfig],
            default=base,
            args=list(flags),
            return_unknown_args=True,
            prog=PROGRAM,
        )
        _refuse_unknown_settings(config, rest)
        passed = {**base.openrlhf, **collect_openrlhf_flags(rest)}
        return TrainConfig.model_validate({**config.model_dump(), "openrlhf": passed})
    except pydantic.ValidationError as error:
        raise ConfigError(explain_errors(error)) from error


def _split_rule_flags(flags: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Take the flags that choose a section's rule: they decide which other flags there are."""
    rules: dict[str, Any] = {}
    rest: list[str] = []
    tokens = list(flags)
    while tokens:
        token = tokens.pop(0)
        name, equals, value = token.removeprefix("--").partition("=")
        section, _, key = name.partition(".")
        if token.startswith("--") and key == "rule" and list_alternatives(section):
            value = value if equals else (tokens.pop(0) if tokens else "")
            if value not in list_alternatives(section):
                names = ", ".join(list_alternatives(section))
                raise ConfigError(f"{section}.rule must be one of {names}, got {value!r}")
            rules[section] = {"rule": value}
        else:
            rest.append(token)
    return rules, rest


def _refuse_unknown_settings(config: TrainConfig, rest: Sequence[str]) -> None:
    """Refuse flags of our sections that none of our settings has: OpenRLHF has no such section."""
    known = list(list_setting_names(config))
    for token in rest:
        name = token[2:].partition("=")[0].replace("-", "_")
        section, dot, key = name.partition(".")
        ours = section in TrainConfig.model_fields and section not in _SHARED_SECTIONS
        if not token.startswith("--") or not dot or not ours:
            continue
        if rules := find_rules_with_key(section, key):
            raise ConfigError(
                f"{name} belongs to {section}.rule = {' or '.join(rules)}, and {section}.rule is "
                f"{getattr(config, section).rule!r}: choose the rule too"
            )
        raise ConfigError(describe_unknown_setting(name, known))


def list_setting_names(config: TrainConfig) -> Iterator[str]:
    """Yield the whole names of all settings, those of every rule among them."""
    yield from flatten_settings(config.model_dump())
    for section in TrainConfig.model_fields:
        for model in list_alternatives(section).values():
            yield from (f"{section}.{key}" for key in model.model_fields)


def describe_unknown_setting(name: str, known: Iterable[str]) -> str:
    """Say that there is no such setting, and which are near."""
    near = " or ".join(suggest_settings(name, known))
    return f"there is no setting {name}" + (f"; did you mean {near}?" if near else "")


def _print_warnings(warnings: Sequence[str]) -> None:
    for warning in warnings:
        print(f"{PROGRAM}: {warning}", file=sys.stderr)


def _locate_mentioned(files: Sequence[Path], message: str) -> str:
    """The place of the first setting that a message names and a file sets."""
    names = re.findall(r"[a-z_]+(?:\.[a-z_]+)+", message)
    return next(filter(None, (locate_setting(files, name) for name in names)), "")


def explain_errors(error: pydantic.ValidationError, files: Sequence[Path] = ()) -> str:
    """Say what is wrong, a line a setting.

    Args:
        error: pydantic's.
        files: TOML files that the settings are from; the one that sets a wrong one is named, with
            the line.
    """
    lines = []
    for one in error.errors():
        section, *rest = [str(part) for part in one["loc"]] or [""]
        rule = rest.pop(0) if rest and rest[0] in list_alternatives(section) else None
        name = ".".join([section, *rest])
        message = one["msg"]
        if (
            one["type"] == "extra_forbidden"
            and rest
            and (rules := find_rules_with_key(section, rest[0]))
        ):
            message = f"belongs to {section}.rule = {' or '.join(rules)}, and the rule is {rule!r}"
        elif one["type"] == "extra_forbidden" and error.title == TrainConfig.__name__:
            unknown = describe_unknown_setting(name, list_setting_names(TrainConfig()))
            lines.append(f"{locate_setting(files, name)}{unknown}")
            continue
        value = "" if one["type"] == "missing" or not name else f" (got {one['input']!r})"
        message = message.removeprefix("Value error, ")
        place = locate_setting(files, name) if name else _locate_mentioned(files, message)
        lines.append(f"{place}{name + ': ' if name else ''}{message}{value}")
    return "\n".join(lines)
