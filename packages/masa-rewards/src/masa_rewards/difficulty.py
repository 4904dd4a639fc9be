"""The difficulty reward: how close is the predicted pass rate to the true one?"""

from __future__ import annotations

from masa_rewards._inputs import require_prediction
from masa_rewards.types import MetaPrediction, RolloutGroup

DIFFICULTY_BASE = 0.01
"""b of the paper."""


def difficulty_reward(
    prediction: MetaPrediction, group: RolloutGroup, *, base: float = DIFFICULTY_BASE
) -> float:
    """Reward a predicted pass rate by its distance from the true one.

        r_difficulty = b ** |p - p̂|

    with p the share of correct rollouts (MASA, difficulty reward). With b = 0.01 an error of one
    eighth is worth 0.56, one of a half 0.1, and the worst possible 0.01.

    Examples:
        >>> from masa_rewards import Rollout
        >>> rollouts = [Rollout(text="4", length=9, correct=correct) for correct in (True, False)]
        >>> group = RolloutGroup(problem="2 + 2?", rollouts=tuple(rollouts))
        >>> predictions = [MetaPrediction(pass_rate=p) for p in (0.5, 0.625, 1.0)]
        >>> [round(difficulty_reward(prediction, group), 2) for prediction in predictions]
        [1.0, 0.56, 0.1]

    Args:
        prediction: Its `pass_rate` is p̂, in [0, 1].
        group: The G >= 1 verified rollouts of the same problem.
        base: b, in (0, 1): the reward of the worst possible prediction.

    Returns:
        A float in [b, 1], or 0.0 when the pass rate is unreadable. Defined for every group that is
        not empty: all wrong is p = 0, one rollout is p = 0 or 1.

    Raises:
        TypeError: If `prediction` is not a prediction, or `group` not a group.
        ValueError: If the group is empty, or `base` is not in (0, 1).
    """
    require_prediction(prediction, group)
    if not 0.0 < base < 1.0:
        raise ValueError(f"base must be in (0, 1), the paper's is {DIFFICULTY_BASE}: got {base!r}")
    pass_rate = group.pass_rate
    if prediction.pass_rate is None:
        return 0.0
    return float(base ** abs(pass_rate - prediction.pass_rate))
