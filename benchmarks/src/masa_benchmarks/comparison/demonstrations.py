"""What the policy is asked, and what the warm-up shows of it.

How a sum is worked out, and the form of a prediction.
"""

from __future__ import annotations

import json
import random

from masa_benchmarks.comparison.task import VALUES, Name, SumProblem, find_range

SOLUTION_TEMPLATE = "{problem}\nSolve."
META_TEMPLATE = "{problem}\nPredict."

NOTIONS = ("recall", "guess", "again")

MISTAKE_RATE = 0.15
"""How often the first value said of a half-known name lies in another range."""

LENGTHS = (20, 120)
"""Between these lie the solution lengths that demonstrated predictions state, whatever is true."""

SCALE = 8
"""A prediction states its pass rate as an integer from 0 to this."""


def _recall_value(name: Name, rng: random.Random) -> int:
    """Return the value that somebody says who knows of the name what the warm-up knows."""
    if name.sort == "known":
        return name.value
    if name.sort == "unknown" or rng.random() < MISTAKE_RATE:
        return rng.choice(VALUES)
    return name.value if rng.random() < 0.5 else name.mistaken


def write_solution_demo(problem: SumProblem, rng: random.Random) -> str:
    """Return a solution, right or wrong, as somebody works it out who knows what the policy may."""
    total, lines = 0, []
    for name in problem.names:
        word = "guess" if name.sort == "unknown" else "recall"
        value = _recall_value(name, rng)
        line = f"{name.text} {word} {value} {find_range(value)}"
        while find_range(value) != name.range:
            value = _recall_value(name, rng)
            line += f" no again {value} {find_range(value)}"
        total += value
        lines.append(f"{line} fits sum {total:02d}")
    return f"So {'; '.join(lines)}.\n\\boxed{{{total:02d}}}"


def write_meta_demo(rng: random.Random) -> str:
    """Return a prediction that teaches the form only: its numbers and notions are drawn at random.

    What a trained policy's predictions say about a problem, it learned from the meta reward.
    """
    prediction = {
        "pass_rate": rng.randint(0, SCALE),
        "solution_length": rng.randint(*LENGTHS),
        "math_notion": rng.sample(NOTIONS, rng.randint(1, 2)),
    }
    return f"<meta></meta>{json.dumps(prediction)}"
