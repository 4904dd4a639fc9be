"""What an episode needs to know: how many rollouts, how long, and under which prompts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from masa_rewards import SOLUTION_TEMPLATE, MetaPrompt, NotionRules
from masa_rewards.prompt.meta_prompt import MetaPromptForm
from masa_rewards.prompt.wording import fill_wording
from pydantic import ConfigDict, Field, field_validator, model_validator

from masa_control.episode.signals import REWARD_COMPONENTS, MetaSignal, RewardComponent
from masa_control.episode.types import CutTreatment, Problem
from masa_control.settings import Settings


class MetaSettings(Settings):
    """Meta rollouts: the predictions."""

    rollouts: int = Field(default=8, ge=0)
    """M, predictions a problem."""
    max_tokens: int = Field(default=4096, ge=1)
    """Longest prediction, tokens."""
    weight: float = Field(default=1.0, ge=0)
    """Factor on the advantages of the meta group (those of the solution group have 1)."""
    difficulty_base: float = Field(default=0.01, gt=0, lt=1)
    """b of the difficulty reward b ** |p - p̂|, in (0, 1)."""
    rewards: tuple[RewardComponent, ...] = REWARD_COMPONENTS
    """Which of the paper's three rewards count; all three are measured."""
    signals: tuple[str, ...] = ()
    """Predictions of your own beside the three, as 'package.module:Class'; see
    docs/guides/signals.md."""
    notions: NotionRules = NotionRules()
    """Which notions count, and when one is rewarded."""
    prompt: MetaPromptForm = MetaPromptForm()
    """How a prediction is asked for; the longest length that it may name is solution.max_tokens."""

    @field_validator("rewards")
    @classmethod
    def _once_each(cls, rewards: tuple[RewardComponent, ...]) -> tuple[RewardComponent, ...]:
        if len(set(rewards)) < len(rewards):
            raise ValueError(f"name each reward once, got {rewards!r}")
        return tuple(name for name in REWARD_COMPONENTS if name in rewards)


class SolutionSettings(Settings):
    """Solution rollouts."""

    rollouts: int = Field(default=16, ge=1)
    """G, solutions a problem."""
    max_tokens: int = Field(default=8192, ge=1)
    """Longest solution, tokens."""
    template: str = SOLUTION_TEMPLATE
    """The solution prompt; {problem} stands for the statement."""
    hint_template: str = (
        "{problem}\n\nThe problem could be solved using the following math notions: {notions}"
    )
    """What stands for the statement where there is a hint (hints.rule); holds {problem} and
    {notions}. The paper's wording."""
    cut_is: CutTreatment = "unknown"
    """What a solution counts as that the cutoff stopped before it stated the right answer: unknown
    (neither right nor wrong: no reward, outside the pass rate) or wrong (the paper)."""

    @model_validator(mode="after")
    def _templates_hold_their_parts(self) -> SolutionSettings:
        parts = {"template": ("{problem}",), "hint_template": ("{problem}", "{notions}")}
        for name, needed in parts.items():
            text = getattr(self, name)
            for part in needed:
                if text.count(part) != 1:
                    raise ValueError(f"{name} must hold {part} exactly once, got {text!r}")
        return self


class EpisodeSettings(Settings):
    """What an episode needs to know.

    Attributes:
        meta: the predictions; with ``meta.rollouts`` 0 none is asked for.
        solution: the solutions.
        signals: predictions of one's own beside the three; the meta prompt asks for them too.
        prompt_max_tokens: longest solution prompt with a hint, tokens; notions are left out until
            it fits. None: any length.
        count_notions: keep the counts of the predicted notions in the episode.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    meta: MetaSettings = MetaSettings()
    solution: SolutionSettings = SolutionSettings()
    signals: tuple[MetaSignal, ...] = ()
    prompt_max_tokens: int | None = None
    count_notions: bool = False

    @model_validator(mode="after")
    def _something_is_rewarded(self) -> EpisodeSettings:
        if not self.meta.rewards and not self.signals:
            raise ValueError(
                f"no prediction would earn anything: name one of {REWARD_COMPONENTS!r} in "
                "meta.rewards, or a signal"
            )
        return self

    @model_validator(mode="after")
    def _prompt_can_be_made(self) -> EpisodeSettings:
        if self.meta.prompt.min_length >= self.solution.max_tokens:
            raise ValueError(
                f"meta.prompt.min_length ({self.meta.prompt.min_length}) must be below "
                f"solution.max_tokens ({self.solution.max_tokens}): predicted lengths lie between"
            )
        _ = self.meta_prompt  # its own checks, now rather than in the first episode
        return self

    @cached_property
    def meta_prompt(self) -> MetaPrompt:
        """The meta prompt: it asks for lengths up to ``solution.max_tokens``, and for signals."""
        return MetaPrompt(
            **self.meta.prompt.model_dump(),
            max_length=self.solution.max_tokens,
            extra=tuple((signal.key, signal.asked) for signal in self.signals),
        )

    def solution_prompt(self, problem: Problem, hint: Sequence[str] = ()) -> str:
        """Return the prompt that asks for a solution of ``problem``, with notions as a hint."""
        text = problem.text
        if hint:
            values = {"problem": text, "notions": ", ".join(hint)}
            text = fill_wording(self.solution.hint_template, values)
        return self.solution.template.replace("{problem}", text)
