"""Does a run fit its cards? What does not, in sentences that name the setting to change."""

from __future__ import annotations

from dataclasses import dataclass

from masa_openrlhf.plan.cards import GIB
from masa_openrlhf.plan.memory import (
    FRAGMENTATION,
    EngineMemory,
    PhaseMemory,
    estimate_engine,
    estimate_phases,
)
from masa_openrlhf.plan.node import NodeMemory, estimate_node
from masa_openrlhf.plan.setup import Setup
from masa_openrlhf.plan.speed import StepTime, estimate_step

_REMEDIES = {
    "generate": "lower cluster.gpu_memory",
    "score": "lower batch.max_tokens_per_gpu",
    "train": "lower batch.max_tokens_per_gpu, or use more GPUs",
    "digest": "use more GPUs, or a larger cluster.tensor_parallel",
    "resume": "use more GPUs",
}


class DoesNotFitError(ValueError):
    """The run cannot fit its cards; the message says what does not, and what to change."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """All that is worked out for a run.

    Attributes:
        setup: what was planned.
        phases: a GPU's memory, phase by phase.
        engine: tokens and sequences that an engine holds.
        node: a node's memory and the disk.
        time: a modelled step.
        faults: a sentence for each thing that does not fit; none: it fits.
    """

    setup: Setup
    phases: tuple[PhaseMemory, ...]
    engine: EngineMemory
    node: NodeMemory
    time: StepTime
    faults: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.faults


def make_plan(setup: Setup) -> RunPlan:
    """Work out what a run needs, and whether it fits."""
    phases, engine = tuple(estimate_phases(setup)), estimate_engine(setup)
    faults = [
        *_check_model(setup),
        *(fault for phase in phases for fault in _check_phase(setup, phase)),
        *_check_cache(setup, engine),
    ]
    node, time = estimate_node(setup), estimate_step(setup)
    return RunPlan(setup, phases, engine, node, time, tuple(faults))


def measure_room(setup: Setup, phase: PhaseMemory) -> float:
    """Return the bytes of a card that a phase leaves; below 0 it does not fit.

    vLLM reserves its memory at once. In the other phases the sizes of tensors change with every
    micro-batch, and the allocator loses some (``FRAGMENTATION``).
    """
    lost = 0.0 if phase.phase == "generate" else FRAGMENTATION * setup.card.memory
    return setup.card.memory - lost - phase.total


def _check_phase(setup: Setup, phase: PhaseMemory) -> list[str]:
    room = measure_room(setup, phase)
    if room >= 0:
        return []
    lost = "" if phase.phase == "generate" else f" and the {FRAGMENTATION:.0%} lost to fragments"
    return [
        f"{phase.phase}: {phase.total / GIB:.1f} GiB a GPU{lost} are more than the "
        f"{setup.card.memory / GIB:.1f} GiB of {setup.card.name}, by {-room / GIB:.1f} GiB: "
        f"{_REMEDIES[phase.phase]}"
    ]


def _check_cache(setup: Setup, engine: EngineMemory) -> list[str]:
    longest = setup.config.context_tokens
    if engine.cache_tokens >= longest:
        return []
    return [
        f"generate: an engine's cache holds {engine.cache_tokens:,} tokens, and one sequence may "
        f"have {longest:,} (data.prompt_max_tokens + solution.max_tokens), so that vLLM would not "
        "start: raise cluster.gpu_memory or cluster.tensor_parallel, or lower solution.max_tokens"
    ]


def _check_model(setup: Setup) -> list[str]:
    config, shape, found = setup.config, setup.shape, []
    spans = config.cluster.tensor_parallel
    if shape.heads % spans:
        found.append(
            f"the model's {shape.heads} attention heads do not divide between "
            f"cluster.tensor_parallel = {spans} GPUs: use a divisor of {shape.heads}"
        )
    if shape.positions is not None and config.context_tokens > shape.positions:
        found.append(
            f"a sequence may have {config.context_tokens:,} tokens (data.prompt_max_tokens + "
            f"solution.max_tokens), and the model was made for {shape.positions:,} "
            "(max_position_embeddings): lower solution.max_tokens"
        )
    return found
