"""Choice: more problems are drawn than a step needs, and kept by chance, the useful ones oftener.

A problem is kept with the probability

    keep = clip(a * score, floor, 1),   score = E[p (1 - p)] / expected tokens of a solution

where a is set so that one in `draw` of the last problems would have been kept. Chance with known
probabilities is what keeps every estimate unbiased: a kept problem stands for 1 / keep like it. The
floor has every problem come up again, whatever is believed of it.
"""

from __future__ import annotations

import bisect
import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from masa_control.decisions.gate import (
    PassRateSummary,
    ReadableShare,
    SummaryGate,
)
from masa_control.decisions.token_costs import SolutionCost
from masa_control.episode.plan import GateDecision
from masa_control.state import SavedState

Score = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


class ChoiceSettings(ReadableShare):
    """Draw more problems than a step needs, and keep by chance those that are worth their tokens.

    Others are drawn in the places of those that are not kept, at most twice as many as are drawn on
    average.
    """

    rule: Literal["choice"] = "choice"
    """choice: of gate.draw problems one is kept, with a probability by its expected variance a
    token; others are drawn in the places of the rest."""
    draw: float = Field(default=4.0, gt=1)
    """Problems drawn for each that is kept, on average."""
    floor: float = Field(default=0.05, gt=0, le=1)
    """Smallest probability to be kept, in (0, 1]: what a problem is whose group is expected to
    teach nothing."""
    by_tokens: bool = True
    """Divide the expected variance by the expected length of a solution."""
    remembered: int = Field(default=512, ge=1)
    """Problems by whose scores the probabilities are set."""
    min_remembered: int = Field(default=32, ge=1)
    """Problems with a score before anything is chosen; until then every one is kept."""

    @model_validator(mode="after")
    def _leaves_a_choice(self) -> ChoiceSettings:
        if self.floor * self.draw > 1:
            raise ValueError(
                f"gate.floor = {self.floor!r} keeps more than one in gate.draw = {self.draw!r} "
                "problems whatever is believed of them: lower one of them"
            )
        return self

    @property
    def most_drawn(self) -> float:
        """Problems drawn for each place of a batch, at most."""
        return 2 * self.draw


@dataclass(frozen=True, slots=True)
class ChoiceGate(SummaryGate):
    """Chooses problems by chance; a value, not a state.

    Attributes:
        scale: a; None: every problem is kept.
        floor: smallest probability.
        cost: lengths of solutions; None: variance counts alone.
        min_readable: as of `PredictiveGate`.
    """

    scale: float | None
    floor: float
    cost: SolutionCost | None = None
    min_readable: float = 0.5

    def _decide(self, reading: PassRateSummary) -> GateDecision:
        score = max(reading.mean * (1 - reading.mean) - reading.std**2, 0.0)
        if self.cost is not None:
            score *= self.cost.usual / self.cost.expect(reading.mean)
        keep = 1.0
        if self.scale is not None:
            keep = min(1.0, max(self.floor, self.scale * score))
        return GateDecision(
            skip=keep < 1,
            reason="not_chosen" if keep < 1 else None,
            mean=reading.mean,
            std=reading.std,
            distance=reading.distance,
            read=reading.read,
            source=reading.source,
            keep=keep,
            score=score,
        )


def solve_choice_scale(scores: Sequence[float], share: float, floor: float) -> float:
    """Return the scale a at which so large a share of problems is kept on average.

        mean over problems of clip(a * score, floor, 1) = share

    Args:
        scores: >= 0, at least one.
        share: in [floor, 1).
        floor: smallest probability.

    Returns:
        The smallest such a; where too many scores are 0 for it, one at which all others are kept.
    """

    def kept(scale: float) -> float:
        return sum(min(1.0, max(floor, scale * score)) for score in scores) / len(scores)

    # Between the scales at which some score reaches floor or 1 the share rises on a straight line.
    positive = [score for score in scores if score > 0]
    bends = sorted({end / score for score in positive for end in (floor, 1.0)} - {math.inf})
    above = bisect.bisect_left(bends, share, key=kept)
    if not bends or above == len(bends):
        return bends[-1] if bends else 0.0
    high, low = bends[above], bends[above - 1] if above else 0.0
    part = (share - kept(low)) / (kept(high) - kept(low)) if kept(high) > kept(low) else 1.0
    return low + part * (high - low)


class _State(SavedState):
    state_of = "choice"

    scores: list[Score]


class ProblemChoice:
    """Keeps the scores of the last problems, and gives the gate that they call for.

    Args:
        settings: how many are drawn, and how few of each are kept.
    """

    def __init__(self, settings: ChoiceSettings | None = None) -> None:
        self.settings = settings or ChoiceSettings()
        self._scores: deque[float] = deque(maxlen=self.settings.remembered)

    def observe(self, scores: Iterable[float]) -> None:
        """Remember the scores of all problems that were drawn in a step, kept or not."""
        self._scores.extend(scores)

    def gate(self, cost: SolutionCost | None) -> ChoiceGate:
        """Return the gate for now.

        Args:
            cost: lengths of solutions, where they are known.
        """
        settings, scale = self.settings, None
        if len(self._scores) >= settings.min_remembered:
            scale = solve_choice_scale(self._scores, 1 / settings.draw, settings.floor)
        cost = cost if settings.by_tokens else None
        return ChoiceGate(scale, settings.floor, cost, settings.min_readable)

    def metrics(self) -> dict[str, float]:
        """Return ``gate/remembered``, the problems whose scores are known."""
        return {"gate/remembered": float(len(self._scores))}

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        return _State(scores=list(self._scores)).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of a choice.
        """
        self._scores = deque(_State.from_dict(state).scores, maxlen=self.settings.remembered)
