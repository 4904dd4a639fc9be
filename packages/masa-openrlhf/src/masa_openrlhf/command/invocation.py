"""How this program was called, so that a command that it prints can be pasted."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

PROGRAM = "masa-openrlhf"


def format_program() -> str:
    """Return what stands for ``masa-openrlhf`` in a command that works where this one did.

    The bare name where the shell finds this very program. Under ``uv run`` (so after ``make
    train``) the environment is on the PATH of the program alone, not on the shell's: there, and
    wherever else the name is not found or is another program's, the path, from the current folder
    if it is in it.
    """
    program = Path(sys.argv[0] if sys.argv else PROGRAM)
    if program.name != PROGRAM or not program.exists():
        beside = Path(sys.executable).with_name(PROGRAM)
        program = beside if beside.exists() else program
    if program.name != PROGRAM:
        return f"{shlex.quote(sys.executable)} -m masa_openrlhf.cli"
    found = shutil.which(PROGRAM)
    under_uv = "UV_RUN_RECURSION_DEPTH" in os.environ
    if found is not None and not under_uv and os.path.realpath(found) == os.path.realpath(program):
        return PROGRAM
    path = program.absolute()
    folder = Path.cwd()
    if path.is_relative_to(folder):
        return shlex.quote(str(path.relative_to(folder)))
    return shlex.quote(str(path))


def format_command(*arguments: str | os.PathLike[str]) -> str:
    """Return a command of this program, to be pasted.

    Args:
        *arguments: as a shell would hand them on; they are quoted where that is needed.
    """
    return " ".join([format_program(), *(shlex.quote(os.fspath(each)) for each in arguments)])


def format_install(extra: str) -> str:
    """Return how the stack is installed: in a checkout by uv, else by pip.

    Args:
        extra: "cpu" or "cluster".
    """
    if find_checkout() is not None:
        return f"uv sync --all-packages --extra {extra}"
    return f"pip install 'masa-openrlhf[{extra}]'"


def find_checkout() -> Path | None:
    """Return the folder of the checkout that this package is read from; None where it is not."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "uv.lock").is_file() and (folder / "packages" / "masa-openrlhf").is_dir():
            return folder
    return None
