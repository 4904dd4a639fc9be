"""The gate that a set of predictions would make: skip what is always or never solved.

masa_control will have it as ``PredictiveGate``; until then it stands here, as one pure function.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Literal, NamedTuple


class GateDecision(NamedTuple):
    """What the gate says of one question.

    Attributes:
        skip: whether it would be skipped before any solution is made.
        reason: "trivial" where always solved is predicted, "unsolvable" where never.
        mean: of the predicted pass rates; None where none could be read.
        std: their standard deviation, divided by their number.
    """

    skip: bool
    reason: Literal["trivial", "unsolvable"] | None
    mean: float | None
    std: float | None


def decide(predicted_M: Sequence[float], *, max_std: float = 0.1) -> GateDecision:
    """Decide by the predicted pass rates of one question (the paper's predictive gating).

    It is skipped where they agree, std < ``max_std``, and their mean is exactly 0 or 1 (v2 of the
    paper; v1 says "trivial or unsolvable"). With a mean at the edge all of them are there, so the
    first condition then holds of itself.

    Args:
        predicted_M: the predictions that could be read, each in [0, 1].
        max_std: above 0.

    Returns:
        The decision. Without a prediction nothing is skipped.
    """
    if not predicted_M:
        return GateDecision(False, None, None, None)
    mean = math.fsum(predicted_M) / len(predicted_M)
    std = statistics.pstdev(predicted_M)
    if std < max_std and mean in (0.0, 1.0):
        return GateDecision(True, "trivial" if mean == 1.0 else "unsolvable", mean, std)
    return GateDecision(False, None, mean, std)
