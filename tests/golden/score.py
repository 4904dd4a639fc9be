"""Golden reports of masa_rewards.score, over a generated file."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from masa_rewards import MetaPrompt, NotionRules
from masa_rewards.score import ScoreSettings, score_lines

from tests.golden.scripted_policy import NOTIONS

_SETTINGS = {
    "defaults": ScoreSettings(),
    "strict": ScoreSettings(
        prompt=MetaPrompt(scale=4, min_length=20, max_length=90),
        base=0.2,
        notion_rules=NotionRules(min_length=2),
        top=4,
    ),
}


def score_files() -> list[dict[str, Any]]:
    """Return a report a number of lines and settings; few lines give wide intervals, or none."""
    lines = [json.dumps(_make_line(Random(f"score/{number}"), number)) for number in range(120)]
    return [
        {"settings": name, "lines": count, **_make_report(lines[:count], settings)}
        for name, settings in _SETTINGS.items()
        for count in (0, 1, 2, 7, 12, 120)
    ]


def _make_report(lines: list[str], settings: ScoreSettings) -> dict[str, Any]:
    return score_lines(lines, settings=settings).model_dump(mode="json")


def _make_line(draw: Random, number: int) -> dict[str, Any]:
    rate, length = draw.choice((0.0, 0.3, 0.6, 1.0)), draw.randrange(10, 90)
    rollouts = []
    for _ in range(draw.choice((0, 3, 6, 6))):
        correct = draw.random() < rate
        ideas = [draw.choice(NOTIONS[: 5 if correct else None]) for _ in range(2)]
        rollouts.append(
            {
                "text": f"By {ideas[0]} and {ideas[1]}.",
                "length": max(0, length + draw.randrange(-9, 10)),
                "correct": None if draw.random() < 0.05 else correct,
            }
        )
    predictions = [_make_prediction(draw, rate, length) for _ in range(draw.randrange(5))]
    idea = NOTIONS[number % len(NOTIONS)] if number % 3 == 0 else "the roots"
    problem = f"Find {idea}, case {number % 110}."
    return {"problem": problem, "rollouts": rollouts, "predictions": predictions}


def _make_prediction(draw: Random, rate: float, length: int) -> str | dict[str, Any]:
    notions = [draw.choice(NOTIONS) for _ in range(draw.randrange(4))]
    said = min(8, max(0, round(8 * rate) + draw.randrange(-2, 3)))
    guess = max(1, length + draw.randrange(-20, 21))
    form = draw.random()
    if form < 0.05:
        return "I do not know."
    if form < 0.5:
        return {"pass_rate": said / 8, "length": guess, "notions": notions}
    return json.dumps({"math_notion": notions, "pass_rate": said, "solution_length": guess})
