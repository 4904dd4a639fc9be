"""What a dry run prints: a configuration to be used again, or everything for a program."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence

from masa_openrlhf.arguments.build import TRAINING_SCRIPT
from masa_openrlhf.config.toml_writer import render_toml, select_changes
from masa_openrlhf.config.tree import TrainConfig


def render_dry_run(config: TrainConfig, argv: Sequence[str]) -> str:
    """Return TOML: the settings that differ from the defaults, and OpenRLHF's command as a comment.

    Args:
        config: the whole configuration.
        argv: the arguments that OpenRLHF is started with.
    """
    command = " \\\n  ".join([f"python -m {TRAINING_SCRIPT}", *_join_flag_values(argv)])
    comment = "\n".join(f"# {line}".rstrip() for line in command.splitlines())
    return (
        "# What differs from the defaults; with --config FILE it is the same run again.\n"
        f"{render_toml(select_changes(config))}\n"
        "# OpenRLHF is started with (all settings, for programs: --dry-run --json):\n"
        f"{comment}\n"
    )


def render_dry_run_json(config: TrainConfig, argv: Sequence[str]) -> str:
    """Return JSON: ``config``, every setting, and ``openrlhf``, the arguments it gets."""
    return json.dumps({"config": config.model_dump(mode="json"), "openrlhf": [*argv]}, indent=2)


def _join_flag_values(argv: Sequence[str]) -> Iterator[str]:
    """Join each flag with its values, quoted for a shell."""
    line = ""
    for token in argv:
        if token.startswith("--"):
            if line:
                yield line
            line = token
        else:
            line += f" {shlex.quote(token)}"
    if line:
        yield line
