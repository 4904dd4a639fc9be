"""Hidden states of prompts: batches of like length for every rank, pooled to a row of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

MAX_TOKENS = 4096
"""Tokens of a batch, padding included. The hidden states of all layers are there at a time: at 8B,
37 of 4,096 units in 16 bits, 1.2 GB."""


def batch_prompts(lengths: Sequence[int], limit: int, ranks: int) -> list[list[int]]:
    """Put prompts of like length together, as many batches for every rank.

    Args:
        lengths: of the prompts, tokens.
        limit: tokens of a batch with its padding; a longer prompt goes alone.
        ranks: the number of batches is a multiple of it, since ranks wait for each other; some come
            twice then.

    Returns:
        Batches of positions; the batches of rank r are those at r, r + ranks, ...
    """
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        last = batches[-1] if batches else None
        # The longest comes last, so the batch is as wide as it.
        if last is None or (len(last) + 1) * lengths[position] > limit:
            batches.append([position])
        else:
            last.append(position)
    missing = -len(batches) % ranks
    return batches + [batches[-1]] * missing if batches else []


def pool_hidden_states(
    states: Sequence[Any], attention_mask_N_T: Any, depths: Sequence[float]
) -> NDArray[np.float32]:
    """Return the features of N prompts: of some layers the last token, and the mean over tokens.

    Args:
        states: of the embedding and of each layer, shape (N, T, units).
        attention_mask_N_T: 1 where a token is; padding is on the right.
        depths: which layers, as shares of their number, in (0, 1].

    Returns:
        Shape (N, 2 * depths * units), 32 bit.
    """
    mask = attention_mask_N_T.to(torch.float32)[..., None]
    lengths = mask.sum(dim=1)
    last = attention_mask_N_T.sum(dim=1) - 1
    rows = torch.arange(len(last), device=last.device)
    parts = []
    for depth in depths:
        layer = states[max(1, round(depth * (len(states) - 1)))].to(torch.float32)
        parts += [layer[rows, last], (layer * mask).sum(dim=1) / lengths]
    return np.asarray(torch.cat(parts, dim=1).cpu().numpy(), dtype=np.float32)


def pad_prompts(prompts: Sequence[Sequence[int]], pad: int) -> tuple[Any, Any]:
    """Return prompts as one batch, padded on the right, and where their tokens are."""
    width = max(map(len, prompts))
    tokens = torch.full((len(prompts), width), pad, dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for row, prompt in enumerate(prompts):
        tokens[row, : len(prompt)] = torch.tensor(prompt, dtype=torch.long)
        mask[row, : len(prompt)] = 1
    return tokens, mask
