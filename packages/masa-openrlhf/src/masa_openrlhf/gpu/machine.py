"""Is this machine fit for a GPU run? Looked at before anything starts, without touching a card.

What is missing would otherwise show minutes later and deep in the stack: as a kernel that is not
there, a hang of NCCL, or a wait for GPUs that never come.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sysconfig
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from masa_openrlhf.command.invocation import format_install

if TYPE_CHECKING:
    from masa_openrlhf.config.tree import TrainConfig

GIB = 1 << 30
MIN_SHARED_MEMORY = 1 * GIB
MIN_CAPABILITY = (8, 0)
_DRIVERS = {12: "525", 13: "580"}
"""CUDA's major version -> the first driver for it."""


class MachineError(ValueError):
    """This machine cannot run what is asked for; the message says what it lacks and the way out."""


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU.

    Attributes:
        name: as the driver calls it.
        memory: bytes.
        capability: compute capability, as (9, 0).
    """

    name: str
    memory: int
    capability: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Machine:
    """What was found.

    Attributes:
        driver: the driver's version; none where none is loaded.
        driver_cuda: the newest CUDA that it takes, as (13, 0).
        torch_cuda: the CUDA that the installed torch was built for; none for a build without.
        cards: GPUs that this process may use.
        compiler: a C compiler; Triton compiles the launchers of its kernels with it.
        headers: Python's own are there (Python.h), which those launchers include.
        shared_memory: bytes of /dev/shm; NCCL's ranks exchange through it.
    """

    driver: str | None
    driver_cuda: tuple[int, int] | None
    torch_cuda: tuple[int, int] | None
    cards: tuple[Card, ...]
    compiler: str | None
    headers: bool
    shared_memory: int


def count_requested_gpus(config: TrainConfig) -> int:
    """Return the GPUs that a run takes: its ranks', and its engines' where they do not share."""
    cluster = config.cluster
    return config.world_size + (0 if cluster.colocate else config.engines * cluster.tensor_parallel)


def describe_requested_gpus(config: TrainConfig) -> str:
    """Return the number of GPUs asked for, and by which settings."""
    cluster, asked = config.cluster, count_requested_gpus(config)
    apart = "" if cluster.colocate else f" + {config.engines} x {cluster.tensor_parallel}"
    settings = "cluster.nodes x cluster.gpus_per_node" + (
        "" if cluster.colocate else " + cluster.engines x cluster.tensor_parallel"
    )
    were = "GPU was" if asked == 1 else "GPUs were"
    return (
        f"{asked} {were} asked for ({settings} = {cluster.nodes} x {cluster.gpus_per_node}{apart})"
    )


def require_machine(config: TrainConfig) -> None:
    """Check this machine; nothing where a Ray cluster is joined, whose nodes are other machines.

    Raises:
        MachineError: it lacks something.
    """
    if os.environ.get("RAY_ADDRESS"):
        return
    require_address(config)
    lacking = list_shortfalls(inspect_machine(), config)
    if lacking:
        raise MachineError("\n".join(lacking))


def require_address(config: TrainConfig) -> None:
    """Check that a run on several nodes is told of its Ray cluster, with GPUs or without.

    Raises:
        MachineError: it is not.
    """
    if config.cluster.nodes > 1 and not os.environ.get("RAY_ADDRESS"):
        raise MachineError(
            f"cluster.nodes is {config.cluster.nodes}, and RAY_ADDRESS names no Ray cluster: run "
            "'ray start' on every node and set RAY_ADDRESS here, or set cluster.nodes = 1"
        )


def list_shortfalls(machine: Machine, config: TrainConfig) -> list[str]:
    """Return a sentence for each thing that a machine lacks for a run of its own."""
    there = len(machine.cards)
    missing = there < count_requested_gpus(config)
    counted = f"{describe_requested_gpus(config)}, {there} {'is' if there == 1 else 'are'} there"
    wanted = _describe_needed_driver(machine)
    if machine.driver is None:
        return [
            f"{counted}: no NVIDIA driver answers on this machine. Install {wanted}, give a "
            "container its GPUs (--gpus all), join a Ray cluster by RAY_ADDRESS, or set "
            "cluster.device = 'cpu' for a model that a CPU can train"
        ]
    found = []
    if machine.torch_cuda is None:
        found.append(f"the installed torch is built without CUDA: {format_install('cluster')}")
    elif machine.driver_cuda is not None and machine.driver_cuda[0] < machine.torch_cuda[0]:
        found.append(
            f"the NVIDIA driver {machine.driver} takes CUDA up to "
            f"{_format_version(machine.driver_cuda)}, and torch is built for CUDA "
            f"{_format_version(machine.torch_cuda)}: install {wanted}, or on a data-centre card "
            f"NVIDIA's package cuda-compat-{machine.torch_cuda[0]}-{machine.torch_cuda[1]}"
        )
    if missing:
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        why = f" (CUDA_VISIBLE_DEVICES is {hidden!r})" if hidden is not None else ""
        found.append(f"{counted}{why}: set cluster.gpus_per_node = {max(1, there)} or use more")
    old = [card for card in machine.cards if card.capability < MIN_CAPABILITY]
    if old:
        found.append(
            f"{old[0].name} has compute capability {_format_version(old[0].capability)}; bfloat16 "
            f"and packed attention need {_format_version(MIN_CAPABILITY)} (Ampere) or newer"
        )
    if machine.compiler is None:
        found.append(
            "no C compiler is there, and Triton compiles the launchers of its kernels with one: "
            "install gcc, or name one by CC"
        )
    if not machine.headers:
        found.append(
            "Python.h is not there, and the launchers that Triton compiles include it: install "
            "python3-dev, or let uv bring its own Python (uv python install)"
        )
    if machine.shared_memory < MIN_SHARED_MEMORY:
        found.append(
            f"/dev/shm holds {machine.shared_memory / GIB:.2f} GiB, and NCCL needs at least "
            f"{MIN_SHARED_MEMORY / GIB:.0f} GiB there: start the container with --shm-size 16g or "
            "--ipc host"
        )
    return found


def inspect_machine() -> Machine:
    """Look at this machine."""
    driver, driver_cuda, cards = _query_driver()
    headers = (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file()
    return Machine(
        driver,
        driver_cuda,
        _read_torch_cuda(),
        cards,
        _find_compiler(),
        headers,
        _measure_shared_memory(),
    )


def _describe_needed_driver(machine: Machine) -> str:
    major = machine.torch_cuda[0] if machine.torch_cuda else 13
    first = _DRIVERS.get(major)
    return f"a driver for CUDA {major}" + (f" ({first} or newer)" if first else "")


def _query_driver() -> tuple[str | None, tuple[int, int] | None, tuple[Card, ...]]:
    """Ask the driver's library, which makes no context on a card."""
    try:
        with warnings.catch_warnings():  # a package of that name says that another has it now
            warnings.simplefilter("ignore", FutureWarning)
            import pynvml  # type: ignore[import-untyped]
    except ImportError:
        return None, None, ()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None, None, ()
    try:
        cuda = pynvml.nvmlSystemGetCudaDriverVersion_v2()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        cards = tuple(
            Card(
                str(pynvml.nvmlDeviceGetName(handle)),
                int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
                tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle)),
            )
            for handle in handles
        )
        visible = _list_visible_cards(len(cards))
        seen = tuple(card for i, card in enumerate(cards) if i in visible)
        return str(pynvml.nvmlSystemGetDriverVersion()), (cuda // 1000, cuda % 1000 // 10), seen
    finally:
        pynvml.nvmlShutdown()


def _list_visible_cards(there: int) -> set[int]:
    """Return the cards that CUDA_VISIBLE_DEVICES leaves; of names, as many from the first on."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is None:
        return set(range(there))
    names = [name.strip() for name in given.split(",") if name.strip()]
    if all(name.isdigit() for name in names):
        return {int(name) for name in names}
    return set(range(len([name for name in names if name != "-1"])))


def _read_torch_cuda() -> tuple[int, int] | None:
    """Read what torch was built for from its files: importing it takes seconds."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    text = (Path(spec.origin).parent / "version.py").read_text(encoding="utf-8")
    found = re.search(r"^cuda\b[^=]*= '(\d+)\.(\d+)", text, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else None


def _find_compiler() -> str | None:
    for name in (os.environ.get("CC"), "gcc", "clang", "cc"):
        if name and (path := shutil.which(name)):
            return path
    return None


def _measure_shared_memory() -> int:
    try:
        return shutil.disk_usage("/dev/shm").total
    except OSError:
        return 0


def _format_version(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
