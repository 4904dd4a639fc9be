"""One line of a file: a problem, its rollouts and the predictions of them."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    Tag,
    ValidationError,
)

from masa_rewards._text import Text
from masa_rewards.types import Count, MetaPrediction

_SHOWN = 3
"""Faults of a line that a message lists; the others are counted."""


class LineError(ValueError):
    """A line that cannot be scored, and why."""


class _Part(BaseModel):
    # Other keys of a line (an id, a model's name) are no fault.
    model_config = ConfigDict(frozen=True, extra="ignore")


class LineRollout(_Part):
    """A solution rollout as a file gives it.

    Attributes:
        text: What the policy wrote.
        length: Its length in tokens, >= 0; None when that is not known.
        correct: Whether its answer is right; None when that is not known.
    """

    text: Text
    length: Count | None = None
    correct: Annotated[bool | None, Field(strict=True)] = None


def _tag_prediction_form(value: object) -> str | None:
    if isinstance(value, str):
        return "text"
    return "object" if isinstance(value, dict | MetaPrediction) else None


LinePrediction = Annotated[
    Annotated[Text, Tag("text")] | Annotated[MetaPrediction, Tag("object")],
    Discriminator(
        _tag_prediction_form,
        custom_error_type="prediction",
        custom_error_message=(
            "a prediction is the text of an answer, or an object with pass_rate, length and notions"
        ),
    ),
]


class ProblemLine(_Part):
    """A problem, its rollouts and the predictions of them.

    Attributes:
        problem: The problem statement, without the words of any prompt around it.
        rollouts: The G >= 0 solution rollouts.
        predictions: The M >= 0 predictions: the raw text of an answer to the meta prompt, or what
            was read of it. Without any, groups alone are looked at.
        answer: The right answer, for rollouts of which it is not known whether they are correct.
    """

    problem: Text
    rollouts: tuple[LineRollout, ...]
    predictions: tuple[LinePrediction, ...] = ()
    answer: StrictStr | StrictInt | StrictFloat | None = None

    @property
    def gold(self) -> str:
        """The right answer as text; "" when none is given."""
        return "" if self.answer is None else str(self.answer).strip()


def read_line(line: str | bytes | Mapping[str, Any]) -> ProblemLine:
    """Read one line.

    Args:
        line: A JSON object, UTF-8 if it is bytes; or what one holds.

    Returns:
        What it holds.

    Raises:
        LineError: If it is no such object: what is wrong with it, in one line of text.
    """
    if isinstance(line, Mapping):
        return _validate_entries(line)
    try:
        text = line.decode("utf-8-sig") if isinstance(line, bytes) else line
        entries = json.loads(text)
    except UnicodeDecodeError as error:
        raise LineError(
            f"not UTF-8: byte {error.start} is {error.object[error.start]:#x}"
        ) from None
    except RecursionError:
        raise LineError("not JSON that can be read: nested too deeply") from None
    except ValueError as error:
        raise LineError(f"not JSON: {error}") from None
    if not isinstance(entries, dict):
        raise LineError(
            "one object a line is wanted, with problem and rollouts; this line holds "
            f"a {type(entries).__name__}"
        )
    return _validate_entries(entries)


def _validate_entries(entries: Mapping[str, Any]) -> ProblemLine:
    try:
        line = ProblemLine.model_validate(entries)
    except ValidationError as error:
        raise LineError(_explain_error(error)) from None
    if line.gold:
        return line
    for index, rollout in enumerate(entries["rollouts"]):
        if "correct" not in rollout:
            raise LineError(
                f"rollouts.{index} has no `correct`, and the line no `answer` to verify it by; "
                "give one of them, or `correct: null` for a rollout that could not be verified"
            )
    return line


def _explain_error(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_context=False)
    shown = [_format_fault(fault["loc"], fault["msg"], fault["input"]) for fault in faults[:_SHOWN]]
    more = len(faults) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def _format_fault(where: tuple[int | str, ...], message: str, value: object) -> str:
    place = ".".join(map(str, where))
    # A value may be a megabyte of text.
    shown = "" if message == "Field required" else f", got {reprlib.repr(value)}"
    return f"{place}: {message}{shown}"
