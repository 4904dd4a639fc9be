"""The nearest sequence that does not fall."""

from __future__ import annotations

from collections.abc import Sequence


def fit_isotonic(values: Sequence[float]) -> tuple[float, ...]:
    """Return the nearest sequence by least squares that never falls.

    By pooling adjacent violators (Ayer et al. 1955; Barlow et al. 1972): a value below the mean of
    the block before it is merged into that block, until no block lies below one before it.

    >>> fit_isotonic((0.25, 0.75, 0.25, 0.75))
    (0.25, 0.5, 0.5, 0.75)

    Args:
        values: Finite numbers in their order, each of the same weight.

    Returns:
        As many values, none below one before it, with the same sum. What does not fall comes back
        as it is; of nothing comes nothing.
    """
    blocks: list[tuple[float, int]] = []  # mean, size
    for value in values:
        mean, size = float(value), 1
        while blocks and blocks[-1][0] > mean:
            before, count = blocks.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        blocks.append((mean, size))
    return tuple(mean for mean, size in blocks for _ in range(size))
