"""How long a step takes, modelled: no figure here has been measured on a GPU.

    generate   the longer of: all tokens at the engine's pace, and the longest response alone
    pace       a pass reads the weights and the cache of all sequences at work, or multiplies
    score      2P operations a token
    train      6P operations a token, 8P with checkpointing, and attention's
    move       weights to vLLM, states to the node's memory and back

P is the number of parameters. Efficiencies are assumptions, printed with the result.
"""

from __future__ import annotations

from dataclasses import dataclass

from masa_openrlhf.plan.memory import estimate_engine
from masa_openrlhf.plan.setup import Setup

BANDWIDTH_SHARE = 0.7
"""Assumed: share of a card's bandwidth that decoding reaches."""

DECODE_FLOPS_SHARE = 0.4
"""Assumed: share of a card's arithmetic that decoding and prefill reach."""

TRAIN_FLOPS_SHARE = 0.4
"""Assumed: share of a card's arithmetic that training and scoring reach, packed."""

FULL_BATCH = 1024
"""Assumed: a micro-batch of T tokens reaches T / (T + this) of that share."""

HOST_BANDWIDTH = 20e9
"""Assumed: bytes a second between a GPU and the node's memory, pinned, all GPUs at work."""

LINK_SECONDS = 20e-6
"""Assumed: an all-reduce between the GPUs of an engine, before the first byte; two a layer."""

SEND_SECONDS = 0.02
"""Assumed: a parameter on its way to vLLM, calls and copies included."""


@dataclass(frozen=True, slots=True)
class StepTime:
    """A modelled step, seconds.

    Attributes:
        generate: rollouts and predictions.
        score: log-probabilities of what was generated.
        train: forward and backward passes.
        move: weights sent, states put away and fetched.
    """

    generate: float
    score: float
    train: float
    move: float

    @property
    def total(self) -> float:
        """Of the whole step, one phase after the other."""
        return self.generate + self.score + self.train + self.move


def estimate_step(setup: Setup) -> StepTime:
    """Return a modelled step in which every problem is rolled out; inf where nothing fits."""
    return StepTime(
        _estimate_generation(setup),
        _estimate_passes(setup, forward_only=True),
        _estimate_passes(setup, forward_only=False),
        _estimate_moves(setup),
    )


def _estimate_generation(setup: Setup) -> float:
    config, lengths = setup.config, setup.lengths
    solutions = config.batch.problems * config.solution.rollouts
    predictions = config.batch.problems * config.meta_rollouts
    tokens = solutions * lengths.solution + predictions * lengths.prediction
    sequences = min(estimate_engine(setup).sequences, (solutions + predictions) / config.engines)
    if sequences < 1:
        return float("inf")
    passes = tokens / config.engines / sequences
    work = passes * _decode_seconds(setup, sequences)
    # At the end the longest responses are alone: a pass for each of their tokens.
    tail = config.solution.max_tokens * _decode_seconds(setup, 1)
    prompts = lengths.prompt * config.batch.problems * (2 if predictions else 1)
    operations = 2 * setup.shape.parameters * prompts / config.engines
    return max(work, tail) + operations / _engine_flops(setup)


def _decode_seconds(setup: Setup, sequences: float) -> float:
    """A pass that makes one token of each sequence: bytes to read, or products, what is longer."""
    shape, spans = setup.shape, setup.config.cluster.tensor_parallel
    context = setup.lengths.prompt + setup.lengths.solution / 2
    read = 2 * shape.parameters + sequences * context * shape.cache_bytes
    reading = read / (spans * setup.card.bandwidth * BANDWIDTH_SHARE)
    pace = max(reading, 2 * shape.parameters * sequences / _engine_flops(setup))
    if spans == 1:
        return pace
    reduced = 2 * 2 * sequences * shape.hidden * (spans - 1) / spans  # in and out, bfloat16
    return pace + 2 * shape.layers * (LINK_SECONDS + reduced / setup.card.link)


def _engine_flops(setup: Setup) -> float:
    return setup.config.cluster.tensor_parallel * setup.card.flops * DECODE_FLOPS_SHARE


def _estimate_passes(setup: Setup, *, forward_only: bool) -> float:
    """Products with the weights, and attention's: 4 L Q S / 2 a token forward, S its context."""
    shape = setup.shape
    factor = 1 if forward_only else (4 if setup.config.cluster.gradient_checkpointing else 3)
    context = setup.lengths.prompt + setup.lengths.solution
    forward = 2 * shape.parameters + 2 * shape.layers * shape.queries * context
    batch = setup.longest_batch
    pace = setup.config.world_size * setup.card.flops * TRAIN_FLOPS_SHARE
    pace *= batch / (batch + FULL_BATCH)
    return setup.step_tokens * factor * forward / pace


def _estimate_moves(setup: Setup) -> float:
    shape, config = setup.shape, setup.config
    parameters = shape.layers * (11 if shape.qk_norm else 9) + 3
    sent = parameters * SEND_SECONDS
    if not config.cluster.colocate:
        return sent
    states = 16 * shape.parameters / config.world_size
    engine = 2 * shape.parameters / config.cluster.tensor_parallel
    # States go and come once for training; the engine's weights come once (level 1 sleep).
    return sent + (2 * states + engine) / HOST_BANDWIDTH
