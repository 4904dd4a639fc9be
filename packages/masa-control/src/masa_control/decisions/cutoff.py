"""Early cutoff: a solution that runs on far beyond its predicted length is given up (paper)."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from masa_control.state import number, restored, row, saved


def predicted_length(lengths: Sequence[int | None]) -> float | None:
    """Return the median of the predicted lengths that could be read, tokens; None of none.

    The median, so that one wild prediction among M neither cuts all solutions nor lets all run on.
    """
    known = [length for length in lengths if length is not None]
    return statistics.median(known) if known else None


@dataclass(frozen=True, slots=True)
class LengthCutoff:
    """The paper's rule: a solution stops at `margin` times the predicted length.

        max_tokens = min(limit, ceil(margin * median(l̂)))

    >>> LengthCutoff().max_tokens([300, 340, 9000], limit=8192)
    680
    >>> LengthCutoff().max_tokens([None, None], limit=8192)
    8192

    Attributes:
        margin: paper: 2; its second version tries 0.5, 1.0 and 1.5. None: nothing is cut.
    """

    margin: float | None = 2.0

    def __post_init__(self) -> None:
        if self.margin is not None and not 0 < self.margin < math.inf:
            raise ValueError(f"margin must be > 0 and finite, or None, got {self.margin!r}")

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
        predicted = predicted_length(lengths)
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


@dataclass(frozen=True, slots=True)
class CalibratedCutoffSettings:
    """How the margin follows.

    Attributes:
        cut_share: α, the largest share of correct rollouts that may be cut, in (0, 1).
        window: problems remembered, >= 1. Once the cutoff lowers most limits, only audited ones
            come in, so a long window is slow to follow.
        min_problems: problems with a correct solution before anything is cut, >= 1.
        max_age: steps for which a problem is remembered, >= 1. A policy's lengths move on; where
            fewer than `min_problems` are as young as this, nothing is cut until there are.
    """

    cut_share: float = 0.05
    window: int = 128
    min_problems: int = 16
    max_age: int = 20

    def __post_init__(self) -> None:
        if not 0 < self.cut_share < 1:
            raise ValueError(f"cut_share must lie in (0, 1), got {self.cut_share!r}")
        for name in ("window", "min_problems", "max_age"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1, got {getattr(self, name)!r}")


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
        rows = [[list(o.ratios), o.weight, step] for o, step in known]
        return saved("calibrated cutoff", 2, outcomes=rows)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of a calibrated cutoff.
        """
        (rows,) = restored("calibrated cutoff", 2, state, "outcomes")
        known = [_outcome(made) for made in rows]
        self._outcomes = deque((o for o, _ in known), maxlen=self.settings.window)
        self._steps = deque((step for _, step in known), maxlen=self.settings.window)


def _outcome(saved_row: object) -> tuple[LengthOutcome, int]:
    ratios, weight, step = row("an outcome of the cutoff", saved_row, 3)
    if not isinstance(ratios, list | tuple) or not ratios:
        raise ValueError(f"an outcome of the cutoff needs its ratios, got {saved_row!r}")
    read = tuple(number("a ratio of an outcome of the cutoff", ratio, 0) for ratio in ratios)
    outcome = LengthOutcome(read, number("the weight of an outcome of the cutoff", weight, 1))
    return outcome, int(number("the step of an outcome of the cutoff", step, 0))
