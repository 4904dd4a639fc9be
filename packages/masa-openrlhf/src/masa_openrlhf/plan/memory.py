"""What a GPU holds in each phase of a step.

While vLLM generates, all of the policy but its bfloat16 weights lies in the node's memory; while
the policy trains, vLLM's weights do. Not worked out, and assumed: what CUDA and NCCL keep, an
engine's CUDA graphs, and what the allocator loses to fragmentation. None of it has been seen on a
GPU yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from masa_openrlhf.plan.activations import (
    PassMemory,
    compute_scoring_peak,
    compute_training_peak,
)
from masa_openrlhf.plan.cards import GIB
from masa_openrlhf.plan.setup import Setup
from masa_openrlhf.plan.states import (
    BUCKET,
    count_gathered_bytes,
    count_gradient_bytes,
    count_optimiser_bytes,
    count_weight_bytes,
)

PhaseName = Literal["generate", "score", "train", "digest", "resume"]

POLICY_CONTEXT = 1.9 * GIB
"""Assumed: contexts of CUDA and NCCL of a policy rank, and cuBLAS's workspaces."""

ENGINE_CONTEXT = 1.5 * GIB
"""Assumed: context and CUDA graphs that an engine keeps, also while it sleeps."""

FRAGMENTATION = 0.05
"""Assumed: share of a card that the allocator cannot use when sizes change with every batch."""

PADDED_SCORING = 1.8
"""A scoring batch may be so much longer than ``batch.max_tokens_per_gpu``: OpenRLHF rounds the
number of batches down to the ranks, which tells where few problems are left of a step."""

_SUB_GROUP = 10**9  # DeepSpeed's sub_group_size, elements


@dataclass(frozen=True, slots=True)
class PhaseMemory:
    """A GPU in one phase, bytes.

    Attributes:
        phase: generate; score (log-probabilities of the batch); train; digest (weights go to vLLM
            and are compared there, ``cluster.check_weights``); resume (a checkpoint is loaded).
        parameters: weights, of policy, engine and reference.
        gradients: as they are added up, and on their way between ranks.
        optimiser: weights in float32, and Adam's moments.
        activations: of layers.
        logits: of the last layer.
        cache: keys and values.
        other: contexts, weights gathered from other ranks, an engine's workspace.
    """

    phase: PhaseName
    parameters: float = 0.0
    gradients: float = 0.0
    optimiser: float = 0.0
    activations: float = 0.0
    logits: float = 0.0
    cache: float = 0.0
    other: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        own = self.parameters + self.gradients + self.optimiser + self.activations
        return own + self.logits + self.cache + self.other


@dataclass(frozen=True, slots=True)
class EngineMemory:
    """An engine while it generates.

    Attributes:
        cache_tokens: tokens whose keys and values it holds.
        sequences: sequences of mean length at work at a time, at most ``cluster.engine_sequences``.
    """

    cache_tokens: int
    sequences: int


def estimate_phases(setup: Setup) -> list[PhaseMemory]:
    """Return what a GPU holds in each phase of a step; without sharing, of the GPU that has it."""
    return [
        _estimate_generation(setup),
        _estimate_scoring(setup),
        _estimate_training(setup),
        _estimate_digest(setup),
        _estimate_resume(setup),
    ]


def estimate_engine(setup: Setup) -> EngineMemory:
    """Return how many tokens and sequences an engine holds."""
    cluster, shape = setup.config.cluster, setup.shape
    spans = cluster.tensor_parallel
    # Key heads are divided over the engine's GPUs; where there are fewer, each holds one.
    of_token = shape.cache_bytes * max(1 / spans, 1 / shape.key_heads)
    taken = 2 * shape.parameters / spans + _engine_workspace(setup) + ENGINE_CONTEXT
    room = cluster.gpu_memory * setup.card.memory - taken
    tokens = max(0, int(room / of_token))
    # A sequence at work is half written on the mean.
    mean = setup.lengths.prompt + setup.lengths.solution / 2
    return EngineMemory(tokens, min(cluster.engine_sequences, int(tokens / mean)))


