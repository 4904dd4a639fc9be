"""Predicted against true, one point a problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from masa_rewards.statistics import mean_known

from masa_control.episode.types import Episode

Pair = tuple[float, float]
"""Predicted (the mean of a problem's readable predictions), true."""


class CalibrationPoints(NamedTuple):
    """Predictions of several problems beside what came of them.

    Attributes:
        pass_rate: in [0, 1], of the problems with a judged solution.
        length: tokens; true is the mean of the correct solutions, so of the problems with one.
    """

    pass_rate: list[Pair]
    length: list[Pair]


def calibration_points(episodes: Sequence[Episode]) -> CalibrationPoints:
    """Return the pairs of the episodes, in their order.

    Args:
        episodes: of a step, or of an evaluation. Those without a readable prediction of a kind, or
            without a truth to it (skipped, none judged, none correct), give no pair of that kind.
    """
    return CalibrationPoints(
        pass_rate=[
            (predicted, e.pass_rate)
            for e in episodes
            if e.pass_rate is not None
            and (predicted := mean_known(m.prediction.pass_rate for m in e.meta)) is not None
        ],
        length=[
            (predicted, true)
            for e in episodes
            if (predicted := mean_known(m.prediction.length for m in e.meta)) is not None
            and (true := mean_known(e.correct_lengths)) is not None
        ],
    )
