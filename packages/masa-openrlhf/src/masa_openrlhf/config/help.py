"""The help of the commands, made of their settings when it is asked for."""

from __future__ import annotations

import shutil
import textwrap
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from masa_openrlhf.config.presets import list_presets
from masa_openrlhf.config.rules import list_alternatives
from masa_openrlhf.config.tree import TrainConfig

_HEAD = """\
usage: masa-openrlhf train [--preset NAME] [--config FILE.toml ...] [--resume RUN] [--dry-run]
                           [settings] [any flag of OpenRLHF]

  --preset NAME      start from one of: {presets} (without one, and without a
                     file: tiny)
  --config FILE      put a TOML file's settings over it; may be given again
  --resume RUN       go on from the last checkpoint in a run's folder; settings given now win
  --trust            with --resume: even where others own the folder's files or may write them;
                     whoever did could have code run (SECURITY.md)
  --dry-run          print the resolved configuration and OpenRLHF's arguments, and end

Flags that are not listed here go to OpenRLHF, and are checked by its own parser:
--ds.zero_stage 3, --logger.wandb.key KEY. Settings and their defaults:

"""


def render_train_help() -> str:
    """Return the whole help of ``masa-openrlhf train``."""
    return _HEAD.format(presets=", ".join(list_presets())) + render_settings(TrainConfig)


def render_settings(config: type[BaseModel]) -> str:
    """Return every setting with its type, its default and its docstring, as wide as the terminal.

    A section with alternatives (``rule``) is shown once for each of them.
    """
    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    return "\n".join(_render_lines(config, "", width)) + "\n"


def render_section(config: type[BaseModel], section: str) -> str:
    """Return the help of one section's settings.

    Args:
        config: of a whole configuration.
        section: its name there.
    """
    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    (model,) = list_models(config.model_fields[section].annotation)
    return "\n".join(_render_lines(model, f"{section}.", width)) + "\n"


def _render_lines(config: type[BaseModel], prefix: str, width: int) -> Iterator[str]:
    sections: dict[str, FieldInfo] = {}
    for name, field in config.model_fields.items():
        if list_models(field.annotation):
            sections[name] = field
        elif name not in ("openrlhf", "rule"):
            yield from _render_setting(prefix + name, field, width)
    for name, field in sections.items():
        section = prefix + name
        if rules := list_alternatives(section):
            yield from ("", f"{section}: one of {len(rules)} rules")
            yield f"  --{section}.rule {{{','.join(rules)}}} (default: {next(iter(rules))})"
            for rule, model in rules.items():
                described = " ".join((model.model_fields["rule"].description or rule).split())
                yield from _wrap_text(described, 6, width)
            for rule, model in rules.items():
                if len(model.model_fields) > 1:
                    yield from ("", f"{section}, with --{section}.rule {rule}")
                    yield from _render_lines(model, f"{section}.", width)
            continue
        (nested,) = list_models(field.annotation)
        yield from ("", f"{section}: {_read_first_line(nested)}")
        yield from _render_lines(nested, f"{section}.", width)


def _render_setting(name: str, field: FieldInfo, width: int) -> Iterator[str]:
    flag = "--" + name.replace("_", "-")
    if field.annotation is bool:
        section, _, last = flag.rpartition(".")
        flag += f", {section}.no-{last}" if section else f", --no-{flag[2:]}"
    default = field.get_default(call_default_factory=True)
    kind = _format_kind(field.annotation)
    text = f"{' '.join((field.description or '').split())} (default: {_format_default(default)})"
    yield f"  {flag}{' ' + kind if kind else ''}"
    yield from _wrap_text(text, 6, width)


def _wrap_text(text: str, indent: int, width: int) -> list[str]:
    margin = " " * indent
    return textwrap.wrap(
        text, width, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False
    )


def list_models(annotation: Any) -> list[type[BaseModel]]:
    """The models that a section may be of; none for a plain setting."""
    if get_origin(annotation) is Annotated:
        return list_models(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [model for part in get_args(annotation) for model in list_models(part)]
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return [annotation] if is_model else []


def _format_kind(annotation: Any) -> str:
    """What may stand behind a flag, as ``INT`` or ``{a,b}``."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _format_kind(args[0])
    if origin is Literal:
        return "{" + ",".join(map(str, args)) + "}"
    if origin in (Union, types.UnionType):
        return "|".join(
            _format_kind(arg) or "{True,False}" for arg in args if arg is not type(None)
        )
    if origin in (tuple, frozenset, list):
        inner = _format_kind(args[0])
        return f"{inner} {inner}" if len(args) == 2 and args[1] is not ... else f"[{inner} ...]"
    return "" if annotation is bool else annotation.__name__.upper()


def _format_default(default: object) -> str:
    if default is None:
        return "unset"
    if isinstance(default, str):
        return repr(default) if "\n" in default or not default else default
    if isinstance(default, tuple | frozenset):
        return " ".join(map(str, default)) or "none"
    return str(default)


def _read_first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]
