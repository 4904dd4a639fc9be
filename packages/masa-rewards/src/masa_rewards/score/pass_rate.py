"""Calibration of the pass rate: of predictions of 5 of 8, what is the true rate?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from masa_rewards.score.calibration import PassRateError, PassRateReport, ReliabilityRow
from masa_rewards.score.scored_line import ScoredLine
from masa_rewards.score.settings import ScoreSettings
from masa_rewards.statistics import StreamedCorrelation


@dataclass
class _ReliabilitySums:
    predicted: float = 0.0
    true: float = 0.0
    predictions: int = 0

    def add(self, predicted: float, true: float) -> None:
        self.predicted += predicted
        self.true += true
        self.predictions += 1


@dataclass
class _ErrorSums:
    """Sums of errors; `count` of them."""

    count: int = 0
    absolute: float = 0.0
    brier: float = 0.0
    difficulty: float = 0.0

    def add(self, predicted: float, true: float, base: float, times: int = 1) -> None:
        off = abs(predicted - true)
        self.count += times
        self.absolute += times * off
        # The mean of (predicted - y)^2 over rollouts of which `true` have y = 1.
        self.brier += times * (off * off + true * (1.0 - true))
        self.difficulty += times * base**off

    def mean(self) -> PassRateError:
        if not self.count:
            return PassRateError(absolute=None, brier=None, difficulty=None)
        return PassRateError(
            absolute=self.absolute / self.count,
            brier=self.brier / self.count,
            difficulty=self.difficulty / self.count,
        )


class PassRateTally:
    """Sums what the calibration of the pass rate needs."""

    def __init__(self, settings: ScoreSettings) -> None:
        self._scale = settings.prompt.scale
        self._base = settings.base
        self._error = _ErrorSums()
        self._pairs = StreamedCorrelation()
        self._rows: dict[int, _ReliabilitySums] = {}
        # The true rates, for the baseline, which is known at the end only: few are different.
        self._true: Counter[float] = Counter()

    def add(self, judged: ScoredLine) -> None:
        """Add the predictions of one problem."""
        if not judged.group.rollouts:
            return
        true = judged.group.pass_rate
        for predicted in [each.pass_rate for each in judged.predictions]:
            if predicted is None:
                continue
            self._error.add(predicted, true, self._base)
            self._pairs.add(predicted, true)
            self._rows.setdefault(round(predicted * self._scale), _ReliabilitySums()).add(
                predicted, true
            )
            self._true[true] += 1

    def report(self) -> PassRateReport:
        """What it comes to."""
        count = self._pairs.count
        rows = [self._rows[step] for step in sorted(self._rows)]
        off = sum(abs(row.true - row.predicted) for row in rows)
        return PassRateReport(
            predictions=count,
            predicted=self._pairs.mean_x if count else None,
            true=self._pairs.mean_y if count else None,
            error=self._error.mean(),
            baseline=self._baseline().mean(),
            correlation=self._pairs.value,
            calibration_error=off / count if count else None,
            table=tuple(
                ReliabilityRow(
                    predicted=row.predicted / row.predictions,
                    true=row.true / row.predictions,
                    predictions=row.predictions,
                )
                for row in rows
            ),
        )

    def _baseline(self) -> _ErrorSums:
        baseline = _ErrorSums()
        for true, times in self._true.items():
            baseline.add(self._pairs.mean_y, true, self._base, times)
        return baseline
