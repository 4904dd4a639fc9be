"""What an episode needs to know: how many rollouts, how long, and under which prompts."""

from __future__ import annotations

from collections.abc import Sequence

from masa_rewards import MetaPrompt, NotionRules
from masa_rewards.prompt.wording import fill
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from masa_control.episode.signals import (
    JUDGEMENTS,
    Judgement,
    MetaSignal,
)
from masa_control.episode.types import (
    CutIs,
    Problem,
)

HINT_TEMPLATE = (
    "{problem}\n\nThe problem could be solved using the following math notions: {notions}"
)
"""The paper's wording."""


class EpisodeSettings(BaseModel):
    """How many rollouts of each kind, how long, and under which prompts.

    Attributes:
        meta_rollouts: M, predictions a problem; 0 asks for none.
        solution_rollouts: G, solutions a problem.
        meta_max_tokens: limit of one prediction, tokens.
        solution_max_tokens: limit of one solution, tokens.
        meta_prompt: how a prediction is asked for, and read.
        solution_template: the solution prompt; ``{problem}`` stands for the statement.
        difficulty_base: b of the difficulty reward, in (0, 1).
        notion_rules: which notions count, and when one pays.
        signals: predictions of one's own beside the three; `meta_prompt` asks for them too.
        judgements: which of the three rewards are paid; all are measured.
        cut_is: what a solution is that was cut before it had stated the right answer.
        hint_template: how notions are put to a problem; holds ``{problem}`` and ``{notions}``.
        prompt_max_tokens: longest solution prompt with a hint, tokens; notions are left out until
            it fits. None: any length.
        count_notions: keep the counts of the predicted notions in the episode.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    meta_rollouts: int = Field(ge=0)
    solution_rollouts: int = Field(ge=1)
    meta_max_tokens: int = Field(ge=1)
    solution_max_tokens: int = Field(ge=1)
    meta_prompt: MetaPrompt
    solution_template: str
    difficulty_base: float = Field(default=0.01, gt=0, lt=1)
    notion_rules: NotionRules = NotionRules()
    signals: tuple[MetaSignal, ...] = ()
    judgements: tuple[Judgement, ...] = JUDGEMENTS
    cut_is: CutIs = "unknown"
    hint_template: str = HINT_TEMPLATE
    prompt_max_tokens: int | None = None
    count_notions: bool = False

    @field_validator("hint_template")
    @classmethod
    def _hint_holds_both(cls, template: str) -> str:
        if missing := [name for name in ("{problem}", "{notions}") if name not in template]:
            raise ValueError(f"hint_template must hold {missing!r}, got {template!r}")
        return template

    @field_validator("judgements")
    @classmethod
    def _once_each(cls, judgements: tuple[Judgement, ...]) -> tuple[Judgement, ...]:
        if len(set(judgements)) < len(judgements):
            raise ValueError(f"name each judgement once, got {judgements!r}")
        return tuple(name for name in JUDGEMENTS if name in judgements)

    @model_validator(mode="after")
    def _something_is_paid(self) -> EpisodeSettings:
        if not self.judgements and not self.signals:
            raise ValueError(f"nothing would be paid: name one of {JUDGEMENTS!r}, or a signal")
        return self

    @model_validator(mode="after")
    def _signals_are_asked_for(self) -> EpisodeSettings:
        asked = dict(self.meta_prompt.extra)
        if missing := [s.key for s in self.signals if s.key not in asked]:
            raise ValueError(
                f"meta_prompt does not ask for the signals {missing!r}: make it by "
                "masa_control.episode.signals.asked_for(prompt, signals)"
            )
        return self

    def solution_prompt(self, problem: Problem, hint: Sequence[str] = ()) -> str:
        """Return the prompt that asks for a solution of ``problem``, with notions as a hint."""
        text = problem.text
        if hint:
            text = fill(self.hint_template, {"problem": text, "notions": ", ".join(hint)})
        return self.solution_template.replace("{problem}", text)
