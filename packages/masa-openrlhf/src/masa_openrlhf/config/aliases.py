"""Settings under the names they had in 0.1.0: one table for TOML files, flags and saved runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from masa_openrlhf.config.rules import find_alternative, is_alternative_key

LAST_COMMIT = "deae023"
"""The last commit that has the settings that are gone."""


class Translation(NamedTuple):
    """Settings under today's names.

    Attributes:
        settings: sections in sections.
        warnings: a sentence for each old name.
    """

    settings: dict[str, Any]
    warnings: tuple[str, ...]


class RemovedSettingError(ValueError):
    """A setting is asked for that is gone; the message says what takes its place."""


def _to_hint_rule(enabled: bool, record: bool) -> str:
    return "off" if not enabled else "recorded" if record else "predicted"


# Old name -> new name; the value is the same.
_RENAMED = {
    "hints.template": "solution.hint_template",
    "cutoff.cut_is": "solution.cut_is",
}

# Old name -> new name, and what makes the new value of the old one.
_CONVERTED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "schedule.aligned": ("schedule.rule", lambda aligned: "aligned" if aligned else "fixed"),
}

# Old name -> the value under which nothing changes, and why it is gone.
_REMOVED: dict[str, tuple[Any, str]] = {
    "optim.apart": (False, "an optimiser step for predictions alone gained nothing"),
    "gate.count_skipped": (
        True,
        "skipped problems always count in the policy loss, unless they are replaced",
    ),
    "log.timeline": (False, "no tool reads a timeline"),
}

OLD_SWITCHES = (*_CONVERTED, *_REMOVED, "hints.enabled", "hints.record")
"""Old names that were flags without a value."""

OLD_NAMES = (*_RENAMED, *OLD_SWITCHES)


def translate_settings(settings: Mapping[str, Any], *, keep_removed: bool = False) -> Translation:
    """Return settings under today's names, with a warning for each old one.

    Args:
        settings: sections in sections, as a TOML file has them; unchanged.
        keep_removed: leave settings that are gone where they are: to be shown, not run with.

    Raises:
        RemovedSettingError: one that is gone is asked for by another value than what is done now.
    """
    result = {k: dict(v) if isinstance(v, Mapping) else v for k, v in settings.items()}
    warnings = []
    hints = result.get("hints", {})
    if isinstance(hints, dict) and {"enabled", "record"} & set(hints):
        rule = _to_hint_rule(hints.pop("enabled", False), hints.pop("record", False))
        hints.setdefault("rule", rule)
        warnings.append(f"hints.enabled and hints.record are now hints.rule = {rule!r}")
    for old in _RENAMED.keys() | _CONVERTED.keys() | _REMOVED.keys():
        section, name = old.split(".")
        if not isinstance(result.get(section), dict) or name not in result[section]:
            continue
        if old in _REMOVED and keep_removed:
            continue
        value = result[section].pop(name)
        if old in _REMOVED:
            kept, why = _REMOVED[old]
            if value != kept:
                raise RemovedSettingError(
                    f"{old} = {value!r} is not possible any more: {why}. Commit {LAST_COMMIT} is "
                    "the last that has it"
                )
            warnings.append(f"{old} is gone, and can be left out: {why}")
            continue
        new, convert = _CONVERTED.get(old) or (_RENAMED[old], lambda same: same)
        new_section, new_name = new.split(".")
        result.setdefault(new_section, {}).setdefault(new_name, convert(value))
        warnings.append(f"{old} is now {new}")
    return Translation(result, tuple(sorted(warnings)))


def upgrade_settings(settings: Mapping[str, Any], *, keep_removed: bool = False) -> dict[str, Any]:
    """Return the settings of a saved run of 0.1.0 as they would be saved today.

    There a section held the keys of all its rules side by side; only those of its own rule were
    read, and the others are dropped.

    Args:
        settings: of a run's ``config.json``, of any version; unchanged.
        keep_removed: leave settings that are gone where they are: to be shown, not run with.

    Raises:
        RemovedSettingError: one that is gone has another value than what is done now.
    """
    found = {k: v for k, v in settings.items() if k != "format"}
    if "format" in settings:
        return found
    result = translate_settings(found, keep_removed=keep_removed).settings
    for section, values in result.items():
        chosen = find_alternative(section, values)
        if chosen is not None:
            result[section] = {
                key: value
                for key, value in values.items()
                if key in chosen.model_fields or not is_alternative_key(section, key)
            }
    return result


def split_old_flags(flags: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Take the flags of 0.1.0 that have other names now out of a command line.

    Returns:
        Their settings, sections in sections under the old names; and the other flags.
    """
    found: dict[str, dict[str, Any]] = {}
    rest: list[str] = []
    tokens = list(flags)
    while tokens:
        token = tokens.pop(0)
        name, equals, _ = token.removeprefix("--").replace("-", "_").partition("=")
        section, _, key = name.partition(".")
        positive = f"{section}.{key.removeprefix('no_')}"
        if not token.startswith("--") or (name not in OLD_NAMES and positive not in OLD_SWITCHES):
            rest.append(token)
        elif positive in OLD_SWITCHES:
            chosen = not key.startswith("no_")
            if tokens and tokens[0] in ("True", "False"):
                chosen = tokens.pop(0) == "True"
            found.setdefault(section, {})[positive.partition(".")[2]] = chosen
        else:
            raw = token.partition("=")[2] if equals else (tokens.pop(0) if tokens else "")
            found.setdefault(section, {})[key] = raw
    return found, rest
