"""OpenRLHF's arguments, read by OpenRLHF's own parser.

OpenRLHF builds its parser, and checks what it read, in the main block of its training script, below
imports that take seconds. Here that block is taken from the installed source and run as it stands,
without the imports and without its last line, which would start the training. So a mistake is found
by OpenRLHF itself, at once, on any machine.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import io
import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NoReturn

from masa_openrlhf.arguments.installed import find_source_file, load_source_file
from masa_openrlhf.arguments.refusals import list_refusals
from masa_openrlhf.config.layers import list_setting_names
from masa_openrlhf.config.suggestions import format_flags, suggest_settings
from masa_openrlhf.config.tree import TrainConfig


class OpenRLHFArgumentError(ValueError):
    """OpenRLHF's parser, or a check of its own, refused the arguments."""


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Read arguments as OpenRLHF's training script does, its checks included.

    Args:
        argv: arguments, without the program's name.

    Returns:
        OpenRLHF's namespace: ``args.actor.adam.lr`` and so on.

    Raises:
        OpenRLHFArgumentError: it refuses them, and the message is its own; or a run would get them
            wrong, and the message says how.
        ModuleNotFoundError: OpenRLHF is not installed.
    """
    statements, filename = _read_main_block()
    namespace = {
        "argparse": _Argparse(argv),
        "os": os,
        "datetime": datetime,
        "hierarchize": load_source_file("openrlhf/utils/config.py").hierarchize,
    }
    code = compile(ast.Module(body=statements, type_ignores=[]), filename, "exec")
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # its warnings come again in the run
            exec(code, namespace)
    except AssertionError as error:
        raise OpenRLHFArgumentError(f"OpenRLHF refuses these arguments: {error}") from error
    args: argparse.Namespace = namespace["args"]
    if found := list_refusals(args, attention=_find_last_value(argv, "--ds.attn_implementation")):
        raise OpenRLHFArgumentError("\n".join(["not possible in a run:", *_format_bullets(found)]))
    return args


def _find_last_value(argv: Sequence[str], flag: str) -> str | None:
    """The last value that a flag is given."""
    places = [i for i, token in enumerate(argv[:-1]) if token == flag]
    return argv[places[-1] + 1] if places else None


def _format_bullets(lines: Sequence[str]) -> list[str]:
    return [f"  - {line}" for line in lines]


def collect_openrlhf_flags(argv: Sequence[str]) -> dict[str, str | bool | list[str]]:
    """Turn flags that are not ours into entries of ``TrainConfig.openrlhf``.

    ``--name value``, ``--name=value``, ``--name`` (a switch) and ``--name a b`` are understood.

    Raises:
        OpenRLHFArgumentError: something that is not a flag stands alone.
    """
    flags: dict[str, list[str]] = {}
    name = None
    for token in argv:
        if token.startswith("--"):
            name, _, value = token[2:].partition("=")
            flags[name] = [value] if "=" in token else []
        elif name is None:
            raise OpenRLHFArgumentError(f"{token!r} belongs to no flag")
        else:
            flags[name].append(token)
    return {
        name: True if not values else values[0] if len(values) == 1 else values
        for name, values in flags.items()
    }


def _read_main_block() -> tuple[list[ast.stmt], str]:
    path = find_source_file("openrlhf/cli/train_ppo_ray.py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'":
            *body, last = node.body
            if ast.unparse(last) != "train(args)":
                break
            kept = [s for s in body if ast.unparse(s) != _HIERARCHIZE]
            return kept, str(path)
    raise RuntimeError(
        f"{path} does not end in a main block that calls train(args): this version of OpenRLHF is "
        "not the one masa-openrlhf is made for (0.11.2)"
    )


_CLOSE = 0.75
_HIERARCHIZE = "from openrlhf.utils.config import hierarchize"


class _Parser(argparse.ArgumentParser):
    """Raises where argparse would print a usage of three hundred lines and exit."""

    argv: Sequence[str] = ()

    def parse_args(self, *_: Any, **__: Any) -> Any:
        return super().parse_args(self.argv)

    def error(self, message: str) -> NoReturn:
        known = [s for action in self._actions for s in action.option_strings]
        _, is_unknown, rest = message.partition("unrecognized arguments: ")
        unknown = [token.partition("=")[0] for token in rest.split() if token.startswith("--")]
        if is_unknown and unknown:
            raise OpenRLHFArgumentError(
                "\n".join(_describe_unknown_flag(flag, known) for flag in unknown)
            )
        raise OpenRLHFArgumentError(f"OpenRLHF's parser: {message}")


def _describe_unknown_flag(flag: str, theirs: Sequence[str]) -> str:
    """Say that nobody has a flag, and which are near: ours first, then OpenRLHF's."""
    ours = suggest_settings(flag.removeprefix("--"), list_setting_names(TrainConfig()))
    near = [format_flags([name]) for name in ours]
    near += difflib.get_close_matches(flag, theirs, n=3, cutoff=_CLOSE)
    hint = " or ".join(dict.fromkeys(near[:3]))
    return f"there is no flag {flag}, of ours or of OpenRLHF's" + (
        f"; did you mean {hint}?" if hint else ": see masa-openrlhf train --help-all"
    )


class _Argparse:
    """Stands for the argparse module in OpenRLHF's main block."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = argv

    def ArgumentParser(self, *args: Any, **kwargs: Any) -> _Parser:  # noqa: N802
        parser = _Parser(*args, **kwargs)
        parser.argv = self._argv
        return parser
