"""How long the tokens of a step take to make on 8 H100s, at the very least.

Decoding reads, for each token, the keys and values of all tokens before it, and at each pass the
weights, once for all sequences that fit into memory beside them. With bf16 throughout, a mean
context of half a response (prompts left out), every byte of the memory for weights and cache, every
sequence always there to fill it, and the memory's whole bandwidth, always:

    seconds = tokens * context * bytes a token of cache * M / (M - W) / (bandwidth * GPUs)

with M the memory of a GPU and W the weights. No engine that makes one token a pass reaches this, so
that a share of it is overstated. Figures: NVIDIA's data sheet of the H100 SXM (80 GB, 3.35 TB/s),
and the configurations of Qwen3-8B and 14B on their hub (36 and 40 layers, 8 key-value heads of
128).

Beside it, as published: GPUStack's Performance Lab has 6,596 tokens a second, prompts counted in,
for Qwen3-14B in vLLM on one H100 with ShareGPT's short conversations, and 10,426 tuned and in FP8
(docs.gpustack.ai/latest/performance-lab/qwen3-14b/h100).
"""

from __future__ import annotations

from typing import NamedTuple

from masa_benchmarks.overhead.text import StepSize

MEMORY = 80e9
BANDWIDTH = 3.35e12
GPUS = 8


class DecodingModel(NamedTuple):
    """What decoding has to read, bytes.

    Attributes:
        weights: of all parameters.
        cache: keys and values of one token.
    """

    weights: float
    cache: float


MODELS = {
    "Qwen3-8B": DecodingModel(2 * 8.19e9, 2 * 2 * 36 * 8 * 128),
    "Qwen3-14B": DecodingModel(2 * 14.77e9, 2 * 2 * 40 * 8 * 128),
}


def tokens_per_second(model: DecodingModel, length: float, gpus: int = GPUS) -> float:
    """Return the ceiling for responses of ``length`` tokens, on all GPUs together."""
    read = length / 2 * model.cache * MEMORY / (MEMORY - model.weights)
    return gpus * BANDWIDTH / read


def generation_seconds(model: DecodingModel, size: StepSize) -> float:
    """Return the least time in which the tokens of a step can be made."""
    kinds = (
        (size.solutions, size.solution_tokens),
        (size.predictions, size.prediction_tokens),
    )
    return sum(
        size.problems * rollouts * length / tokens_per_second(model, length)
        for rollouts, length in kinds
    )