# -- phases ----------------------------------------------------------------------------------------


def _estimate_generation(setup: Setup) -> PhaseMemory:
    shape, cluster = setup.shape, setup.config.cluster
    engine = 2 * shape.parameters / cluster.tensor_parallel
    workspace = _engine_workspace(setup) + ENGINE_CONTEXT
    cache = max(0.0, cluster.gpu_memory * setup.card.memory - engine - workspace)
    here = count_weight_bytes(setup) if cluster.colocate else 0.0
    context = POLICY_CONTEXT if cluster.colocate else 0.0
    return PhaseMemory("generate", parameters=engine + here, cache=cache, other=workspace + context)


def _estimate_scoring(setup: Setup) -> PhaseMemory:
    tokens = int(PADDED_SCORING * setup.longest_batch)
    peak = compute_scoring_peak(setup.shape, tokens)
    return _add_passes("score", setup, peak, optimiser=0.0, gradients=0.0)


def _estimate_training(setup: Setup) -> PhaseMemory:
    shape, cluster = setup.shape, setup.config.cluster
    peak = compute_training_peak(
        shape, setup.longest_batch, checkpointing=cluster.gradient_checkpointing
    )
    gradients = count_gradient_bytes(setup) + 2 * BUCKET
    # Adam's step has the gradients of a group in float32, when the passes are over.
    update = 4 * min(shape.parameters / setup.config.world_size, _SUB_GROUP)
    if not setup.adam_on_host and update > peak.total:
        peak = PassMemory(update, 0.0)
    return _add_passes(
        "train", setup, peak, optimiser=count_optimiser_bytes(setup), gradients=gradients
    )


def _estimate_digest(setup: Setup) -> PhaseMemory:
    """Weights go parameter by parameter: the largest is gathered, and copied for the engine.

    The digest adds up pieces of some megabytes, and is not counted.
    """
    shape, cluster = setup.shape, setup.config.cluster
    largest = 2 * shape.hidden * max(shape.vocabulary, shape.intermediate)
    awake = 2 * shape.parameters / cluster.tensor_parallel if cluster.colocate else 0.0
    context = POLICY_CONTEXT + (ENGINE_CONTEXT if cluster.colocate else 0.0)
    return PhaseMemory(
        "digest", parameters=count_weight_bytes(setup) + awake, other=2 * largest + context
    )


def _estimate_resume(setup: Setup) -> PhaseMemory:
    """Loading a checkpoint: its moments take the place of those that DeepSpeed began with.

    What ``masa_openrlhf.stack.offload_buffers`` sees to; as DeepSpeed has it they are there twice.
    """
    context = POLICY_CONTEXT + (ENGINE_CONTEXT if setup.config.cluster.colocate else 0.0)
    return PhaseMemory(
        "resume",
        parameters=count_weight_bytes(setup),
        optimiser=count_optimiser_bytes(setup),
        other=context,
    )


def _add_passes(
    phase: PhaseName, setup: Setup, peak: PassMemory, *, optimiser: float, gradients: float
) -> PhaseMemory:
    context = POLICY_CONTEXT + (ENGINE_CONTEXT if setup.config.cluster.colocate else 0.0)
    return PhaseMemory(
        phase,
        parameters=count_weight_bytes(setup),
        gradients=gradients,
        optimiser=optimiser,
        activations=peak.activations,
        logits=peak.logits,
        other=context + count_gathered_bytes(setup),
    )


def _engine_workspace(setup: Setup) -> float:
    """What an engine needs for a pass: activations of its tokens, and logits of its sequences.

    Six tensors of the MLP and eight of the residual stream (bfloat16), divided over its GPUs where
    vLLM divides them; logits in float32, sorted and as probabilities.
    """
    cluster, shape = setup.config.cluster, setup.shape
    passed = cluster.engine_tokens * (
        6 * shape.intermediate / cluster.tensor_parallel + 8 * shape.hidden
    )
    return passed + 3 * 4 * cluster.engine_sequences * shape.vocabulary
