"""A policy that answers from a seeded generator: problems easy, hopeless and between."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

from masa_control import Completion, Problem

from tests.masa_control.fakes import make_completion

NOTIONS = (
    "Vieta formulas",
    "modular arithmetic",
    "quadratic equation",
    "pigeonhole principle",
    "geometric series",
    "prime numbers",
    "triangle inequality",
    "binomial theorem",
    "the sum",
    "number",
)
SCALE = 8
_PROBLEM_PREFIX = "Problem "


def make_problem(number: int) -> Problem:
    """Return a problem; every third one holds a notion in its statement."""
    idea = "a quadratic equation" if number % 3 == 0 else "two numbers"
    return Problem(id=f"p{number}", text=f"{_PROBLEM_PREFIX}{number}: {idea}, 2 + 2?", answer="4")


class GeneratedPolicy:
    """Draws each group from a generator of its own, so that no order of calls matters.

    A group is named by run, step, problem and kind. A problem is solved by a rate between 0 and 1
    that moves with the step; predictions lie near it, and are at times unreadable or in part so.

    Args:
        run: name of the golden run.
        step: from 1.
    """

    def __init__(self, run: str, step: int) -> None:
        self._run, self._step = run, step

    def encode(self, prompt: str) -> list[int]:
        return [int(prompt.split(_PROBLEM_PREFIX)[-1].split(":")[0])]

    async def generate(
        self, token_ids: Sequence[int], *, max_tokens: int, n: int, kind: str
    ) -> Sequence[Completion]:
        (number,) = token_ids
        draw = Random(f"{self._run}/{self._step}/{number}/{kind}")
        rate, length = self._truth(number)
        make = self._predict if kind == "meta" else self._solve
        return [make(draw, rate, length, max_tokens) for _ in range(n)]

    def _truth(self, number: int) -> tuple[float, int]:
        """How often the problem is solved, and in about how many tokens."""
        draw = Random(f"{self._run}/{number}")
        rate = draw.choice((-0.4, 0.0, 0.2, 0.5, 0.8, 1.0, 1.4)) + 0.01 * self._step
        return min(1.0, max(0.0, rate)), draw.randrange(8, 40)

    def _predict(self, draw: Random, rate: float, length: int, max_tokens: int) -> Completion:
        if draw.random() < 0.06:
            return make_completion("Hm.", tokens=2)
        said = {
            "math_notion": [draw.choice(NOTIONS) for _ in range(draw.randrange(4))],
            "pass_rate": min(SCALE, max(0, round(rate * SCALE) + draw.choice((-1, 0, 0, 0, 1)))),
            "solution_length": max(1, length + draw.randrange(-6, 12)),
            "small": draw.choice((True, False)),
        }
        if draw.random() < 0.1:
            del said[draw.choice(tuple(said))]
        truncated = draw.random() < 0.03
        return make_completion(f"<meta></meta>{json.dumps(said)}", draw.randrange(3, 9), truncated)

    def _solve(self, draw: Random, rate: float, length: int, max_tokens: int) -> Completion:
        right = draw.random() < rate
        ideas = [draw.choice(NOTIONS[: 5 if right else None]) for _ in range(2)]
        last = "4" if right else draw.choice(("5", "7", "-4"))
        if draw.random() < 0.04:
            last = draw.choice("?!")
        tokens = length + draw.randrange(-5, 6) + (0 if right else draw.randrange(60))
        if tokens > max_tokens:
            return make_completion(f"By {ideas[0]} so", max_tokens, truncated=True)
        return make_completion(f"By {ideas[0]} and {ideas[1]} it is {last}", max(1, tokens))
