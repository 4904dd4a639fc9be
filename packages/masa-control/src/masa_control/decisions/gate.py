"""Predictive gating: a problem that is not worth rolling out is skipped (MASA-efficient).

A problem that the policy always solves, or never does, gives a group without variance: nothing to
learn from. The M predicted pass rates say so beforehand, and at the price of M predictions.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from pydantic import Field, model_validator

from masa_control.episode.belief import Belief
from masa_control.episode.ends import GateReason
from masa_control.episode.plan import GateDecision
from masa_control.settings import Settings


class Gate(Protocol):
    """Decides from the predicted pass rates, or from a belief, alone; a value, not a state."""

    def decide(self, pass_rates: Sequence[float | None]) -> GateDecision:
        """Return the decision; None stands for a prediction that could not be read."""
        ...

    def judge(self, belief: Belief | None) -> GateDecision:
        """Return the decision by what a reader believes; None where it knows too little."""
        ...


@dataclass(frozen=True, slots=True)
class PassRateSummary:
    """What M predicted pass rates come to, or what a reader believes.

    Attributes:
        mean: in [0, 1].
        std: standard deviation, >= 0.
        read: predictions that could be read, or what the belief rests on.
        source: the reader.
    """

    mean: float
    std: float
    read: int
    source: str = "sampled"

    @property
    def end(self) -> float:
        """The end that the mean is nearer to, 0 or 1."""
        return 1.0 if self.mean > 0.5 else 0.0

    @property
    def distance(self) -> float:
        """Root mean square distance from that end."""
        return math.hypot(self.std, self.mean - self.end)


def summarise_belief(belief: Belief) -> PassRateSummary:
    """Return a belief as gates read it."""
    return PassRateSummary(belief.mean, belief.std, belief.seen, belief.source)


def summarise_pass_rates(
    pass_rates: Sequence[float | None], min_readable: float
) -> PassRateSummary | None:
    """Return what M predicted pass rates come to.

    Args:
        pass_rates: in [0, 1]; None for a prediction that could not be read.
        min_readable: smallest share of readable ones, in (0, 1].

    Returns:
        None where fewer could be read.

    Raises:
        ValueError: a pass rate outside [0, 1].
    """
    known = [p for p in pass_rates if p is not None]
    for p in known:
        if not 0 <= p <= 1:
            raise ValueError(f"a predicted pass rate must lie in [0, 1], got {p!r}")
    if not known or len(known) < min_readable * len(pass_rates):
        return None
    return PassRateSummary(statistics.fmean(known), statistics.pstdev(known), len(known))


def believe_predictions(pass_rates: Sequence[float | None], min_readable: float) -> Belief | None:
    """Return M predicted pass rates as a belief: their mean and variance.

    Args:
        pass_rates: as of ``summarise_pass_rates``.
        min_readable: likewise.
    """
    reading = summarise_pass_rates(pass_rates, min_readable)
    if reading is None:
        return None
    largest = reading.mean * (1 - reading.mean)
    return Belief(reading.mean, min(reading.std**2, largest), "sampled", reading.read)


def make_decision(reading: PassRateSummary, *, skip: bool, limit: float | None) -> GateDecision:
    """Return a decision with the figures that it was made by."""
    reason: GateReason = "trivial" if reading.end else "unsolvable"
    return GateDecision(
        skip=skip,
        reason=reason if skip else None,
        mean=reading.mean,
        std=reading.std,
        distance=reading.distance,
        limit=limit,
        read=reading.read,
        source=reading.source,
    )


class SummaryGate:
    """A gate that decides by mean and standard deviation, wherever they come from."""

    __slots__ = ()

    if TYPE_CHECKING:
        # Of the classes that take this in: a field of settings, or of a dataclass.
        min_readable: float

    def decide(self, pass_rates: Sequence[float | None]) -> GateDecision:
        """Decide from the M predicted pass rates, in any order.

        Args:
            pass_rates: in [0, 1]; None for a prediction that could not be read.

        Raises:
            ValueError: a pass rate outside [0, 1].
        """
        reading = summarise_pass_rates(pass_rates, self.min_readable)
        if reading is None:
            return GateDecision(False, None, read=sum(p is not None for p in pass_rates))
        return self._decide(reading)

    def judge(self, belief: Belief | None) -> GateDecision:
        """Decide from what a reader believes; None: nothing is skipped."""
        if belief is None:
            return GateDecision(False, None, source="reader")
        return self._decide(summarise_belief(belief))

    def _decide(self, reading: PassRateSummary) -> GateDecision:
        """Return the decision."""
        raise NotImplementedError


class ReadableShare(Settings):
    """How many predictions must be readable before a gate says anything."""

    min_readable: float = Field(default=0.5, gt=0, le=1)
    """Smallest share of readable predictions, in (0, 1]; with a smaller one nothing is skipped."""


class PredictiveGate(SummaryGate, ReadableShare):
    """The paper's rule: skip when the predictions agree, and agree on 0 or on 1.

        skip  <=>  std(p̂) < max_std  and  (mean(p̂) <= tolerance or mean(p̂) >= 1 - tolerance)

    Examples:
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

    def _decide(self, reading: PassRateSummary) -> GateDecision:
        near = abs(reading.mean - reading.end) <= self.tolerance
        return make_decision(reading, skip=near and reading.std < self.max_std, limit=None)


@dataclass(frozen=True, slots=True)
class DistanceGate(SummaryGate):
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

    def _decide(self, reading: PassRateSummary) -> GateDecision:
        limit = self.trivial if reading.end else self.unsolvable
        skip = limit is not None and reading.distance <= limit
        return make_decision(reading, skip=skip, limit=limit)


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

    @property
    def most_drawn(self) -> float | None:
        """Problems drawn for each place of a batch, at most; None: skipped ones leave a gap."""
        return self.refill_limit if self.refill else None

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
