"""The tiny task: chains of arithmetic modulo 100, from always solved to never solved.

A problem starts from a number and lists up to five operations, to be done in order::

    Mod 100, from 47:
    (a) plus 8
    (b) times 3
    (c) minus 9

Each problem is of one of five kinds. The kind itself is not stated, but what makes a problem hard
can be seen in its text (how many operations, which ones, which digits), so that a policy can learn
to foresee its own pass rate from the problem alone.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, NamedTuple

Operation = Literal["plus", "minus", "times", "hash"]
ChainKind = Literal["easy", "carry", "mixed", "long", "hash"]

MODULUS = 100
LABELS = "abcde"
FACTORS = (2, 3)
"""Operands of "times"."""


class ChainStep(NamedTuple):
    """One operation on the running value: a name and a digit."""

    operation: Operation
    digit: int


class KindRecipe(NamedTuple):
    """How problems of a kind are drawn.

    Attributes:
        weight: Share of all problems.
        steps: Fewest and most operations, both included.
        operations: Drawn from uniformly.
        digits: Operands; those of "times" are `FACTORS`.
        crossing: Whether "plus" may carry and "minus" may borrow.
    """

    weight: float
    steps: tuple[int, int]
    operations: tuple[Operation, ...]
    digits: tuple[int, ...]
    crossing: bool


_SMALL, _LARGE = (1, 2), (7, 8, 9)

RECIPES: dict[ChainKind, KindRecipe] = {
    "easy": KindRecipe(0.22, (1, 2), ("plus", "minus"), (0,), crossing=False),
    "carry": KindRecipe(0.18, (3, 4), ("plus", "minus"), _LARGE, crossing=True),
    "mixed": KindRecipe(0.24, (3, 5), ("plus", "minus", "times"), _SMALL + _LARGE, crossing=True),
    "long": KindRecipe(0.08, (5, 5), ("plus", "minus", "times"), _SMALL + _LARGE, crossing=True),
    "hash": KindRecipe(0.28, (1, 3), ("hash",), tuple(range(1, 10)), crossing=True),
}
"""The mix: about as much that is always solved as is never, so that no constant prediction pays.

Operands are few, so that their tables can be learned within a minute.
"""


@dataclass(frozen=True)
class ChainProblem:
    """A problem, its answer, and what it was made from.

    Attributes:
        id: Unique within one call of `make_problems`.
        problem: The text the policy is given.
        answer: The gold answer as text: an integer from 0 to 99, one from 100 to 999 of "hash".
        kind: Which recipe it was drawn from.
        start: The number the chain starts from.
        steps: The operations, in order.
    """

    id: str
    problem: str
    answer: str
    kind: ChainKind
    start: int
    steps: tuple[ChainStep, ...]


def _make_hash_table() -> tuple[tuple[int, ...], ...]:
    """Return the table of "hash", `[value % 100][digit]`: fixed, arbitrary, in no demonstration.

    Its values have three digits, so that no guess of two is right by luck: what cannot be solved
    is never solved.
    """
    rng = random.Random("the table that nobody taught")
    return tuple(tuple(rng.randrange(100, 1000) for _ in range(10)) for _ in range(MODULUS))


_HASH = _make_hash_table()


def apply_step(value: int, step: ChainStep) -> int:
    """Return the running value after `step`, from 0 to 99."""
    operation, digit = step
    if operation == "plus":
        return (value + digit) % MODULUS
    if operation == "minus":
        return (value - digit) % MODULUS
    if operation == "times":
        return (value * digit) % MODULUS
    return _HASH[value % MODULUS][digit]


def is_crossing(value: int, step: ChainStep) -> bool:
    """Return whether `step` carries or borrows between the digits of `value`."""
    if step.operation == "plus":
        return value % 10 + step.digit > 9
    return step.operation == "minus" and value % 10 < step.digit


def _draw_step(rng: random.Random, recipe: KindRecipe, value: int) -> ChainStep:
    while True:
        operation = rng.choice(recipe.operations)
        digits = FACTORS if operation == "times" else recipe.digits
        step = ChainStep(operation, rng.choice(digits))
        if recipe.crossing or not is_crossing(value, step):
            return step


def _draw_problem(rng: random.Random, recipe: KindRecipe) -> tuple[int, tuple[ChainStep, ...]]:
    start = value = rng.randrange(MODULUS)
    steps: list[ChainStep] = []
    for _ in range(rng.randint(*recipe.steps)):
        steps.append(_draw_step(rng, recipe, value))
        value = apply_step(value, steps[-1])
    return start, tuple(steps)


def render_chain(start: int, steps: Collection[ChainStep]) -> str:
    """Return the text of a problem."""
    lines = [f"Mod {MODULUS}, from {start:02d}:"]
    lines += [f"({name}) {op} {digit}" for name, (op, digit) in zip(LABELS, steps, strict=False)]
    return "\n".join(lines)


def solve_chain(start: int, steps: Collection[ChainStep]) -> int:
    """Return the value at the end of the chain."""
    value = start
    for step in steps:
        value = apply_step(value, step)
    return value


def make_problems(
    n: int,
    seed: int,
    *,
    exclude: Collection[str] = (),
    kinds: Collection[ChainKind] = tuple(RECIPES),
) -> list[ChainProblem]:
    """Draw `n` different problems.

    Args:
        n: How many, at least 0.
        seed: The same seed gives the same problems, on every machine.
        exclude: Texts that must not come up: pass those of one split to get another, disjoint.
        kinds: Only these, in the proportion of their weights.

    Returns:
        The problems in the order drawn. Kinds come up by the weights of `RECIPES`; beyond some
        1,500 problems the easy ones, of which there are 600, thin out.
    """
    rng = random.Random(f"tiny problems {seed}")
    names = tuple(kinds)
    weights = [RECIPES[name].weight for name in names]
    seen = set(exclude)
    problems: list[ChainProblem] = []
    while len(problems) < n:
        kind = rng.choices(names, weights)[0]
        start, steps = _draw_problem(rng, RECIPES[kind])
        text = render_chain(start, steps)
        if text in seen:
            continue
        seen.add(text)
        name = f"tiny-{seed}-{len(problems)}"
        problems.append(
            ChainProblem(name, text, str(solve_chain(start, steps)), kind, start, steps)
        )
    return problems
