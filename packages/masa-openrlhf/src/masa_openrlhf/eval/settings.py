"""Where the settings of an evaluation come from: files, then flags over them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydantic
import tyro

from masa_openrlhf.config.layers import ConfigError, explain_errors, read_toml
from masa_openrlhf.config.rules import merge_settings
from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.eval.folder import EvalFolder, check_resumable

PROGRAM = "masa-openrlhf eval"


class _OldFlag(argparse.Action):
    """The name of ``--allow-unsandboxed`` in 0.1.0: taken, with a warning."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: str | None = None) -> None:
        print(f"{PROGRAM}: {option} is now --allow-unsandboxed", file=sys.stderr)
        namespace.allow_unsandboxed = True


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of what is no setting."""
    parser = argparse.ArgumentParser(prog=PROGRAM, add_help=False, allow_abbrev=False)
    parser.add_argument("--config", type=Path, action="append", default=[])
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--compare", type=Path)
    parser.add_argument("--allow-unsandboxed", action="store_true")
    parser.add_argument("--i-know", action=_OldFlag, nargs=0)
    parser.add_argument("--dry-run", action="store_true")
    return parser


def read_configuration(given: argparse.Namespace, rest: Sequence[str]) -> EvaluationConfig:
    """Return the settings: of files, then flags; or of an evaluation that goes on, then flags.

    Raises:
        EvalError: --resume with files, or with settings that change what comes out.
        ConfigError: a setting cannot be used.
    """
    model, flags = _take_model(rest)
    if given.resume is not None and given.config:
        raise EvalError("--resume has its settings; it takes flags, no files")
    found: dict[str, Any] = {}
    for file in given.config:
        found = merge_settings(found, read_toml(file))
    try:
        if given.resume is None:
            base = EvaluationConfig.model_validate({**found, **({"model": model} if model else {})})
            return _apply_flags(base, flags)
        before = EvalFolder(given.resume).read_settings()
        base = before.model_copy(update={"model": model} if model else {})
        now = _apply_flags(base, flags)
    except pydantic.ValidationError as error:
        raise ConfigError(explain_errors(error)) from error
    check_resumable(before, now, given.resume)
    return now


def _take_model(rest: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take MODEL, which stands before the flags, off what is given."""
    if rest and not rest[0].startswith("-"):
        return rest[0], list(rest[1:])
    return None, list(rest)


def _apply_flags(base: EvaluationConfig, flags: Sequence[str]) -> EvaluationConfig:
    found = tyro.cli(EvaluationConfig, default=base, args=list(flags), prog=PROGRAM)
    return EvaluationConfig.model_validate({**found.model_dump(), "model": base.model})
