"""Isotonic regression: the closest sequence that never decreases."""

from __future__ import annotations

from collections.abc import Sequence


def fit_isotonic(values: Sequence[float]) -> tuple[float, ...]:
    """Return the closest sequence, by least squares, that never decreases.

    By pooling adjacent violators (Ayer et al. 1955; Barlow et al. 1972): a value below the mean of
    the block before it is merged into that block, until the block means never decrease. It removes
    noise from a curve that rises in expectation, without a smoothing width to choose.

    Examples:
        >>> fit_isotonic((0.25, 0.75, 0.25, 0.75))
        (0.25, 0.5, 0.5, 0.75)

    Args:
        values: Finite numbers in their order, each of the same weight.

    Returns:
        As many values, none below one before it, with the same sum. A sequence that never decreases
        is returned as it is; an empty one is empty.
    """
    blocks: list[tuple[float, int]] = []  # mean, size; the means never decrease
    for value in values:
        mean, size = float(value), 1
        # Merging may push the new mean below the block before, so merge backwards. Each value is
        # merged at most once: linear time in all.
        while blocks and blocks[-1][0] > mean:
            before, count = blocks.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        blocks.append((mean, size))
    return tuple(mean for mean, size in blocks for _ in range(size))
