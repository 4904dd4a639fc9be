"""A made-up file, to see what `score` says before there is one of your own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

DEMO_NOTE = "Made-up data (--demo): 120 problems of a model that half knows itself; nobody's result"

_PROBLEMS, _ROLLOUTS, _PREDICTIONS = 120, 8, 8
_NOTIONS = ("Vieta's formulas", "modular arithmetic", "telescoping sum", "similar triangles")


def make_demo_lines() -> Iterator[str]:
    """Yield the lines of a made-up file, always the same.

    A third of the problems is out of the model's reach, a quarter too easy. It feels its chance
    with some noise, says it rounded to eighths, and thinks a little too well of itself.
    """
    draw = Random(20)
    for number in range(_PROBLEMS):
        yield json.dumps(_make_problem(draw, number))


def _make_problem(draw: Random, number: int) -> dict[str, object]:
    chance = draw.choices((0.0, draw.uniform(0.1, 0.9), 1.0), (0.33, 0.42, 0.25))[0]
    usual = round(900 - 500 * chance)
    notion = _NOTIONS[number % len(_NOTIONS)]
    rollouts = []
    for _ in range(_ROLLOUTS):
        right = draw.random() < chance
        length = max(40, round(draw.gauss(usual, 90) * (1 if right else 1.4)))
        idea = notion if right else "trial and error"
        text = f"By {idea} we get the answer. " + "So it goes on. " * (length // 4)
        rollouts.append({"text": text, "length": length, "correct": right})
    felt = min(1.0, max(0.0, chance + draw.gauss(0.03, 0.08)))
    said = [min(8, max(0, round(8 * felt + draw.gauss(0, 0.35)))) for _ in range(_PREDICTIONS)]
    predictions = [
        "<meta>I have seen the like.</meta> "
        + json.dumps(
            {
                "math_notion": [notion],
                "pass_rate": rate,
                "solution_length": max(128, round(draw.gauss(usual, 120))),
            }
        )
        for rate in said
    ]
    problem = f"Made-up problem {number + 1}"
    return {"problem": problem, "rollouts": rollouts, "predictions": predictions}
