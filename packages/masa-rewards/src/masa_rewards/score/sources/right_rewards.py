"""Which of a log's rewards says that an answer is right, and from which value on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from masa_rewards.score.sources.logged import FormError, LoggedRollout

RIGHT_FROM = 0.5
"""Rewards from this on count as right: rewards of 0 and 1 and of -1 and 1 need no other."""

_SAYS_SO = ("acc", "accuracy", "correct", "correctness", "is_correct", "solved")
_USUAL = ("score", "reward")


class RightReward(NamedTuple):
    """What says that an answer is right.

    Attributes:
        name: The reward; None where no rollout has one.
        right_from: The value from which on it counts as right.
        others: Values it takes beside -1, 0 and 1, at most three.
    """

    name: str | None
    right_from: float
    others: tuple[float, ...]

    def judge(self, rollout: LoggedRollout) -> bool | None:
        """Whether a rollout is right: what the log says itself, else by the reward."""
        if rollout.correct is not None or self.name is None:
            return rollout.correct
        value = rollout.rewards.get(self.name)
        return None if value is None else value >= self.right_from


def choose_reward(
    rollouts: Sequence[LoggedRollout], *, name: str | None, right_from: float
) -> RightReward:
    """Choose the reward that says whether an answer is right.

    The one that is named; else the only one; else the only one whose name says so (accuracy,
    correct, ...); else `score` or `reward` itself.

    Args:
        rollouts: Those of a file, without predictions.
        name: The reward that is asked for; None where none is.
        right_from: The value from which on it counts as right.

    Raises:
        FormError: The one that is named is not there, or several could be it.
    """
    names = sorted({reward for rollout in rollouts for reward in rollout.rewards})
    if name is not None and name not in names:
        there = ", ".join(names) or "none"
        raise FormError(f"no rollout has the reward {name!r}; there are: {there}")
    chosen = name if name is not None else _guess_name(names)
    values = {
        value
        for rollout in rollouts
        for name_of_it, value in rollout.rewards.items()
        if name_of_it == chosen
    }
    others = sorted(values - {-1.0, 0.0, 1.0})[:3]
    return RightReward(chosen, right_from, tuple(others))


def _guess_name(names: Sequence[str]) -> str | None:
    if len(names) <= 1:
        return next(iter(names), None)
    saying = [name for name in names if _says_correctness(name)]
    usual = [name for name in _USUAL if name in names]
    if len(saying) == 1:
        return saying[0]
    if not saying and usual:
        return usual[0]
    raise FormError(
        f"the rollouts have the rewards {', '.join(names)}: name the one that says whether an "
        f"answer is right, as --reward {(saying or names)[0]}"
    )


def _says_correctness(name: str) -> bool:
    words = _split_words(name)
    return any(word in _SAYS_SO for word in words)


def _split_words(name: str) -> Iterable[str]:
    return name.lower().replace("-", "_").replace("/", "_").split("_")
