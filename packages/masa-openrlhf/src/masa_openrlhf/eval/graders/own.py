"""Answers to a user's own problems: by value, or by the scorer of the problem's task."""

from __future__ import annotations

import asyncio

from masa_rewards import Verdict

from masa_openrlhf.eval.graders import strip_thinking
from masa_openrlhf.eval.graders.maths import MathsGrader
from masa_openrlhf.eval.question import Question
from masa_openrlhf.procedural.scorer import TaskScorer


class OwnGrader:
    """Judges as training does.

    Args:
        maths: judges where the gold is compared.
        scorer: judges where the task has a scorer of its own.
    """

    def __init__(self, maths: MathsGrader, scorer: TaskScorer) -> None:
        self._maths, self._scorer = maths, scorer

    def grade(self, question: Question, text: str) -> Verdict:
        """Judge the last box."""
        if not question.scorer:
            return self._maths.grade(question, text)
        bound = self._scorer.bind_item(question.scorer)
        return asyncio.run(bound.averify(strip_thinking(text), question.gold))
