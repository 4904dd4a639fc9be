"""The gate for readers that give a probability: skip below one limit, or above another."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from masa_control.decisions.gate import (
    GateAudits,
    PassRateSummary,
    ReadableShare,
    SummaryGate,
    make_decision,
)
from masa_control.episode.plan import GateDecision


class ThresholdGateSettings(SummaryGate, GateAudits, ReadableShare):
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

    def _decide(self, reading: PassRateSummary) -> GateDecision:
        margin = self.hold_back * reading.std
        low = reading.mean + margin < self.low
        high = self.high is not None and reading.mean - margin > self.high
        return make_decision(reading, skip=low or high, limit=None)
