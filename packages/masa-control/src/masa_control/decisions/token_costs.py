"""What a solution costs: mean lengths of right and of wrong ones, over the last groups."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from masa_control.episode.types import Episode
from masa_control.state import Count, SavedState

_WINDOW = 256
"""Groups that are remembered: lengths follow the policy."""


@dataclass(frozen=True, slots=True)
class SolutionCost:
    """Mean lengths of solutions, tokens.

    Attributes:
        right: of correct ones, > 0.
        wrong: of incorrect ones, > 0.
        usual: of all.
    """

    right: float
    wrong: float
    usual: float

    def expect(self, pass_rate: float) -> float:
        """Return the expected length of a solution of a problem: p right + (1 - p) wrong."""
        return pass_rate * self.right + (1 - pass_rate) * self.wrong


class _GroupLengths(NamedTuple):
    right: Count
    right_tokens: Count
    wrong: Count
    wrong_tokens: Count


class _State(SavedState):
    state_of = "token costs"

    groups: list[_GroupLengths]


class TokenCosts:
    """Keeps the lengths of the solutions of the last 256 groups."""

    def __init__(self) -> None:
        self._groups: deque[_GroupLengths] = deque(maxlen=_WINDOW)

    def observe(self, episodes: Iterable[Episode]) -> None:
        """Remember the lengths of a step's solutions that are right or wrong."""
        for episode in episodes:
            by_reward: dict[float, list[int]] = {1.0: [], 0.0: []}
            for solution in episode.solutions:
                if solution.reward is not None:
                    by_reward[solution.reward].append(len(solution.completion.token_ids))
            right, wrong = by_reward[1.0], by_reward[0.0]
            if right or wrong:
                self._groups.append(_GroupLengths(len(right), sum(right), len(wrong), sum(wrong)))

    def cost(self) -> SolutionCost | None:
        """Return the mean lengths; None before there was a right and a wrong solution."""
        right, right_tokens, wrong, wrong_tokens = (
            (sum(column) for column in zip(*self._groups, strict=True))
            if self._groups
            else (0, 0, 0, 0)
        )
        if not (right_tokens and wrong_tokens):
            return None
        usual = (right_tokens + wrong_tokens) / (right + wrong)
        return SolutionCost(right_tokens / right, wrong_tokens / wrong, usual)

    def metrics(self) -> dict[str, float]:
        """Return ``reader/right_tokens`` and ``reader/wrong_tokens``, where they are known."""
        cost = self.cost()
        if cost is None:
            return {}
        return {"reader/right_tokens": cost.right, "reader/wrong_tokens": cost.wrong}

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        return _State(groups=list(self._groups)).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of token costs.
        """
        self._groups = deque(_State.from_dict(state).groups, maxlen=_WINDOW)
