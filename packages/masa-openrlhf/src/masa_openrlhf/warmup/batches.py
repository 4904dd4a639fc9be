"""Batches of demonstrations of similar length, by their number of tokens."""

from __future__ import annotations

import random
from collections.abc import Sequence

_CHUNK = 64
"""Demonstrations that are sorted by length together."""


def make_batches(
    lengths: Sequence[int], budget: int, epochs: int, rng: random.Random
) -> list[list[int]]:
    """Return the batches of all epochs, as indices; in an epoch each index is in one batch.

    A batch is padded to its longest: longest x count <= budget, or it holds one alone. Batches are
    packed anew in each epoch, of demonstrations of similar length, and come in random order.

    Args:
        lengths: of the demonstrations, tokens; at least one.
        budget: tokens of a batch, padding counted.
        epochs: passes over all of them.
        rng: shuffles.
    """
    return [batch for _ in range(epochs) for batch in _pack_epoch(lengths, budget, rng)]


def _pack_epoch(lengths: Sequence[int], budget: int, rng: random.Random) -> list[list[int]]:
    order = rng.sample(range(len(lengths)), len(lengths))
    batches: list[list[int]] = []
    for start in range(0, len(order), _CHUNK):
        chunk = sorted(order[start : start + _CHUNK], key=lambda i: lengths[i])
        batch: list[int] = []
        for index in chunk:  # ascending: the one that comes is the longest
            if batch and lengths[index] * (len(batch) + 1) > budget:
                batches.append(batch)
                batch = []
            batch.append(index)
        batches.append(batch)
    rng.shuffle(batches)
    return batches
