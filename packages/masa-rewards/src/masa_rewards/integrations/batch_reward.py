"""What the reward functions of TRL and ms-swift share: all but their signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from masa_rewards.difficulty import DIFFICULTY_BASE
from masa_rewards.integrations.distributed import reward_own
from masa_rewards.integrations.result import RewardResult, TrainingReward
from masa_rewards.integrations.samples import MissingSolutionsError, Sample, warn_of_failures
from masa_rewards.notions.reward import PAPER
from masa_rewards.notions.rules import NotionRules
from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.verify.verifier import AnswerVerifier

COLUMNS = ("kind", "problem_id", "problem", "answer")
"""Columns that the data set needs in addition to the prompt."""

SKIPPED = "masa_skipped"
"""Column of a trainer with a gate: whether it skipped the row's problem."""


class BatchReward:
    """Rewards one process's samples of a batch. It can be pickled.

    Args:
        prompt: Reads the predictions; must be the prompt that built the rows.
        verifier: Verifies the solutions of this process; by default one with two workers.
        base: b of the difficulty reward.
        notion_rules: Which notions count, and how.

    Attributes:
        last_results: Of the last call: the result of each sample, in their order.
    """

    advice = ""
    """The fix, in this stack, for a problem whose meta samples come without its solutions."""

    def __init__(
        self,
        prompt: MetaPrompt,
        *,
        verifier: AnswerVerifier | None = None,
        base: float = DIFFICULTY_BASE,
        notion_rules: NotionRules = PAPER,
    ) -> None:
        self.prompt = prompt
        self.verifier = AnswerVerifier() if verifier is None else verifier
        self.base = base
        self.notion_rules = notion_rules
        self.last_results: tuple[RewardResult, ...] = ()

    def reward(self, samples: Sequence[Sample]) -> list[TrainingReward]:
        """Reward the samples of this process by the solutions of all; log verifier failures.

        Args:
            samples: The N >= 0 samples of this process.

        Returns:
            N rewards, in their order.

        Raises:
            MissingSolutionsError: A problem that was not skipped has meta samples in this batch
                and no solution.
            ValueError: If a kind is unknown, or a solution has no right answer.
        """
        try:
            rewards = reward_own(
                samples,
                self.verifier,
                prompt=self.prompt,
                base=self.base,
                notion_rules=self.notion_rules,
            )
        except MissingSolutionsError as error:
            raise MissingSolutionsError(f"{error}. {self.advice}") from error
        self.last_results = tuple(reward.result for reward in rewards)
        warn_of_failures([result.verdict for result in self.last_results])
        return rewards


def to_samples(
    completions: Sequence[Any], lengths: Sequence[int], columns: Mapping[str, Any]
) -> list[Sample]:
    """Convert the arguments of TRL and ms-swift to samples.

    Args:
        completions: N responses: texts, or lists of messages.
        lengths: Their lengths in tokens.
        columns: `COLUMNS`, N values each, and `SKIPPED` where a trainer has a gate; others are
            left alone.

    Returns:
        N samples.

    Raises:
        ValueError: If a column is missing or not of N values, or a sample has no problem id.
        TypeError: If a response is neither a text nor a list of messages.
    """
    if missing := [name for name in COLUMNS if name not in columns]:
        raise ValueError(
            f"the data set lacks the columns {missing!r}; there are {sorted(columns)!r}. Make its "
            "rows with masa_rewards.integrations.rows.paired_rows"
        )
    if None in columns["problem_id"]:
        row = {name: columns[name][columns["problem_id"].index(None)] for name in COLUMNS}
        raise ValueError(
            f"problem_id joins the prompts of a problem, and must not be None: {row!r}"
        )
    skipped = columns.get(SKIPPED) or [False] * len(completions)
    rows = zip(*(columns[name] for name in COLUMNS), completions, lengths, skipped, strict=True)
    return [
        Sample(
            kind,
            str(problem_id),
            problem,
            join_assistant_text(completion),
            length,
            _read_gold(answer),
            is_skipped,
        )
        for kind, problem_id, problem, answer, completion, length, is_skipped in rows
    ]


def join_assistant_text(completion: Any) -> str:
    """Return all that the model wrote: its thinking, where that stands apart, and its answer.

    Args:
        completion: A text, or messages in chat form; only the assistant's are read.

    Raises:
        TypeError: If it is neither.
    """
    if isinstance(completion, str):
        return completion
    if not isinstance(completion, Sequence):
        raise TypeError(f"a completion is a text or a list of messages: got {completion!r}")
    turns = [message for message in completion if message.get("role") == "assistant"]
    keys = ("reasoning_content", "thinking", "content")
    parts = [_read_content(message[key]) for message in turns for key in keys if message.get(key)]
    return "\n".join(parts)


def _read_gold(answer: object) -> str:
    return "" if answer is None else str(answer)


def _read_content(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content)
