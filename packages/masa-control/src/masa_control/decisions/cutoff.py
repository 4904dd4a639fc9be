"""Early cutoff: a solution that runs on far beyond its predicted length is given up (paper)."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, model_validator

from masa_control.settings import Settings
from masa_control.state import Count, SavedState, Weight

Ratio = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


def compute_median_length(lengths: Sequence[int | None]) -> float | None:
    """Return the median of the predicted lengths that could be read, tokens; None of none.

    The median, so that one wild prediction among M neither cuts all solutions nor lets all run on.
    """
    known = [length for length in lengths if length is not None]
    return statistics.median(known) if known else None


class LengthCutoff(Settings):
    """The paper's rule: a solution stops at `margin` times the predicted length.

        max_tokens = min(limit, ceil(margin * median(l̂)))

    Examples:
        >>> LengthCutoff().max_tokens([300, 340, 9000], limit=8192)
        680
        >>> LengthCutoff().max_tokens([None, None], limit=8192)
        8192
    """

    margin: float | None = Field(default=2.0, gt=0, allow_inf_nan=False)
    """Solutions stop at this many times the predicted length (paper: 2; its second version tries
    0.5, 1.0 and 1.5); unset: nothing is cut."""

    def max_tokens(self, lengths: Sequence[int | None], limit: int) -> int:
        """Return how many tokens a solution may take.

        Args:
            lengths: the M predicted lengths in tokens, in any order; None where unreadable.
            limit: the usual limit of a solution, tokens, >= 1.

        Returns:
            A number in [1, limit]; `limit` where no length could be read.
        """
        if limit < 1:
            raise ValueError(f"limit must be >= 1, got {limit!r}")
        predicted = compute_median_length(lengths)
        if predicted is None or self.margin is None:
            return limit
        return max(1, min(limit, math.ceil(self.margin * predicted)))


class LengthOutcome(NamedTuple):
    """What is known of one problem whose solutions ran to their own end.

    Attributes:
        ratios: length of each correct solution / predicted length.
        weight: 1/ε where an audit spared it from a cutoff, else 1.
    """

    ratios: tuple[float, ...]
    weight: float


class CutoffAudits(Settings):
    """What every cutoff has: audits of what it cuts."""

    audit: float = Field(default=0.05, ge=0, le=1)
    """Fraction of the problems whose solutions would be cut that is run to the usual limit anyway,
    drawn at random, to estimate the cutoff's precision; in [0, 1]."""


class FixedCutoffSettings(CutoffAudits, LengthCutoff):
    """The paper's cutoff: a fixed multiple of the predicted length."""

    rule: Literal["fixed"] = "fixed"
    """fixed (the paper): cut at cutoff.margin times the predicted length."""


class CalibratedCutoffSettings(CutoffAudits):
    """A cutoff whose margin follows the lengths of correct solutions."""

    rule: Literal["calibrated"] = "calibrated"
    """calibrated: the margin follows, so that at most cutoff.cut_share of correct solutions is
    cut."""
    cut_share: float = Field(default=0.05, gt=0, lt=1)
    """Largest share α of correct solutions that may be cut, in (0, 1)."""
    window: int = Field(default=128, ge=1)
    """Problems remembered. Once most limits are lowered only audited problems come in, so a long
    window follows slowly."""
    min_problems: int = Field(default=16, ge=1)
    """Problems with a correct solution before anything is cut."""
    max_age: int = Field(default=20, ge=1)
    """Steps for which a problem is remembered; with fewer than cutoff.min_problems nothing is
    cut."""

    @model_validator(mode="after")
    def _needs_audits(self) -> CalibratedCutoffSettings:
        if not self.audit:
            raise ValueError(
                "the calibrated cutoff needs audits, and cutoff.audit is 0: it would see only "
                "problems that it does not cut; set a share, as 0.05, or take cutoff.rule = fixed"
            )
        return self


class CutoffOff(Settings):
    """No cutoff: solutions run to their usual limit."""

    rule: Literal["off"] = "off"
    """off: solutions run to solution.max_tokens."""


class _RatioRow(NamedTuple):
    ratios: Annotated[tuple[Ratio, ...], Field(min_length=1)]
    weight: Weight
    step: Count


class _State(SavedState):
    state_of = "calibrated cutoff"
    version = 2

    outcomes: list[_RatioRow]


class CalibratedCutoff:
    """Keeps (true length of correct rollouts / predicted length), and gives the margin for α.

        margin = the smallest m with  (Σ w [ratio > m] + W) / (Σ w + W) <= α

    over the rollouts of the window; W stands for the problem to come (split conformal prediction,
    weighted). All its correct rollouts come together, and run long together, so it is as heavy as
    the problem of a rollout of the window is on average: W = Σ (w n)² / Σ w n, over problems of n
    correct rollouts.

    A rollout that was cut never shows its length, and leaving it out would draw the margin down; so
    only problems whose solutions could run on are counted: those before the start step, those whose
    limit the cutoff did not lower, and a share ε that an audit spares, each of which weighs 1/ε.

    With few problems a step audits are rare. A margin from long ago would go on cutting whatever
    the policy has come to write, with nobody to see it; so problems are forgotten after `max_age`
    steps, and with too few left all solutions run on, until enough is known again.

    Args:
        settings: how the margin follows.
    """

    def __init__(self, settings: CalibratedCutoffSettings | None = None) -> None:
        self.settings = settings or CalibratedCutoffSettings()
        self._outcomes: deque[LengthOutcome] = deque(maxlen=self.settings.window)
        self._steps: deque[int] = deque(maxlen=self.settings.window)

    def observe(self, outcomes: Iterable[LengthOutcome], step: int) -> None:
        """Remember problems with at least one correct solution, in their order; forget old ones.

        Args:
            outcomes: of the problems of a step whose solutions could run on.
            step: the step, >= that of the call before.
        """
        for outcome in outcomes:
            if outcome.ratios:
                self._outcomes.append(outcome)
                self._steps.append(step)
        while self._steps and self._steps[0] <= step - self.settings.max_age:
            self._outcomes.popleft()
            self._steps.popleft()

    def cutoff(self) -> LengthCutoff:
        """Return the cutoff for now; where too little is known, it cuts nothing."""
        return LengthCutoff(margin=self._margin())

    def _margin(self) -> float | None:
        if len(self._outcomes) < self.settings.min_problems:
            return None
        weighted = sorted((r, o.weight) for o in self._outcomes for r in o.ratios)
        seen = sum(weight for _, weight in weighted)
        coming = sum((o.weight * len(o.ratios)) ** 2 for o in self._outcomes) / seen
        total = seen + coming
        beyond, margin = coming, None
        for ratio, weight in reversed(weighted):
            if beyond > self.settings.cut_share * total:
                break
            margin = ratio
            beyond += weight
        return margin

    def metrics(self) -> dict[str, float]:
        """Return the margin in force as ``cutoff/margin``; nothing while nothing is cut."""
        margin = self._margin()
        return {} if margin is None else {"cutoff/margin": margin}

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        known = zip(self._outcomes, self._steps, strict=True)
        return _State(outcomes=[_RatioRow(o.ratios, o.weight, step) for o, step in known]).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of a calibrated cutoff.
        """
        rows = _State.from_dict(state).outcomes
        window = self.settings.window
        self._outcomes = deque((LengthOutcome(r.ratios, r.weight) for r in rows), maxlen=window)
        self._steps = deque((row.step for row in rows), maxlen=window)
