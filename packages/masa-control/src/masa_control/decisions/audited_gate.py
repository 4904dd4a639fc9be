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
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from masa_rewards.statistics import wilson_bounds

from masa_control.decisions.gate import DistanceGate
from masa_control.episode.plan import GateReason
from masa_control.state import entries, number, restored, row, saved

_ENDS: tuple[GateReason, ...] = ("trivial", "unsolvable")

_HOLDING = 0.5
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
    distance: float
    no_variance: bool
    weight: float


@dataclass(frozen=True, slots=True)
class AuditedGateSettings:
    """How the thresholds follow.

    Attributes:
        precision: target: the share of flagged problems whose group has no variance, in (0, 1).
        caution: normal quantile by which the estimate must lie above the target, >= 0; 1 leaves
            about one chance in six that the true precision of the chosen region is below it.
        window: outcomes remembered for each end, >= 1; older ones say nothing of the policy as it
            is.
        max_distance: no limit is larger than this, in (0, 0.5).
        min_readable: as of `PredictiveGate`.
    """

    precision: float = 0.9
    caution: float = 1.0
    window: int = 512
    max_distance: float = 0.35
    min_readable: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.precision < 1:
            raise ValueError(f"precision must lie in (0, 1), got {self.precision!r}")
        if self.caution < 0:
            raise ValueError(f"caution must be >= 0, got {self.caution!r}")
        if self.window < 1:
            raise ValueError(f"window must be >= 1, got {self.window!r}")
        if not 0 < self.max_distance < 0.5:
            raise ValueError(f"max_distance must lie in (0, 0.5), got {self.max_distance!r}")
        DistanceGate(None, None, self.min_readable)  # refuses what cannot be


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
        regions = list(_regions(self._outcomes[end]))
        opened = [r.distance for r in regions if r.low(self._caution) >= target]
        if before is None:
            return max(opened, default=None)
        known = [r for r in regions if r.distance <= before]
        held = [r.distance for r in known if r.low(self._caution * _HOLDING) >= target]
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
        return saved(
            "audited gate",
            1,
            outcomes={end: [list(o) for o in self._outcomes[end]] for end in _ENDS},
            limits=dict(self._limits),
        )

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of an audited gate.
        """
        outcomes, limits = restored("audited gate", 1, state, "outcomes", "limits")
        fresh = self._empty()
        for end, rows in zip(_ENDS, entries("the outcomes", outcomes, *_ENDS), strict=True):
            fresh[end].extend(_outcome(end, made) for made in rows)
        moved = entries("the limits", limits, *_ENDS)
        read = [None if v is None else number("a limit of the gate", v, 0, 0.5) for v in moved]
        self._outcomes, self._limits = fresh, dict(zip(_ENDS, read, strict=True))


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


def _regions(outcomes: Iterable[GateOutcome]) -> Iterator[_Region]:
    """Yield a region for each distance that occurs, from near to far."""
    total = right = squares = 0.0
    ordered = sorted(outcomes, key=lambda o: o.distance)
    for distance, equal in groupby(ordered, key=lambda o: o.distance):
        for outcome in equal:
            total += outcome.weight
            right += outcome.weight * outcome.no_variance
            squares += outcome.weight**2
        yield _Region(distance, min(1.0, right / total), total * total / squares)


def _outcome(expected: GateReason, saved_row: object) -> GateOutcome:
    end, distance, no_variance, weight = row("an outcome of the gate", saved_row, 4)
    if end != expected or not isinstance(no_variance, bool):
        raise ValueError(f"not an outcome at the end {expected!r}: {saved_row!r}")
    distance = number("the distance of an outcome of the gate", distance, 0, 1)
    return GateOutcome(end, distance, no_variance, number("the weight of an outcome", weight, 1))
