"""The paper's gate, as a rule on predicted pass rates: which group would have no variance?

A group whose rollouts are all right, or all wrong, has no variance: GRPO learns nothing from it.
The M predictions of a problem foresee it when they agree, and agree on one end.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Literal

GroupEnd = Literal["all_right", "all_wrong"]
"""The two kinds of groups without variance."""

PAPER_MAX_STD = 0.1
"""Predictions with this standard deviation or more do not agree (paper: 0.1)."""

PAPER_TOLERANCE = 0.0
"""Largest distance of their mean from 0 or 1 (paper: 0)."""

MIN_READABLE = 0.5
"""Smallest share of predictions that must be readable; with a smaller one nothing is foreseen."""


def foresee_group_end(
    pass_rates: Sequence[float | None],
    *,
    max_std: float = PAPER_MAX_STD,
    tolerance: float = PAPER_TOLERANCE,
    min_readable: float = MIN_READABLE,
) -> GroupEnd | None:
    """Say which end a gate would skip the problem for, if any.

        skip  <=>  std(p̂) < max_std  and  (mean(p̂) <= tolerance or mean(p̂) >= 1 - tolerance)

    with the population's standard deviation, over the predictions that could be read.

    Examples:
        >>> foresee_group_end([1.0, 1.0, 1.0]), foresee_group_end([0.0, 0.0])
        ('all_right', 'all_wrong')
        >>> foresee_group_end([1.0, 1.0, 0.875]), foresee_group_end([None, None, 1.0])
        (None, None)
        >>> foresee_group_end([1.0, 1.0, 0.875], tolerance=0.05)
        'all_right'

    Args:
        pass_rates: The M >= 0 predicted pass rates in [0, 1], in any order; None for one that could
            not be read.
        max_std: The standard deviation from which on they do not agree, > 0.
        tolerance: Largest distance of their mean from an end, in [0, 0.5).
        min_readable: Smallest share that must be readable, in (0, 1].

    Returns:
        The end; None where the problem would be rolled out, and where nothing could be read.

    Raises:
        ValueError: A pass rate outside [0, 1].
    """
    known = [rate for rate in pass_rates if rate is not None]
    for rate in known:
        if not 0 <= rate <= 1:
            raise ValueError(f"a predicted pass rate must lie in [0, 1], got {rate!r}")
    if not known or len(known) < min_readable * len(pass_rates):
        return None
    mean = statistics.fmean(known)
    end = 1.0 if mean > 0.5 else 0.0
    if abs(mean - end) > tolerance or statistics.pstdev(known) >= max_std:
        return None
    return "all_right" if end else "all_wrong"
