"""The usage of ``masa-openrlhf``, and the names of its commands."""

from __future__ import annotations

import difflib
import re

USAGE = """\
usage: masa-openrlhf COMMAND ...

Meta-awareness training on OpenRLHF: a language model learns to know, before it reasons, how hard a
problem is for it, how long it will need and which ideas it will use.

commands:
  train     train a model; without arguments a tiny one, made on the spot
  eval      evaluate a model on the paper's benchmarks, and on how well it foresees itself
  report    write a page of a run, or of several that are compared, with figures
  plan      say what a run needs of its GPUs and how long a step takes, without a GPU
  warmup    teach a model the form that train asks for, where it does not answer in it
  presets   list the configurations to start from; presets show NAME prints one
  schema    print the JSON schema of the settings, for editors of TOML files
  completion SHELL
            print what bash, zsh or fish completes commands and flags by

masa-openrlhf COMMAND --help says how a command is used.
"""


def list_commands() -> list[str]:
    """Return the names of the commands, as the usage has them."""
    return re.findall(r"^  ([a-z]+)\b", USAGE, re.MULTILINE)


def describe_unknown_command(command: str) -> str:
    """Say that there is no such command, and which there are."""
    near = difflib.get_close_matches(command, list_commands(), n=1)
    hint = f": did you mean {near[0]}?" if near else "."
    return f"there is no command {command!r}{hint} There are {', '.join(list_commands())} (--help)"
