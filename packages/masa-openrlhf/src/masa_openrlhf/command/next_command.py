"""The arguments by which train goes on from a warm-up: the same settings, another model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_DROPPED = ("--warmup.", "--model.path")


def list_training_arguments(
    preset: str | None, files: Sequence[Path], flags: Sequence[str], out: Path
) -> list[str]:
    """Return the arguments of train that ask as the warm-up asked.

    Args:
        preset: of the warm-up; None where none was named.
        files: TOML files of the warm-up, in their order.
        flags: its settings, as they were given: ``--name value``, ``--name=value``, ``--name``.
        out: the warm-up's folder.

    Examples:
        >>> flags = ["--model.path", "m", "--data.train=d", "--warmup.epochs", "2"]
        >>> list_training_arguments("smollm2-135m", [], flags, Path("warm"))
        ['train', '--preset', 'smollm2-135m', '--data.train=d', '--model.path', 'warm']
    """
    arguments = ["train"]
    if preset is not None:
        arguments += ["--preset", preset]
    for file in files:
        arguments += ["--config", str(file)]
    dropping = False
    for flag in flags:
        if flag.startswith("--"):
            dropping = flag.replace("_", "-").startswith(_DROPPED)
        if not dropping:
            arguments.append(flag)
    return [*arguments, "--model.path", str(out)]
