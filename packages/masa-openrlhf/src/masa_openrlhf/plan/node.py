"""What a node needs beside its GPUs: its memory, /dev/shm, and the disk of the run's folder."""

from __future__ import annotations

from dataclasses import dataclass

from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.plan.cards import GIB
from masa_openrlhf.plan.setup import Setup
from masa_openrlhf.plan.states import count_whole_optimiser_bytes

_CHECKPOINT_BYTES = 14  # a parameter: bfloat16, float32, Adam's moments
_PROCESS = 3 * GIB  # assumed: Python, torch and CUDA's libraries in a process's memory
_LOADED_SHARD = 5 * GIB  # the largest file of weights that a rank reads at a time
_SAMPLE_BYTES = 64  # a token of a batch in Ray's store: ids, masks, log-probabilities, advantages


@dataclass(frozen=True, slots=True)
class NodeMemory:
    """What a node needs beside its GPUs, bytes; and the disk.

    Attributes:
        pinned: weights of sleeping engines, and what the policy puts away while they are awake.
        processes: of ranks, engines and verification, and weights that are being loaded.
        shared: in /dev/shm: Ray's store, with a step's samples, and NCCL's.
        checkpoint: one checkpoint, all ranks together, in the run's folder.
        checkpoints: as many as are kept.
    """

    pinned: float
    processes: float
    shared: float
    checkpoint: float
    checkpoints: float

    @property
    def host(self) -> float:
        """Memory of the node, /dev/shm counted in."""
        return self.pinned + self.processes + self.shared


def estimate_node(setup: Setup) -> NodeMemory:
    """Return what a node needs beside its GPUs, and the disk."""
    config, shape = setup.config, setup.shape
    cluster = config.cluster
    ranks = cluster.gpus_per_node
    here = ranks if cluster.colocate else max(ranks, _engine_gpus(config) // cluster.nodes)
    pinned = 0.0
    if cluster.colocate:
        pinned += ranks * 2 * shape.parameters / cluster.tensor_parallel
    if cluster.colocate or setup.adam_on_host:
        share = setup.gradient_width * shape.parameters / config.world_size
        pinned += ranks * (count_whole_optimiser_bytes(setup) + share)
    workers = here * config.verifier.workers * 0.25 * GIB
    samples = 2 * _SAMPLE_BYTES * setup.step_tokens
    checkpoint = _CHECKPOINT_BYTES * shape.parameters
    return NodeMemory(
        pinned=pinned,
        processes=2 * here * _PROCESS + workers + ranks * _LOADED_SHARD,
        shared=samples + 1 * GIB,
        checkpoint=checkpoint,
        checkpoints=checkpoint * config.checkpoint.keep + 2 * shape.parameters,
    )


def _engine_gpus(config: TrainConfig) -> int:
    return config.engines * config.cluster.tensor_parallel
