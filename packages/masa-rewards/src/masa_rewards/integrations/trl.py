"""The rewards in TRL: a reward function for `GRPOTrainer`. Written for TRL 1.16.

TRL calls it in every process, once a generation batch, with that process's part of the batch. Make
the rows with `rows.paired_rows` and train with `shuffle_dataset=False`, so that both prompts of a
problem are in one generation batch. See docs/guides/stacks/trl.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from masa_rewards.integrations.batch_metrics import measure_samples
from masa_rewards.integrations.batch_reward import BatchReward, to_samples
from masa_rewards.integrations.result import RewardResult
from masa_rewards.integrations.samples import Sample


class MasaReward(BatchReward):
    """Rewards solution and meta rollouts, as a reward function of `GRPOTrainer`.

    1 or 0 for a right or a wrong solution, the meta reward for a meta rollout. A solution for which
    the verifier failed gets the mean of its group, an advantage of 0; their number is logged. What
    a gate skipped has no reward. It can be pickled.

    Args:
        prompt: Reads the predictions; must be the prompt that built the rows.
        verifier: Verifies the solutions of this process; by default one with two workers.
        base: b of the difficulty reward.
        notion_rules: Which notions count, and how.
    """

    advice = (
        "In TRL: set shuffle_dataset=False, make the rows with paired_rows, and let "
        "generation_batch_size be a multiple of num_generations times the rows of a problem; "
        "evaluation always shuffles, so evaluate on the solution rows alone"
    )

    def __call__(
        self,
        *,
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]],
        log_metric: Callable[[str, float], None] | None = None,
        log_extra: Callable[[str, list[str]], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """Reward the samples of this process. TRL calls it.

        Args:
            completions: N responses: texts, or lists of messages.
            completion_ids: Their tokens, which are counted.
            log_metric: Takes a figure; called for every sample, so that TRL's mean over all calls
                and processes is the mean over samples.
            log_extra: Takes a column of the table of completions, here "masa".
            columns: The columns of the data set, N values each, and what else TRL gives; with a
                gate, `masa_skipped` too.

        Returns:
            N rewards in [0, 1]; None for both kinds of samples of a problem that was skipped.

        Raises:
            ValueError: If a column is missing, or a problem has meta samples in this batch and no
                solution.
        """
        lengths = [len(ids) for ids in completion_ids]
        samples = to_samples(completions, lengths, columns)
        rewards = self.reward(samples)
        results = [reward.result for reward in rewards]
        if log_metric is not None:
            for name, values in measure_samples(samples, results).items():
                for value in values:
                    log_metric(name, value)
        if log_extra is not None:
            log_extra("masa", list(map(_format_result, samples, results)))
        return [
            None if sample.skipped else reward.value
            for sample, reward in zip(samples, rewards, strict=True)
        ]


def _format_result(sample: Sample, result: RewardResult) -> str:
    """One cell of the table of completions."""
    if sample.skipped:
        return "skipped"
    if (rewards := result.components) is not None:
        return (
            f"length {rewards.length:.2f}, difficulty {rewards.difficulty:.2f}, "
            f"notion {rewards.notion:.2f}"
        )
    return "unrewarded" if result.verdict is None else result.verdict.status
