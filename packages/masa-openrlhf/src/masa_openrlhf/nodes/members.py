"""The nodes of the Ray cluster that this process has joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster.

    Attributes:
        id: Ray's.
        address: by which the others reach it.
        host: its name.
        port: of its raylet, which answers as long as the node takes part.
        gpus: what Ray has been told of.
        alive: Ray takes it for alive.
    """

    id: str
    address: str
    host: str
    port: int
    gpus: float
    alive: bool

    def __str__(self) -> str:
        return f"{self.address} ({self.host})"


def list_nodes() -> list[Node]:
    """Return all nodes that the cluster has, or had, by address."""
    import ray

    return sorted(map(_read_node, ray.nodes()), key=lambda node: (node.address, node.id))


def _read_node(row: Mapping[str, Any]) -> Node:
    return Node(
        id=row["NodeID"],
        address=row["NodeManagerAddress"],
        host=row["NodeManagerHostname"],
        port=int(row["NodeManagerPort"]),
        gpus=float(row.get("Resources", {}).get("GPU", 0)),
        alive=bool(row["Alive"]),
    )


def find_own_id() -> str:
    """Return the id of the node that this process is on."""
    import ray

    return str(ray.get_runtime_context().get_node_id())


def list_run_nodes() -> list[Node]:
    """Return the living nodes that a run may be placed on: those with GPUs, and this one."""
    here = find_own_id()
    return [node for node in list_nodes() if node.alive and (node.gpus or node.id == here)]


def place_here() -> dict[str, Any]:
    """Return the options of an actor that is to be on this node, whatever else is there."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return {
        "num_cpus": 0,
        "scheduling_strategy": NodeAffinitySchedulingStrategy(find_own_id(), soft=False),
    }
