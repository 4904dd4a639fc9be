r"""The task of the comparison: sums over names that a policy knows, half knows, or does not know.

A problem lists names, each with the range that its value lies in::

    Sum of kel low, zop high, mir mid

A solution takes them one after the other: it says a value, checks it against the range, says
another where it does not fit, and keeps the sum::

    So kel recall 1 low fits sum 01; zop recall 2 mid no again 5 high fits sum 06;
    mir recall 3 mid fits sum 09.
    \boxed{09}

There are three sorts of names. The policy *knows* a few: their values were in its warm-up. Of many
it *half knows*: the warm-up shows both values of the range alike, so that it takes the right one
half of the time, and which it is must be found out by training, for each name anew: nothing that is
learned about one says anything about another. Of others it *knows nothing*: what it guesses is
never right, since their values are larger than any that it ever saw.

Two things follow from the task, and are in no demonstration:

- Wrong solutions are longer than right ones: a guess fits the range once in three times, a value
  remembered at once. Who knows nothing goes on guessing.
- Learning is limited by samples, not by steps: a batch touches a share of the names, half a batch
  half of it.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

NameSort = Literal["known", "half", "unknown"]
ProblemKind = Literal["trivial", "learnable", "unsolvable"]

NAME_COUNTS: dict[NameSort, int] = {"known": 12, "half": 48, "unknown": 32}
"""Names of each sort."""

RANGES = {"low": (0, 1, 2), "mid": (3, 4, 5), "high": (6, 7, 8, 9)}
"""The values of each range."""

VALUES = tuple(range(10))
"""Values of names that are known or half known."""

KIND_WEIGHTS: dict[ProblemKind, float] = {"trivial": 0.15, "learnable": 0.6, "unsolvable": 0.25}
"""Share of each kind among the problems."""

HALF_KNOWN_COUNTS = (1, 2, 3)
"""Half-known names of a learnable problem; its others are known."""

NAMES_PER_PROBLEM: dict[ProblemKind, int] = {"trivial": 4, "learnable": 5, "unsolvable": 8}
"""Names of a problem."""

UNKNOWN_PER_PROBLEM = 6
"""Unknown names of an unsolvable problem; its others are known."""


@dataclass(frozen=True)
class Name:
    """A name and the value that it stands for.

    Attributes:
        text: three letters.
        sort: whether the warm-up knows it.
        value: one of `VALUES`; of an unknown name 10, 20 or 30 more.
        mistaken: another value of the same range, which a half-known name is confused with.
    """

    text: str
    sort: NameSort
    value: int
    mistaken: int

    @property
    def range(self) -> str:
        """The range that the value lies in: what the problem says of it."""
        return find_range(self.value)


def find_range(value: int) -> str:
    """Return the range of a value: its last digit decides."""
    return next(name for name, pair in RANGES.items() if value % 10 in pair)


def _draw_name(rng: random.Random, text: str, sort: NameSort) -> Name:
    value = rng.choice(VALUES)
    mistaken = rng.choice([v for v in RANGES[find_range(value)] if v != value])
    return Name(
        text, sort, value + (rng.choice((10, 20, 30)) if sort == "unknown" else 0), mistaken
    )


def _draw_all_names() -> dict[NameSort, tuple[Name, ...]]:
    """Return the names of each sort: the same ones in every process."""
    rng = random.Random("names and their values")
    consonants, vowels = "bdfgklmnprstvz", "aeiou"
    texts = [a + v + b for a in consonants for v in vowels for b in consonants]
    rng.shuffle(texts)
    found: dict[NameSort, tuple[Name, ...]] = {}
    for sort, count in NAME_COUNTS.items():
        found[sort] = tuple(_draw_name(rng, texts.pop(), sort) for _ in range(count))
    return found


NAMES_BY_SORT = _draw_all_names()
"""All names by sort."""


@dataclass(frozen=True)
class SumProblem:
    """A problem and its answer.

    Attributes:
        id: unique within one call of `make_problems`.
        problem: the text the policy is given.
        answer: the sum.
        kind: what the warm-up makes of it.
        names: in the order of the text.
    """

    id: str
    problem: str
    answer: str
    kind: ProblemKind
    names: tuple[Name, ...]


def _draw_problem_names(rng: random.Random, kind: ProblemKind) -> list[Name]:
    count = NAMES_PER_PROBLEM[kind]
    picked: list[Name] = []
    if kind == "learnable":
        picked = rng.sample(NAMES_BY_SORT["half"], rng.choice(HALF_KNOWN_COUNTS))
    elif kind == "unsolvable":
        picked = rng.sample(NAMES_BY_SORT["unknown"], UNKNOWN_PER_PROBLEM)
    picked += rng.sample(NAMES_BY_SORT["known"], count - len(picked))
    rng.shuffle(picked)
    return picked


def make_problems(
    n: int,
    seed: int,
    *,
    exclude: Collection[str] = (),
    kinds: Collection[ProblemKind] = tuple(KIND_WEIGHTS),
) -> list[SumProblem]:
    """Draw different problems.

    Args:
        n: how many.
        seed: the same seed gives the same problems.
        exclude: texts that must not come up.
        kinds: only these, in the proportion of their weights.
    """
    rng = random.Random(f"sums over names {seed}")
    chosen = tuple(kinds)
    weights = [KIND_WEIGHTS[kind] for kind in chosen]
    seen = set(exclude)
    problems: list[SumProblem] = []
    while len(problems) < n:
        kind = rng.choices(chosen, weights)[0]
        names = _draw_problem_names(rng, kind)
        text = "Sum of " + ", ".join(f"{name.text} {name.range}" for name in names)
        if text in seen:
            continue
        seen.add(text)
        total = str(sum(name.value for name in names))
        problems.append(SumProblem(f"sum-{seed}-{len(problems)}", text, total, kind, tuple(names)))
    return problems
