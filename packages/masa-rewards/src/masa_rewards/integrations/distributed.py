"""Rewards a batch that is spread over the processes of a torch.distributed group.

The solutions of a problem and its meta rollouts may be in different processes. Each verifies its
own solutions, all exchange them with their verdicts, and each rewards its own samples.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TypeVar

from masa_rewards.difficulty import DIFFICULTY_BASE
from masa_rewards.integrations.result import TrainingReward
from masa_rewards.integrations.samples import (
    Sample,
    neutral_rewards,
    reward_samples,
    verify_samples,
)
from masa_rewards.notions.reward import PAPER
from masa_rewards.notions.rules import NotionRules
from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.verify.verifier import AnswerVerifier

T = TypeVar("T")


def reward_own(
    samples: Sequence[Sample],
    verifier: AnswerVerifier,
    *,
    prompt: MetaPrompt,
    base: float = DIFFICULTY_BASE,
    notion_rules: NotionRules = PAPER,
) -> list[TrainingReward]:
    """Reward the samples of this process by the solutions of all processes.

    A collective operation: all processes of the torch.distributed group must call it equally often.
    Without such a group there is one process.

    Args:
        samples: The N >= 0 samples of this process.
        verifier: Verifies the solutions among them.
        prompt: Reads the predictions.
        base: b of the difficulty reward.
        notion_rules: Which notions count, and how.

    Returns:
        N rewards, in the order of `samples`.

    Raises:
        ValueError: As `verify_samples` and `reward_samples` do.
    """
    verdicts = verify_samples(samples, verifier)
    # Only solutions are exchanged: no other process needs the texts of meta rollouts.
    solved = [pair for pair in zip(samples, verdicts, strict=True) if pair[0].is_verified]
    own = {sample.problem_id for sample in samples}
    others = [pair for pair in gather_others(solved) if pair[0].problem_id in own]
    batch = [*samples, *(sample for sample, _ in others)]
    results = reward_samples(
        batch,
        [*verdicts, *(verdict for _, verdict in others)],
        prompt=prompt,
        base=base,
        notion_rules=notion_rules,
    )
    values = neutral_rewards(batch, results)
    rewards = [TrainingReward(*pair) for pair in zip(values, results, strict=True)]
    return rewards[: len(samples)]


def gather_others(items: Sequence[T]) -> list[T]:
    """Exchange items with the other processes of the torch.distributed group.

    Args:
        items: The items of this process; can be pickled.

    Returns:
        The items of all other processes, by rank; none where there is no such group.
    """
    # A process with a group has imported torch.distributed; none imports torch for this.
    distributed = sys.modules.get("torch.distributed")
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return []
    given: list[list[T]] = [[] for _ in range(distributed.get_world_size())]
    distributed.all_gather_object(given, list(items))
    own = distributed.get_rank()
    return [item for rank, part in enumerate(given) if rank != own for item in part]
