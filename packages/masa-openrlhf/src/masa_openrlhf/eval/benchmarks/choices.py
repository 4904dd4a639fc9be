"""Multiple choice: the choices are shuffled by a seed, and the gold moves with them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class ShuffledChoices(NamedTuple):
    """Choices in the order in which they are asked.

    Attributes:
        options: their texts.
        order: for each place, the place it had before.
        letter: of the right one.
    """

    options: tuple[str, ...]
    order: tuple[int, ...]
    letter: str


def shuffle_choices(options: Sequence[str], right: int, *, seed: int, key: str) -> ShuffledChoices:
    """Shuffle the choices of one question.

    Args:
        options: K >= 2 texts, in the source's order.
        right: place of the right one, 0 to K - 1.
        seed: of the evaluation.
        key: names the question, so that each has an order of its own, whichever others are asked.

    Returns:
        The choices as they are asked. Every order is equally likely over keys, so that whoever
        always says the same letter is right in 1 of K questions.

    Raises:
        ValueError: fewer than two choices, more than letters, or `right` is none of them.
    """
    if not 2 <= len(options) <= len(LETTERS):
        raise ValueError(f"a question has 2 to {len(LETTERS)} choices, got {len(options)}")
    if not 0 <= right < len(options):
        raise ValueError(f"the right choice is one of 0 to {len(options) - 1}, got {right}")
    order = list(range(len(options)))
    random.Random(f"{seed}/choices/{key}").shuffle(order)
    return ShuffledChoices(
        options=tuple(options[place] for place in order),
        order=tuple(order),
        letter=LETTERS[order.index(right)],
    )


def letter_choices(options: Sequence[str]) -> str:
    """Write the choices a line each, "A) text"."""
    return "\n".join(f"{letter}) {text}" for letter, text in zip(LETTERS, options, strict=False))
