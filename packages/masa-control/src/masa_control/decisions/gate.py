"""Predictive gating: a problem that is not worth rolling out is skipped (MASA-efficient).

A problem that the policy always solves, or never does, gives a group without variance: nothing to
learn from. The M predicted pass rates say so beforehand, and at the price of M predictions.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import Field, model_validator

from masa_control.episode.plan import GateDecision, GateReason
from masa_control.settings import Settings


class Gate(Protocol):
    """Decides from the predicted pass rates alone; a value, not a state."""

    def decide(self, pass_rates: Sequence[float | None]) -> GateDecision:
        """Return the decision; None stands for a prediction that could not be read."""
        ...


@dataclass(frozen=True, slots=True)
class _PassRateSummary:
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


def _summarise_pass_rates(
    pass_rates: Sequence[float | None], min_readable: float
) -> _PassRateSummary | None:
    known = [p for p in pass_rates if p is not None]
    for p in known:
        if not 0 <= p <= 1:
            raise ValueError(f"a predicted pass rate must lie in [0, 1], got {p!r}")
    if not known or len(known) < min_readable * len(pass_rates):
        return None
    return _PassRateSummary(statistics.fmean(known), statistics.pstdev(known), len(known))


def _make_decision(reading: _PassRateSummary, *, skip: bool, limit: float | None) -> GateDecision:
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


class ReadableShare(Settings):
    """How many predictions must be readable before a gate says anything."""

    min_readable: float = Field(default=0.5, gt=0, le=1)
    """Smallest share of readable predictions, in (0, 1]; with a smaller one nothing is skipped."""


class PredictiveGate(ReadableShare):
    """The paper's rule: skip when the predictions agree, and agree on 0 or on 1.

        skip  <=>  std(p̂) < max_std  and  (mean(p̂) <= tolerance or mean(p̂) >= 1 - tolerance)

    >>> gate = PredictiveGate()
    >>> gate.decide([1.0, 1.0, 1.0]).reason
    'trivial'
    >>> gate.decide([1.0, 1.0, 0.875]).skip
    False
    >>> gate.decide([None, None, 1.0]).skip
    False
    """

    max_std: float = Field(default=0.1, gt=0)
    """Predicted pass rates with this standard deviation or more do not agree (paper: 0.1)."""
    tolerance: float = Field(default=0.0, ge=0, lt=0.5)
    """Largest distance of the mean predicted pass rate from 0 or 1, in [0, 0.5). The paper's second
    version has 0: exactly 0 or 1."""

    def decide(self, pass_rates: Sequence[float | None]) -> GateDecision:
        """Decide from the M predicted pass rates, in any order.

        Args:
            pass_rates: in [0, 1]; None for a prediction that could not be read.

        Raises:
            ValueError: a pass rate outside [0, 1].
        """
        reading = _summarise_pass_rates(pass_rates, self.min_readable)
        if reading is None:
            return GateDecision(False, None, read=sum(p is not None for p in pass_rates))
        near = abs(reading.mean - reading.end) <= self.tolerance
        return _make_decision(reading, skip=near and reading.std < self.max_std, limit=None)


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
        if not 0 < self.min_readable <= 1:
            raise ValueError(f"min_readable must lie in (0, 1], got {self.min_readable!r}")

    def decide(self, pass_rates: Sequence[float | None]) -> GateDecision:
        """Decide from the M predicted pass rates, in any order.

        Args:
            pass_rates: in [0, 1]; None for a prediction that could not be read.

        Raises:
            ValueError: a pass rate outside [0, 1].
        """
        reading = _summarise_pass_rates(pass_rates, self.min_readable)
        if reading is None:
            return GateDecision(False, None, read=sum(p is not None for p in pass_rates))
        limit = self.trivial if reading.end else self.unsolvable
        skip = limit is not None and reading.distance <= limit
        return _make_decision(reading, skip=skip, limit=limit)


class GateAudits(Settings):
    """What every gate has: audits of what it skips, and what takes the place of that."""

    audit: float = Field(default=0.05, ge=0, le=1)
    """Fraction of the problems that the gate would skip that is rolled out anyway, drawn at random,
    to estimate the gate's precision; in [0, 1]. 0 is the paper's way: precision stays unknown."""
    audit_trivial: float | None = Field(default=None, ge=0, le=1)
    """The same fraction for problems that would be skipped as trivial; unset: as gate.audit. Their
    solutions are short, so audits are cheap, and always-solved problems can be forgotten unseen."""
    refill: bool = False
    """Draw further problems in the places of skipped ones, until the batch is full."""
    refill_limit: int = Field(default=4, ge=1)
    """With gate.refill: a step draws at most this many times batch.problems."""

    @model_validator(mode="after")
    def _audits_at_both_ends(self) -> GateAudits:
        trivial = self.audit_trivial
        if trivial is not None and bool(trivial) != bool(self.audit):
            raise ValueError(
                f"gate.audit is {self.audit!r} and gate.audit_trivial {trivial!r}: with audits at "
                "one end alone the precision of the gate stays unknown; give both a share, or "
                "neither"
            )
        return self


class StaticGateSettings(GateAudits, PredictiveGate):
    """The paper's gate: a fixed rule on mean and standard deviation of the predicted pass rates."""

    rule: Literal["static"] = "static"
    """static (the paper): skip where predictions agree on 0 or 1."""


class GateOff(Settings):
    """No gate: every problem is rolled out."""

    rule: Literal["off"] = "off"
    """off: every problem is rolled out."""
