"""OpenRLHF's installed source, a file at a time: importing its packages imports the stack."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from masa_openrlhf.command.invocation import format_install


def find_source_file(relative: str) -> Path:
    """Return the path of a file of OpenRLHF, as "openrlhf/cli/train_ppo_ray.py".

    Raises:
        ModuleNotFoundError: OpenRLHF is not installed.
    """
    spec = importlib.util.find_spec("openrlhf")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"OpenRLHF is not installed: {format_install('cpu')} (or cluster, for GPUs)"
        )
    return Path(spec.submodule_search_locations[0]).parent / relative


def load_source_file(relative: str) -> ModuleType:
    """Load one file of OpenRLHF under its own name, without the packages it lies in."""
    path = find_source_file(relative)
    name = relative.removesuffix(".py").replace("/", ".")
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
