"""Draws vLLM's next tokens on a CPU with one random number a sequence.

vLLM draws an exponential variate for every token of the vocabulary, and with seeds twice: on a CPU,
with 49,152 tokens and 200 sequences, more than the model itself takes. The inverse of the
distribution function needs one uniform variate a sequence, and gives the same distribution.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

LARGE = 4096
"""Vocabulary from which on it is done so; below, vLLM's own costs next to nothing."""


def draw_tokens(
    logits_N_V: torch.Tensor, generators: Mapping[int, torch.Generator]
) -> torch.Tensor:
    """Draw a token for each sequence from the softmax of its logits.

        token = the first i with cdf_i > u * cdf_V, u uniform in [0, 1)

    The distribution function is added up in float64: in float32 the rounding of 49,152 additions is
    as large as the probability of a rare token. A token of probability 0 is never drawn.

    Args:
        logits_N_V: of N sequences over V tokens; -inf for what must not be drawn.
        generators: row -> its own generator; any other row takes torch's.

    Returns:
        Token ids, int64 of shape [N].
    """
    import torch

    return _invert_distribution(logits_N_V.softmax(dim=-1, dtype=torch.float32), generators)


def _invert_distribution(
    probabilities_N_V: torch.Tensor, generators: Mapping[int, torch.Generator]
) -> torch.Tensor:
    import torch

    cdf_N_V = probabilities_N_V.cumsum(dim=-1, dtype=torch.float64)
    u_N_1 = torch.rand(len(cdf_N_V), 1, dtype=torch.float64)
    for row, generator in generators.items():
        u_N_1[row] = torch.rand(1, dtype=torch.float64, generator=generator)
    found = torch.searchsorted(cdf_N_V, u_N_1 * cdf_N_V[:, -1:], right=True)
    return found.view(-1).clamp_(max=cdf_N_V.shape[-1] - 1)


def install_sampler() -> None:
    """Have vLLM draw so in this process, for large vocabularies; a second call does nothing."""
    from vllm.v1.sample.ops import topk_topp_sampler as ops

    original = ops.TopKTopPSampler.forward_cpu
    if hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    def forward_cpu(self: Any, logits: Any, generators: Any, k: Any, p: Any) -> Any:
        mode = self.logprobs_mode
        if logits.shape[-1] < LARGE or mode == "processed_logits":
            return original(self, logits, generators, k, p)
        logits = ops.apply_top_k_top_p(logits, k, p)
        if mode != "processed_logprobs":
            return draw_tokens(logits, generators), None
        log_probs = logits.log_softmax(dim=-1, dtype=logits.dtype)
        return _invert_distribution(log_probs.exp(), generators), log_probs

    ops.TopKTopPSampler.forward_cpu = forward_cpu
