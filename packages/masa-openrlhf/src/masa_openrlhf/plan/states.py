"""Weights, optimiser and gradients on a rank, as DeepSpeed's ZeRO divides them: bytes.

Weights are bfloat16 (2 bytes a parameter); the optimiser keeps them in float32 (4) with Adam's two
moments (8); gradients are added up in float32 (4). Over R ranks stage 3 divides all of it, stage 2
gradients and optimiser, stage 1 the optimiser.
"""

from __future__ import annotations

from masa_openrlhf.arguments.build import has_reference
from masa_openrlhf.plan.setup import Setup

BUCKET = 5 * 10**8
"""DeepSpeed's reduce_bucket_size, elements."""

_LIVE_PARAMETERS = 10**9  # DeepSpeed's stage3_max_live_parameters


def count_weight_bytes(setup: Setup) -> float:
    """Return the bfloat16 weights of the policy on a rank, and of a reference model on the GPU."""
    config = setup.config
    share = config.world_size if config.cluster.zero_stage == 3 else 1
    here = has_reference(config) and not config.openrlhf.get("ref.offload")
    return (2 if here else 1) * 2 * setup.shape.parameters / share


def count_optimiser_bytes(setup: Setup) -> float:
    """Return weights in float32, and Adam's moments, on a rank's GPU."""
    return 0.0 if setup.adam_on_host else count_whole_optimiser_bytes(setup)


def count_whole_optimiser_bytes(setup: Setup) -> float:
    """Return the same, wherever it lies."""
    return 12 * setup.shape.parameters / setup.config.world_size


def count_gradient_bytes(setup: Setup) -> float:
    """Return the gradients on a rank: float32, unless ``ds.grad_accum_dtype`` says otherwise.

    With Adam on the host they are added up there. Stage 3 adds up its own share. Stages 1 and 2
    make their share once more when a micro-batch is added, and stage 1 keeps whole gradients until
    the step ends.
    """
    config = setup.config
    if setup.adam_on_host:
        return 0.0
    whole = setup.gradient_width * setup.shape.parameters
    own = whole / config.world_size
    return {3: own, 2: 2 * own, 1: whole + 2 * own}[config.cluster.zero_stage]


def count_gathered_bytes(setup: Setup) -> float:
    """Return weights of other ranks for the layers at work; a single rank has them all."""
    if setup.config.cluster.zero_stage < 3 or setup.config.world_size == 1:
        return 0.0
    shape = setup.shape
    largest = max(BUCKET, shape.hidden * shape.vocabulary)
    return 2 * (min(shape.parameters, _LIVE_PARAMETERS) + largest)
