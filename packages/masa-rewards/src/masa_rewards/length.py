"""The length reward: does the predicted length lie among those of the correct rollouts?"""

from __future__ import annotations

from masa_rewards.types import MetaPrediction, RolloutGroup


def length_reward(prediction: MetaPrediction, group: RolloutGroup) -> float:
    """Reward a predicted solution length that a correct rollout could have had.

        r_length = 1 if l_min <= l̂ <= l_max else 0

    with l_min and l_max over the correct rollouts only, both included (MASA, length reward).

    Args:
        prediction: Its `length` is l̂, in tokens.
        group: The G >= 1 verified rollouts of the same problem, lengths in tokens.

    Returns:
        1.0 or 0.0. 0.0 when no rollout is correct, and when no length was predicted. With one
        correct rollout only its exact length pays.

    Raises:
        ValueError: If the group is empty.
    """
    group.require_rollouts()
    lengths = group.correct_lengths
    if prediction.length is None or not lengths:
        return 0.0
    return float(min(lengths) <= prediction.length <= max(lengths))
