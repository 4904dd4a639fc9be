"""The help of the commands, made of their settings when it is asked for."""

from __future__ import annotations

import shutil
import textwrap
import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from masa_openrlhf.config.presets import list_presets
from masa_openrlhf.config.rules import list_alternatives
from masa_openrlhf.config.tree import TrainConfig

_USAGE = """\
usage: masa-openrlhf train [--preset NAME] [--config FILE.toml ...]
                           [--resume RUN] [settings] [any flag of OpenRLHF]
"""

_OPTIONS = (
    ("--preset NAME", "start from one of: {presets}; without one, and without a model, tiny"),
    ("--config FILE", "put a TOML file's settings over it; may be given again"),
    ("--resume RUN", "go on from a run's last checkpoint; settings given now win"),
    (
        "--trust",
        "with --resume: even where others own the folder's files or may write them; whoever did "
        "could have code run (SECURITY.md)",
    ),
    ("--dry-run", "print the settings that differ from the defaults as TOML, and end; --json: all"),
    ("--force", "start even where the plan says that it does not fit into the GPUs' memory"),
    ("--help-all", "every setting with its default"),
)

_SHORT_OPTIONS = ("--preset NAME", "--config FILE", "--resume RUN", "--dry-run", "--help-all")

_MOST_USED = (
    "mode",
    "model.path",
    "data.train",
    "max_steps",
    "seed",
    "runs",
    "batch.problems",
    "solution.rollouts",
    "solution.max_tokens",
    "meta.rollouts",
    "meta.max_tokens",
    "optim.lr",
    "cluster.device",
)

_REST = """\
Flags that are not listed here go to OpenRLHF, and are checked by its own parser:
--ds.zero_stage 3, --logger.wandb.key KEY. Settings and their defaults:

"""

_OPTION_COLUMN = 20
_SETTING_COLUMN = 25


def render_short_help() -> str:
    """Return the help that fits on a screen: the options, and the settings most are after."""
    width = _measure_width()
    lines = [_USAGE, *_render_options(width, _SHORT_OPTIONS), "", "Settings that most are after:"]
    for name in _MOST_USED:
        field = find_field(TrainConfig, name)
        flag = "--" + name.replace("_", "-")
        words = " ".join((field.description or "").split())
        first = words.partition(". ")[0].rstrip(".")
        default = format_default(field.get_default(call_default_factory=True))
        room = width - _SETTING_COLUMN - 3 - len(default)
        lines.append(
            f"  {flag:<{_SETTING_COLUMN - 2}}"
            f"{textwrap.shorten(first, room, placeholder=' ...')} ({default})"
        )
    lines += [
        "",
        *_wrap_text(
            "Every setting: --help-all. In a file: masa-openrlhf presets show NAME has one to "
            "start from. Other flags go to OpenRLHF, as --ds.zero_stage 3.",
            0,
            width,
        ),
    ]
    return "\n".join(lines) + "\n"


def render_train_help() -> str:
    """Return the whole help of ``masa-openrlhf train``."""
    width = _measure_width()
    options = "\n".join(_render_options(width, [name for name, _ in _OPTIONS]))
    rest = "\n".join(_wrap_text(_REST, 0, width))
    return f"{_USAGE}\n{options}\n\n{rest}\n\n{render_settings(TrainConfig)}"


def _render_options(width: int, names: Sequence[str]) -> Iterator[str]:
    for name, about in _OPTIONS:
        if name in names:
            yield from textwrap.wrap(
                about.format(presets=", ".join(list_presets())),
                width,
                initial_indent=f"  {name:<{_OPTION_COLUMN - 4}}  ",
                subsequent_indent=" " * _OPTION_COLUMN,
                break_on_hyphens=False,
            )


def _measure_width() -> int:
    return min(shutil.get_terminal_size((100, 24)).columns, 120)


def find_field(config: type[BaseModel], name: str) -> FieldInfo:
    """Return the field of a setting that is in no section with alternatives.

    Raises:
        KeyError: there is no such setting.
    """
    first, _, rest = name.partition(".")
    field = config.model_fields[first]
    if not rest:
        return field
    (model,) = list_models(field.annotation)
    return find_field(model, rest)


def list_flag_names(config: type[BaseModel], before: str = "") -> list[str]:
    """Return the flags of all settings, those of every rule among them, each once."""
    found: list[str] = []
    for name, field in config.model_fields.items():
        models = list_models(field.annotation)
        whole = f"{before}{name}"
        for model in models:
            found += list_flag_names(model, f"{whole}.")
        if not models and name != "openrlhf":
            found.append("--" + whole.replace("_", "-"))
    return list(dict.fromkeys(found))


def render_settings(config: type[BaseModel]) -> str:
    """Return every setting with its type, its default and its docstring, as wide as the terminal.

    A section with alternatives (``rule``) is shown once for each of them.
    """
    width = _measure_width()
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
        yield from ("", *_wrap_text(f"{section}: {read_first_line(nested)}", 0, width))
        yield from _render_lines(nested, f"{section}.", width)


def _render_setting(name: str, field: FieldInfo, width: int) -> Iterator[str]:
    flag = "--" + name.replace("_", "-")
    if field.annotation is bool:
        section, _, last = flag.rpartition(".")
        flag += f", {section}.no-{last}" if section else f", --no-{flag[2:]}"
    default = field.get_default(call_default_factory=True)
    kind = format_kind(field.annotation)
    text = f"{' '.join((field.description or '').split())} (default: {format_default(default)})"
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


def format_kind(annotation: Any) -> str:
    """Return what may stand behind a flag, as ``INT`` or ``{a,b}``."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return format_kind(args[0])
    if origin is Literal:
        return "{" + ",".join(map(str, args)) + "}"
    if origin in (Union, types.UnionType):
        return "|".join(format_kind(arg) or "{True,False}" for arg in args if arg is not type(None))
    if origin in (tuple, frozenset, list):
        inner = format_kind(args[0])
        return f"{inner} {inner}" if len(args) == 2 and args[1] is not ... else f"[{inner} ...]"
    return "" if annotation is bool else annotation.__name__.upper()


def format_default(default: object) -> str:
    """Return a default as the help and the page of settings show it."""
    if default is None:
        return "unset"
    if isinstance(default, str):
        return repr(default) if "\n" in default or not default else default
    if isinstance(default, tuple | frozenset):
        return " ".join(map(str, default)) or "none"
    return str(default)


def read_first_line(model: type[BaseModel]) -> str:
    """Return the first line of a section's docstring."""
    return (model.__doc__ or "").strip().partition("\n")[0]
