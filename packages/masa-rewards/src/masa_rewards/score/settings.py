"""What predictions are parsed and rewarded by."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from masa_rewards.difficulty import DIFFICULTY_BASE
from masa_rewards.notions.rules import NotionRules
from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.score.report import ReportSettings


class ScoreSettings(BaseModel):
    """What predictions are parsed and rewarded by. The defaults are the paper's.

    Attributes:
        prompt: Reads predictions that are given as text; the one that asked for them.
        base: b of the difficulty reward, in (0, 1).
        notion_rules: Which notions count, and how.
        top: How many of the best and of the worst notions to report, >= 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: MetaPrompt = MetaPrompt()
    base: Annotated[float, Field(gt=0.0, lt=1.0)] = DIFFICULTY_BASE
    notion_rules: NotionRules = NotionRules()
    top: Annotated[int, Field(ge=0)] = 10


def describe_settings(settings: ScoreSettings) -> ReportSettings:
    """Summarise what predictions were parsed and rewarded by."""
    prompt, rules = settings.prompt, settings.notion_rules
    return ReportSettings(
        scale=prompt.scale,
        min_length=prompt.min_length,
        max_length=prompt.max_length,
        base=settings.base,
        notion_counting=rules.counting,
        notion_min_length=rules.min_length,
        stop_words=len(rules.stop_words),
    )
