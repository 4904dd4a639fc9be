"""The audited gate: thresholds that follow what audits show, so that precision is held.

A fixed threshold found offline is the paper's stated limit. Here the limits move while training: of
the problems whose truth is known (rolled out, or flagged and audited) the gate remembers how far
their predictions lay from the nearer end, and whether their group had no variance. A limit is
opened to the largest distance up to which the weighted share without variance is surely above the
target; once open it is held as long as half that sureness is left. Opening takes more than
holding, since behind an open limit only audits are left to judge by: with one rule for both it
would close for want of them, and open again, over and over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Annotated, Any, Literal, NamedTuple

from masa_rewards.statistics import wilson_bounds
from pydantic import Field, StrictBool, model_validator

from masa_control.decisions.gate import DistanceGate, GateAudits, ReadableShare
from masa_control.episode.ends import GateReason
from masa_control.state import SavedState, Share, Weight

_ENDS: tuple[GateReason, ...] = ("trivial", "unsolvable")

Limit = Annotated[float, Field(strict=True, ge=0, le=0.5)]

_HOLD_CAUTION = 0.5
"""Share of the caution with which an open limit is held."""


class GateOutcome(NamedTuple):
    """What is known of one problem that was rolled out.

    Attributes:
        end: the end that its predictions were nearer to.
        distance: how far from it they lay, as of `GateDecision`.
        no_variance: its solutions all agreed, at this end.
        weight: 1/ε where the gate flagged it and an audit had it rolled out, else 1.
    """

    end: GateReason
    distance: Share
    no_variance: StrictBool
    weight: Weight


class AuditedGateSettings(GateAudits, ReadableShare):
    """A gate whose thresholds follow what its audits show, so that its precision is held."""

    rule: Literal["audited"] = "audited"
    """audited: thresholds follow the audits, so that precision stays above gate.precision."""
    precision: float = Field(default=0.9, gt=0, lt=1)
    """Target precision: share of flagged problems whose group has no variance, in (0, 1)."""
    caution: float = Field(default=1.0, ge=0)
    """Standard errors by which the estimated precision must lie above the target; 1 leaves about
    one chance in six that the true precision of the chosen region is below it."""
    window: int = Field(default=512, ge=1)
    """Problems remembered for each end (trivial, unsolvable); older ones describe an
    older policy."""
    max_distance: float = Field(default=0.35, gt=0, lt=0.5)
    """Largest threshold: predictions that lie farther from 0 or 1 (root mean square) never skip a
    problem."""

    @model_validator(mode="after")
    def _needs_audits(self) -> AuditedGateSettings:
        if not self.audit:
            raise ValueError(
                "the audited gate needs audits, and gate.audit is 0: behind its limits it would "
                "see nothing; set a share, as 0.05, or take gate.rule = static"
            )
        return self


class _State(SavedState):
    state_of = "audited gate"

    outcomes: dict[GateReason, list[GateOutcome]]
    limits: dict[GateReason, Limit | None]

    @model_validator(mode="after")
    def _has_both_ends(self) -> _State:
        for found in (self.outcomes, self.limits):
            if set(found) != set(_ENDS):
                raise ValueError(f"both ends {_ENDS!r} are needed, got {sorted(found)!r}")
        for end, outcomes in self.outcomes.items():
            if any(outcome.end != end for outcome in outcomes):
                raise ValueError(f"an outcome at the end {end!r} is of the other end")
        return self


class AuditedGate:
    """Keeps outcomes and gives the gate that they call for.

    Args:
        settings: how the thresholds follow.
    """

    def __init__(self, settings: AuditedGateSettings | None = None) -> None:
        self.settings = settings or AuditedGateSettings()
        self._outcomes: dict[GateReason, deque[GateOutcome]] = self._empty()
        self._limits: dict[GateReason, float | None] = dict.fromkeys(_ENDS)

    def _empty(self) -> dict[GateReason, deque[GateOutcome]]:
        return {end: deque(maxlen=self.settings.window) for end in _ENDS}

    def observe(self, outcomes: Iterable[GateOutcome]) -> None:
        """Remember the outcomes of a step, in the order of their problems, and move the limits.

        One that lies farther than any limit may reach is not remembered.
        """
        for outcome in outcomes:
            if outcome.distance <= self.settings.max_distance:
                self._outcomes[outcome.end].append(outcome)
        self._limits = {end: self._limit(end) for end in _ENDS}

    def gate(self) -> DistanceGate:
        """Return the gate for now; where nothing is known, it skips nothing."""
        return DistanceGate(**self._limits, min_readable=self.settings.min_readable)

    def _limit(self, end: GateReason) -> float | None:
        """Where the limit of an end moves to."""
        before, target = self._limits[end], self.settings.precision
        regions = list(_list_regions(self._outcomes[end]))
        opened = [r.distance for r in regions if r.low(self._caution) >= target]
        if before is None:
            return max(opened, default=None)
        known = [r for r in regions if r.distance <= before]
        held = [r.distance for r in known if r.low(self._caution * _HOLD_CAUTION) >= target]
        if not known or known[-1].distance in held:
            held = [before]
        return max([*opened, *held], default=None)

    @property
    def _caution(self) -> float:
        return max(self.settings.caution, 1e-9)

    def metrics(self) -> dict[str, float]:
        """Return the limits in force, as ``gate/limit_trivial`` and ``gate/limit_unsolvable``."""
        return {f"gate/limit_{end}": v for end, v in self._limits.items() if v is not None}

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        outcomes = {end: list(self._outcomes[end]) for end in _ENDS}
        return _State(outcomes=outcomes, limits=dict(self._limits)).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of an audited gate.
        """
        read = _State.from_dict(state)
        fresh = self._empty()
        for end in _ENDS:
            fresh[end].extend(read.outcomes[end])
        self._outcomes, self._limits = fresh, {end: read.limits[end] for end in _ENDS}


class _Region(NamedTuple):
    """What is known of all outcomes up to a distance.

    Attributes:
        distance: the largest of them.
        precision: weighted share without variance.
        cases: independent cases it is worth (Kish).
    """

    distance: float
    precision: float
    cases: float

    def low(self, caution: float) -> float:
        return wilson_bounds(self.precision, self.cases, z=caution).low


def _list_regions(outcomes: Iterable[GateOutcome]) -> Iterator[_Region]:
    """Yield a region for each distance that occurs, from near to far."""
    total = right = squares = 0.0
    ordered = sorted(outcomes, key=lambda o: o.distance)
    for distance, equal in groupby(ordered, key=lambda o: o.distance):
        for outcome in equal:
            total += outcome.weight
            right += outcome.weight * outcome.no_variance
            squares += outcome.weight**2
        yield _Region(distance, min(1.0, right / total), total * total / squares)
