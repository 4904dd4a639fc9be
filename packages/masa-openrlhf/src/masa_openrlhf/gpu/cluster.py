"""Has the Ray cluster the GPUs that the run asks for? Asked as soon as Ray is up.

OpenRLHF waits for its places without a limit and without a word.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from masa_openrlhf.gpu.machine import count_requested_gpus, describe_requested_gpus
from masa_openrlhf.plan.cards import CardSpec
from masa_openrlhf.plan.command import find_local_card

if TYPE_CHECKING:
    from masa_openrlhf.config.tree import TrainConfig
    from masa_openrlhf.run.folder import RunFolder

_POLL = 1.0  # s
_ANSWER = 60.0  # s; a node's first worker has to start
_SETTLE = 5.0  # s; what a cluster that has just come up may take to report all it has


class ResourceError(ValueError):
    """The cluster is too small for the run; the message says by how much."""


def require_gpus(config: TrainConfig, folder: RunFolder) -> None:
    """Refuse a cluster that is too small; wait, and say so, for one whose GPUs are taken.

    Raises:
        ResourceError: the cluster has too few GPUs, or too few CPUs to go with them.
    """
    import ray

    total = require_capacity(config)
    wait_until_free(config, folder, ray.available_resources, total)


def require_capacity(config: TrainConfig) -> Mapping[str, float]:
    """Refuse a cluster that is too small, whoever holds its GPUs now.

    Returns:
        All that the cluster has, by Ray's names of resources.

    Raises:
        ResourceError: the cluster has too few GPUs, or too few CPUs to go with them.
    """
    import ray

    total = _wait_for_resources(ray.cluster_resources, count_requested_gpus(config))
    refuse_too_small(config, total)
    return total


def find_cluster_card() -> CardSpec | None:
    """Return the GPU with the least memory of the cluster's nodes; None where none answers.

    Each node with GPUs is asked by a task of its own, which takes no GPU and touches none.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ask = ray.remote(num_cpus=0, max_retries=0)(find_local_card)
    asked = [
        ask.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote()
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get("GPU")
    ]
    ready, _ = ray.wait(asked, num_returns=len(asked), timeout=_ANSWER) if asked else ([], [])
    cards = [card for card in ray.get(ready) if card is not None]
    return min(cards, key=lambda card: card.memory, default=None)


def _wait_for_resources(
    resources: Callable[[], Mapping[str, float]], asked: int
) -> Mapping[str, float]:
    deadline = time.monotonic() + _SETTLE
    found = resources()
    while found.get("GPU", 0) < asked and time.monotonic() < deadline:
        time.sleep(_POLL)
        found = resources()
    return found


def refuse_too_small(config: TrainConfig, total: Mapping[str, float]) -> None:
    """Compare all that a cluster has with what the run asks for.

    Raises:
        ResourceError: it is not enough.
    """
    asked, there = count_requested_gpus(config), int(total.get("GPU", 0))
    if there < asked:
        raise ResourceError(
            f"{describe_requested_gpus(config)}, {there} {'is' if there == 1 else 'are'} there in "
            "the Ray cluster: start Ray on more nodes ('ray status' shows what it has), or ask for "
            "fewer by cluster.nodes and cluster.gpus_per_node"
        )
    cpus = int(total.get("CPU", 0))
    if cpus < asked:
        raise ResourceError(
            f"OpenRLHF places each of {asked} GPUs with a CPU, and the Ray cluster has {cpus} "
            "CPUs: start Ray with --num-cpus"
        )


def wait_until_free(
    config: TrainConfig,
    folder: RunFolder,
    available: Callable[[], Mapping[str, float]],
    total: Mapping[str, float],
    *,
    poll: float = _POLL,
) -> None:
    """Wait for GPUs that others hold; each change is an event, which is shown on the terminal."""
    asked, said = count_requested_gpus(config), -1
    while (free := int(available().get("GPU", 0))) < asked:
        if free != said:
            folder.event("waiting", gpus=asked, free=free, total=int(total.get("GPU", 0)))
            said = free
        time.sleep(poll)
