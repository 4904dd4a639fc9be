"""The gate for readers that give a probability: skip below one limit, or above another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from masa_control.decisions.gate import (
    GateAudits,
    PassRateSummary,
    ReadableShare,
    make_decision,
    summarise_belief,
    summarise_pass_rates,
)
from masa_control.episode.belief import Belief
from masa_control.episode.plan import GateDecision


class ThresholdGateSettings(GateAudits, ReadableShare):
    """A gate that skips where the expected pass rate is surely low, or surely high.

        skip  <=>  mean + hold_back * std < low  or  mean - hold_back * std > high

    Examples:
        >>> from masa_control.episode.belief import Belief
        >>> ThresholdGateSettings().judge(Belief(0.03, 0.001, "words")).reason
        'unsolvable'
    """

    rule: Literal["threshold"] = "threshold"
    """threshold: skip where the expected pass rate is below gate.low, or above gate.high."""
    low: float = Field(default=0.05, ge=0, le=0.5)
    """Expected pass rate below which a problem is skipped as unsolvable; 0: none is."""
    high: float | None = Field(default=None, ge=0.5, le=1)
    """Expected pass rate above which a problem is skipped as trivial; unset: none is."""
    hold_back: float = Field(default=0.0, ge=0)
    """Standard deviations of the belief by which the expectation must lie beyond the limit."""

    def decide(self, pass_rates: Sequence[float | None]) -> GateDecision:
        """Decide from the M predicted pass rates, as of `PredictiveGate`."""
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
        margin = self.hold_back * reading.std
        low = reading.mean + margin < self.low
        high = self.high is not None and reading.mean - margin > self.high
        return make_decision(reading, skip=low or high, limit=None)
