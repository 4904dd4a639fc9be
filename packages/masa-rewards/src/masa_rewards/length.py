"""The length reward: is the predicted length within the range of the correct rollouts?"""

from __future__ import annotations

from masa_rewards._inputs import require_prediction
from masa_rewards.types import MetaPrediction, RolloutGroup


def length_reward(prediction: MetaPrediction, group: RolloutGroup) -> float:
    """Reward a predicted solution length that a correct rollout could have had.

        r_length = 1 if l_min <= l̂ <= l_max else 0

    with l_min and l_max over the correct rollouts only, both included (MASA, length reward).

    Examples:
        >>> from masa_rewards import Rollout
        >>> group = RolloutGroup(
        ...     problem="2 + 2?",
        ...     rollouts=(
        ...         Rollout(text="4", length=100, correct=True),
        ...         Rollout(text="Four.", length=300, correct=True),
        ...         Rollout(text="5", length=900, correct=False),
        ...     ),
        ... )
        >>> [length_reward(MetaPrediction(length=length), group) for length in (99, 100, 300, 900)]
        [0.0, 1.0, 1.0, 0.0]

    Args:
        prediction: Its `length` is l̂, in tokens.
        group: The G >= 1 verified rollouts of the same problem, lengths in tokens.

    Returns:
        1.0 or 0.0. 0.0 when no rollout is correct, and when the length is unreadable. With one
        correct rollout only its exact length is rewarded.

    Raises:
        TypeError: If `prediction` is not a prediction, or `group` not a group.
        ValueError: If the group is empty.
    """
    require_prediction(prediction, group)
    group.require_rollouts()
    lengths = group.correct_lengths
    if prediction.length is None or not lengths:
        return 0.0
    return float(min(lengths) <= prediction.length <= max(lengths))
