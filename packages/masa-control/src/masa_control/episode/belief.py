"""What is believed of a problem before it is tried: its pass rate, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from masa_control.episode.ends import GateReason


@dataclass(frozen=True, slots=True)
class Belief:
    """A distribution over the pass rate of a problem, by its first two moments.

    Examples:
        >>> belief = Belief(mean=0.25, variance=0.0375, source="words", seen=40)
        >>> belief.strength, belief.outcome_variance
        (4.0, 0.15)

    Attributes:
        mean: expected pass rate, in [0, 1].
        variance: of the pass rate under the belief, in [0, mean * (1 - mean)]; 0: it is known.
        source: the reader that believes it, as "words".
        seen: what it rests on: predictions, or groups of rollouts; >= 0.
    """

    mean: float
    variance: float
    source: str
    seen: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.mean <= 1:
            raise ValueError(f"an expected pass rate must lie in [0, 1], got {self.mean!r}")
        largest = self.mean * (1 - self.mean)
        if not -1e-12 <= self.variance <= largest + 1e-12:
            raise ValueError(
                f"the variance of a pass rate of mean {self.mean!r} lies in [0, {largest!r}], got "
                f"{self.variance!r}"
            )

    @property
    def std(self) -> float:
        """Standard deviation of the pass rate."""
        return math.sqrt(max(self.variance, 0.0))

    @property
    def end(self) -> GateReason:
        """The end that the mean is nearer to."""
        return "trivial" if self.mean > 0.5 else "unsolvable"

    @property
    def outcome_variance(self) -> float:
        """E[p (1 - p)], the expected variance of one outcome: what a group can teach; <= 1/4."""
        return max(self.mean * (1 - self.mean) - self.variance, 0.0)

    @property
    def strength(self) -> float:
        """A + b of the Beta distribution with these moments: outcomes that it is worth.

        inf where the pass rate is known; 0 where the belief says no more than that it is 0 or 1.
        """
        if self.variance <= 0:
            return math.inf
        return max(self.mean * (1 - self.mean) / self.variance - 1, 0.0)
