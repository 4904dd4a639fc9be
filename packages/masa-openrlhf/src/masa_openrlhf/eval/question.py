"""A question as a model is asked it, and what its answers are held to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


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
        scorer: the scorer of the problem's task, in JSON; "" where the gold is compared.
    """

    id: str
    statement: str
    prompt: str
    gold: str
    options: tuple[str, ...] = ()
    order: tuple[int, ...] = ()
    tests: dict[str, Any] = field(default_factory=dict)
    scorer: str = ""
