"""One logged rollout, and the plain values that logs hold."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple


class LoggedRollout(NamedTuple):
    """A rollout as a log of a training run has it: a row, or a trace.

    Attributes:
        group: What the rollouts of one problem in one step share.
        prompt: What the policy read, or the bare problem where the log has that.
        text: What the policy wrote.
        tokens: Its length in tokens; None where the log does not say.
        rewards: Reward name -> value.
        correct: Whether its answer is right, where the log says so itself.
        answer: The right answer, where the log has it.
        is_prediction: Whether it answers the meta prompt; None where the log does not say.
    """

    group: Hashable
    prompt: str
    text: str
    tokens: int | None
    rewards: Mapping[str, float]
    correct: bool | None
    answer: str | None
    is_prediction: bool | None


class FormError(ValueError):
    """A file, or a row of it, that is of no form that can be read; the message says what is."""


def join_messages(value: Any, roles: Sequence[str] | None = None) -> str:
    """Return a text, or the text of messages in chat form.

    Args:
        value: A text; or messages, whose content is a text or blocks with a text.
        roles: Only of these roles; by default of all.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, Sequence):
        raise FormError(
            f"a prompt or a response is a text or a list of messages, got {value!r:.80}"
        )
    parts = []
    for message in value:
        if not isinstance(message, Mapping):
            raise FormError(f"a message is an object with role and content, got {message!r:.80}")
        if roles is None or message.get("role") in roles:
            keys = ("reasoning_content", "thinking", "content")
            parts += [_read_content(message[key]) for key in keys if message.get(key)]
    return "\n".join(parts)


def _read_content(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(block.get("text") or "" for block in content if isinstance(block, Mapping))


def read_number(value: Any) -> float | None:
    """Return a number that is finite, a bool as 0 or 1; None for anything else."""
    if isinstance(value, bool | int | float) and math.isfinite(value):
        return float(value)
    return None


def read_count(value: Any) -> int | None:
    """Return a whole number >= 0, or how many a list holds; None for anything else."""
    if isinstance(value, list):
        return len(value)
    number = None if isinstance(value, bool) else read_number(value)
    return int(number) if number is not None and number >= 0 and number == int(number) else None


def read_answer(value: Any) -> str | None:
    """Return a right answer as text; None where there is none.

    A list of one, as some data sets have it, is that one.
    """
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value).strip() or None
    return None
