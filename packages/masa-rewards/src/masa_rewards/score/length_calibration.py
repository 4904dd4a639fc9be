"""Calibration of the length: among those of the correct rollouts, or by how far not?"""

from __future__ import annotations

from array import array
from statistics import median, quantiles

from masa_rewards.score.calibration import LengthReport
from masa_rewards.score.scored_line import ScoredLine
from masa_rewards.statistics import StreamedCorrelation


class LengthTally:
    """Sums what the calibration of the length needs; of a ratio it keeps eight bytes."""

    def __init__(self) -> None:
        self._within = self._below = self._above = self._no_correct = 0
        self._ratios = array("d")
        self._pairs = StreamedCorrelation()

    def add(self, judged: ScoredLine) -> None:
        """Add the predictions of one problem."""
        predicted = [each.length for each in judged.predictions if each.length is not None]
        if judged.amount.tokens is None:
            return
        lengths = judged.group.correct_lengths
        if not lengths:
            self._no_correct += len(predicted)
            return
        low, middle, high = min(lengths), median(lengths), max(lengths)
        for length in predicted:
            self._below += length < low
            self._above += length > high
            self._within += low <= length <= high
            self._pairs.add(length, middle)
            if middle:
                self._ratios.append(length / middle)

    def report(self) -> LengthReport:
        """What it comes to."""
        return LengthReport(
            predictions=self._pairs.count,
            within=self._within,
            below=self._below,
            above=self._above,
            ratio_quartiles=self._quartiles(),
            correlation=self._pairs.value,
            no_correct=self._no_correct,
        )

    def _quartiles(self) -> tuple[float, float, float] | None:
        if not self._ratios:
            return None
        if len(self._ratios) == 1:
            return (self._ratios[0],) * 3
        first, middle, third = quantiles(self._ratios, n=4, method="inclusive")
        return first, middle, third
