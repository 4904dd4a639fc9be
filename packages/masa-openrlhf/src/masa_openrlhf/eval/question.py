"""A question as a model is asked it, and what its answers are held to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Question:
    """One question of a benchmark.

    Attributes:
        id: unique within the benchmark, the same in every evaluation.
        statement: the problem, without instructions: what the meta prompt is about.
        prompt: the whole prompt.
        gold: the right answer, as a grader compares and a person reads it.
        options: texts of the choices in the order in which they are asked; empty where it is no
            multiple-choice question.
        order: for each place, the place in the source that the choice there came from.
        tests: what code is held to; empty where it is no coding question.
    """

    id: str
    statement: str
    prompt: str
    gold: str
    options: tuple[str, ...] = ()
    order: tuple[int, ...] = ()
    tests: dict[str, Any] = field(default_factory=dict)


class Grade(NamedTuple):
    """What came of one answer.

    Attributes:
        status: "correct" or "incorrect"; "unparsable" when it states no answer that can be read,
            which is wrong too; "timeout" or "error" when the JUDGE failed, which says nothing of
            the answer.
        answer: the answer as read; None when there is none.
        detail: why, for people.
    """

    status: str
    answer: str | None
    detail: str = ""

    @property
    def failed(self) -> bool:
        """Whether the judge failed, so that the answer is neither right nor wrong."""
        return self.status in ("timeout", "error")
