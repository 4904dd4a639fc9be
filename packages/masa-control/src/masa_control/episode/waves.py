"""A group that grows in waves: it goes on while its next outcome is uncertain enough.

With a prior Beta(a, b) of the pass rate, and k right of n so far, the next outcome has the variance

    E[p (1 - p)] = a' b' / ((a' + b') (a' + b' + 1)),   a' = a + k,  b' = b + n - k

Stopping depends on outcomes alone, so the policy gradient of a problem keeps its direction and only
its size changes; the share of right solutions is pulled to the ends (docs/concepts/readers.md).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WavePlan:
    """How a group grows.

    Attributes:
        sizes: rollouts of the first waves, each >= 1; the last one is repeated.
        right: a of the prior, > 0.
        wrong: b of the prior, > 0.
        worth: smallest expected variance of the next outcome with which it goes on.
        audited: where the rule stops it, it is made whole all the same.
        audit: ε in [0, 1], share of the groups that are audited.
        usual_tokens: mean length of a solution of the run, tokens; where it is known, the variance
            counts the more the shorter the solutions of this problem are beside it. None: variance
            counts alone.
    """

    sizes: tuple[int, ...]
    right: float
    wrong: float
    worth: float
    audited: bool = False
    audit: float = 0.0
    usual_tokens: float | None = None

    def size(self, wave: int, left: int) -> int:
        """Return how many rollouts a wave has.

        Args:
            wave: its number, from 0.
            left: rollouts that are left of a whole group.
        """
        return min(self.sizes[min(wave, len(self.sizes) - 1)], left)

    def value(self, right: int, wrong: int, tokens: float | None = None) -> float:
        """Return what the next rollout is worth, the expected variance of its outcome.

        Args:
            right: correct solutions so far.
            wrong: incorrect ones.
            tokens: mean length of the solutions so far; used where ``usual_tokens`` is known.
        """
        a, b = self.right + right, self.wrong + wrong
        variance = a * b / ((a + b) * (a + b + 1))
        if self.usual_tokens is None or not tokens:
            return variance
        return variance * self.usual_tokens / tokens

    def goes_on(self, right: int, wrong: int, tokens: float | None = None) -> bool:
        """Whether another wave is worth it; arguments as of ``value``."""
        return self.value(right, wrong, tokens) >= self.worth


@dataclass(frozen=True, slots=True)
class WaveRecord:
    """How a group grew.

    Attributes:
        limit: rollouts of a whole group.
        stopped_at: rollouts after which the rule stopped it; None where it never did.
        audited: the rule stopped it, and an audit had it made whole.
        audit: ε of the waves.
    """

    limit: int
    stopped_at: int | None
    audited: bool
    audit: float
