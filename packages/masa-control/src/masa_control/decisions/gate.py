"""Predictive gating: a problem that is not worth rolling out is skipped (MASA-efficient).

A problem that the policy always solves, or never does, gives a group without variance: nothing to
learn from. The M predicted pass rates say so beforehand, and at the price of M predictions.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from masa_control.episode.plan import GateDecision, GateReason


class Gate(Protocol):
    """Decides from the predicted pass rates alone; a value, not a state."""

    def decide(self, pass_rates: Sequence[float | None]) -> GateDecision:
        """Return the decision; None stands for a prediction that could not be read."""
        ...


@dataclass(frozen=True, slots=True)
class _Reading:
    """What M predicted pass rates come to."""

    mean: float
    std: float
    read: int

    @property
    def end(self) -> float:
        return 1.0 if self.mean > 0.5 else 0.0

    @property
    def distance(self) -> float:
        return math.hypot(self.std, self.mean - self.end)


def _read(pass_rates: Sequence[float | None], min_readable: float) -> _Reading | None:
    known = [p for p in pass_rates if p is not None]
    for p in known:
        if not 0 <= p <= 1:
            raise ValueError(f"a predicted pass rate must lie in [0, 1], got {p!r}")
    if not known or len(known) < min_readable * len(pass_rates):
        return None
    return _Reading(statistics.fmean(known), statistics.pstdev(known), len(known))


def _decision(reading: _Reading, *, skip: bool, limit: float | None) -> GateDecision:
    reason: GateReason = "trivial" if reading.end else "unsolvable"
    return GateDecision(
        skip=skip,
        reason=reason if skip else None,
        mean=reading.mean,
        std=reading.std,
        distance=reading.distance,
        limit=limit,
        read=reading.read,
    )


@dataclass(frozen=True, slots=True)
class PredictiveGate:
    """The paper's rule: skip when the predictions agree, and agree on 0 or on 1.

        skip  <=>  std(p̂) < max_std  and  (mean(p̂) <= tolerance or mean(p̂) >= 1 - tolerance)

    >>> gate = PredictiveGate()
    >>> gate.decide([1.0, 1.0, 1.0]).reason
    'trivial'
    >>> gate.decide([1.0, 1.0, 0.875]).skip
    False
    >>> gate.decide([None, None, 1.0]).skip
    False

    Attributes:
        max_std: predictions with this standard deviation or more do not agree (paper: 0.1).
        tolerance: how far from 0 or 1 the mean may lie, in [0, 0.5). The paper's second version
            has 0: exactly 0 or 1.
        min_readable: with a smaller share of readable predictions nothing is skipped, in (0, 1].
    """

    max_std: float = 0.1
    tolerance: float = 0.0
    min_readable: float = 0.5

    def __post_init__(self) -> None:
        _check(max_std=self.max_std, min_readable=self.min_readable)
        if not 0 <= self.tolerance < 0.5:
            raise ValueError(f"tolerance must lie in [0, 0.5), got {self.tolerance!r}")

    def decide(self, pass_rates: Sequence[float | None]) -> GateDecision:
        """Decide from the M predicted pass rates, in any order.

        Args:
            pass_rates: in [0, 1]; None for a prediction that could not be read.

        Raises:
            ValueError: a pass rate outside [0, 1].
        """
        reading = _read(pass_rates, self.min_readable)
        if reading is None:
            return GateDecision(False, None, read=sum(p is not None for p in pass_rates))
        near = abs(reading.mean - reading.end) <= self.tolerance
        return _decision(reading, skip=near and reading.std < self.max_std, limit=None)


@dataclass(frozen=True, slots=True)
class DistanceGate:
    """Skip when the predictions lie near enough to one end, each end with a limit of its own.

        skip  <=>  sqrt(mean((p̂ - end)²)) <= limit of the end,   end = 0 or 1, the nearer to mean(p̂)

    One number takes the place of two, so that a threshold can follow what audits show; at limit 0
    it is the paper's rule with tolerance 0.

    Attributes:
        trivial: limit at 1; None: nothing is skipped there.
        unsolvable: limit at 0, likewise.
        min_readable: as of `PredictiveGate`.
    """

    trivial: float | None
    unsolvable: float | None
    min_readable: float = 0.5

    def __post_init__(self) -> None:
        _check(min_readable=self.min_readable)

    def decide(self, pass_rates: Sequence[float | None]) -> GateDecision:
        """Decide from the M predicted pass rates, in any order.

        Args:
            pass_rates: in [0, 1]; None for a prediction that could not be read.

        Raises:
            ValueError: a pass rate outside [0, 1].
        """
        reading = _read(pass_rates, self.min_readable)
        if reading is None:
            return GateDecision(False, None, read=sum(p is not None for p in pass_rates))
        limit = self.trivial if reading.end else self.unsolvable
        skip = limit is not None and reading.distance <= limit
        return _decision(reading, skip=skip, limit=limit)


def _check(*, max_std: float = 1.0, min_readable: float) -> None:
    if not max_std > 0:
        raise ValueError(f"max_std must be > 0, got {max_std!r}")
    if not 0 < min_readable <= 1:
        raise ValueError(f"min_readable must lie in (0, 1], got {min_readable!r}")
