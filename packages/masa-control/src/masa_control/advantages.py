"""Advantages within each group, whatever its size (GRPO, Dr.GRPO; paper section 3).

OpenRLHF finds a group by position, ``n_samples_per_prompt`` rewards in a row. Meta and solution
groups differ in size, and may lose members, so here a group is found by its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Estimator = Literal["group_norm", "dr_grpo", "rloo"]
ESTIMATORS: tuple[Estimator, ...] = ("group_norm", "dr_grpo", "rloo")

# Rewards that should be equal differ in their last bits. Divided by their own spread, that noise
# would become advantages of the size of a real difference.
_MIN_SPREAD = 1e-6


def compute_group_advantages(
    rewards_N: Sequence[float],
    groups_N: Sequence[str],
    scored_N: Sequence[bool],
    *,
    estimator: Estimator = "group_norm",
    weights_N: Sequence[float] | None = None,
) -> NDArray[np.float32]:
    """Return the advantage of every sample within its group.

    ``group_norm``: (r - mean) / std, the std with N-1 as OpenRLHF has it. ``dr_grpo``: r - mean.
    ``rloo``: r - mean of the others.

    Args:
        rewards_N: rewards, any scale.
        groups_N: name of each sample's group.
        scored_N: whether the sample has a reward. One without is left out of its group's mean and
            std, and its advantage is 0.
        estimator: the rule.
        weights_N: factor on each sample's advantage; unset: 1.

    Returns:
        Advantages, shape (N,). 0 throughout a group whose rewards are all equal, or that has fewer
        than two scored samples.

    Raises:
        ValueError: an unknown estimator, or a reward that is not finite.
    """
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator must be one of {ESTIMATORS}, got {estimator!r}")
    rewards = np.asarray(rewards_N, dtype=np.float64)
    scored = np.asarray(scored_N, dtype=bool)
    names = np.asarray(groups_N)
    if not np.isfinite(rewards[scored]).all():
        bad = names[scored][~np.isfinite(rewards[scored])]
        raise ValueError(f"rewards must be finite, got others in groups {sorted(set(bad))!r}")
    advantages = np.zeros(len(rewards))
    for name in dict.fromkeys(groups_N):
        members = scored & (names == name)
        advantages[members] = _normalise_group(rewards[members], estimator)
    if weights_N is not None:
        advantages *= np.asarray(weights_N, dtype=np.float64)
    return advantages.astype(np.float32)


def _normalise_group(rewards: NDArray[np.float64], estimator: Estimator) -> NDArray[np.float64]:
    if len(rewards) < 2 or np.ptp(rewards) < _MIN_SPREAD:
        return np.zeros_like(rewards)
    centred = rewards - rewards.mean()
    if estimator == "group_norm":
        return np.asarray(centred / rewards.std(ddof=1))
    if estimator == "rloo":
        return np.asarray(centred * len(rewards) / (len(rewards) - 1))
    return np.asarray(centred)
