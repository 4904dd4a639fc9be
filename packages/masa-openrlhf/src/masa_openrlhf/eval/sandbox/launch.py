"""What a sandbox is started with: the commands, the variables, the folders it may see."""

from __future__ import annotations

import os
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

from masa_openrlhf.eval.sandbox.namespaces import WORK


def sandbox_environment() -> dict[str, str]:
    """Return all variables that a sandboxed program sees: none of the evaluation's own."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": WORK,
        "TMPDIR": WORK,
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        **threads,
    }


def python_command() -> list[str]:
    """Return the start of a command that runs a module of this package, without site-packages."""
    source = str(Path(__file__).parents[3])
    code = (
        f"import sys; sys.path.append({source!r}); "
        "from importlib import import_module; "
        "import_module('masa_openrlhf.eval.sandbox.' + sys.argv.pop(1)).main()"
    )
    return [sys.executable, "-I", "-S", "-c", code]


@cache
def describe_program(what: str) -> dict[str, Any]:
    """Return what the warden is told of the program: "candidate" or "tester"."""
    packages = sysconfig.get_path("purelib")
    code = (
        "import sys; sys.dont_write_bytecode = True; sys.path.append(sys.argv[-1]); "
        f"from masa_openrlhf.eval.sandbox.{what} import main; "
        f"sys.path[-1] = {packages!r}; main()"
    )
    return {
        "python": sys.executable,
        "command": [sys.executable, "-I", "-S", "-c", code],
        "environment": sandbox_environment(),
        "folders": list_folders(),
        "package": str(Path(__file__).parents[2]),
    }


def list_folders() -> list[str]:
    """Return what a Python program needs of the machine: its own folders, and the system's."""
    system = ("/usr", "/bin", "/lib", "/lib64", "/etc/alternatives")
    python = {sys.prefix, sys.base_prefix, sysconfig.get_path("purelib")}
    wanted = [*system, *sorted(os.path.realpath(path) for path in python), sys.prefix]
    kept: list[str] = []
    for path in wanted:
        if os.path.lexists(path) and not any(path == k or path.startswith(k + "/") for k in kept):
            kept.append(path)
    return kept
