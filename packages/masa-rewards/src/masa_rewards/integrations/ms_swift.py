"""The rewards in ms-swift: a reward plug-in (ORM) for its GRPO. Written for ms-swift 4.6.

See docs/guides/stacks/ms-swift.md.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from masa_rewards.difficulty import DIFFICULTY_BASE
from masa_rewards.integrations.batch_metrics import measure_samples
from masa_rewards.integrations.batch_reward import BatchReward, to_samples
from masa_rewards.integrations.rows import PromptRow
from masa_rewards.notions.reward import PAPER
from masa_rewards.notions.rules import NotionRules
from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.verify.verifier import AnswerVerifier

# Below ms-swift's own logger, so that it shows where ms-swift's lines do.
_logger = logging.getLogger("swift.masa_rewards")


class MasaReward(BatchReward):
    """Rewards solution and meta rollouts, as an ORM of ms-swift.

    Register it in a plug-in, with the prompt that built the rows:

        orms["masa"] = functools.partial(MasaReward, prompt=MetaPrompt(max_length=2048))

    Args:
        args: ms-swift's arguments, which it gives when it makes the ORM. Not used.
        prompt: Reads the predictions; must be the prompt that built the rows.
        verifier: Verifies the solutions of this process; by default one with two workers.
        base: b of the difficulty reward.
        notion_rules: Which notions count, and how.
    """

    advice = (
        "In ms-swift: use --dataset_shuffle false and --split_dataset_ratio 0, make the rows with "
        "paired_rows, and let generation_batch_size be a multiple of num_generations times the "
        "rows of a problem; evaluation always shuffles, so evaluate on the solution rows alone"
    )

    def __init__(
        self,
        args: object = None,
        *,
        prompt: MetaPrompt,
        verifier: AnswerVerifier | None = None,
        base: float = DIFFICULTY_BASE,
        notion_rules: NotionRules = PAPER,
    ) -> None:
        super().__init__(prompt, verifier=verifier, base=base, notion_rules=notion_rules)
        self.args = args

    def __call__(
        self,
        completions: Sequence[Any],
        *,
        response_token_ids: Sequence[Sequence[Any] | None],
        **columns: Any,
    ) -> list[float]:
        """Reward the samples of this process. ms-swift calls it.

        The metrics of this process's part of the batch are logged at level INFO: ms-swift gives
        reward functions nothing to log with.

        Args:
            completions: N responses.
            response_token_ids: Their tokens, which are counted; in a rollout of several turns
                they stand turn by turn.
            columns: The columns of the data set, N values each, and what else ms-swift gives.

        Returns:
            N rewards in [0, 1].

        Raises:
            ValueError: If a column or the tokens of a response are missing, or a problem has meta
                samples in this batch and no solution.
        """
        lengths = [_count_tokens(tokens or ()) for tokens in response_token_ids]
        for completion, length in zip(completions, lengths, strict=True):
            if completion and not length:
                raise ValueError(
                    f"response {completion!r} came without response_token_ids, so its length is "
                    "not known: use a rollout engine that returns them"
                )
        samples = to_samples(completions, lengths, columns)
        rewards = self.reward(samples)
        metrics = measure_samples(samples, [reward.result for reward in rewards])
        means = {name: fmean(values) for name, values in metrics.items()}
        _logger.info("%s", " ".join(f"{name}={mean:.4g}" for name, mean in sorted(means.items())))
        return [reward.value for reward in rewards]


def _count_tokens(tokens: Sequence[Any]) -> int:
    return sum(1 if isinstance(token, int) else len(token) for token in tokens)


def swift_rows(rows: Iterable[PromptRow]) -> list[dict[str, Any]]:
    """Put rows of `paired_rows` into ms-swift's form: "messages" for "prompt".

    Args:
        rows: The rows.

    Returns:
        As many, to be written as JSON lines.
    """
    return [
        {
            "messages": [{"role": "user", "content": row["prompt"]}]
            if isinstance(row["prompt"], str)
            else row["prompt"],
            "kind": row["kind"],
            "problem_id": row["problem_id"],
            "problem": row["problem"],
            "answer": row["answer"],
        }
        for row in rows
    ]
