"""Mathematical answers: masa_rewards.AnswerVerifier, as in training."""

from __future__ import annotations

from masa_rewards import AnswerVerifier, Verdict

from masa_openrlhf.eval.graders import strip_thinking
from masa_openrlhf.eval.question import Question


class MathsGrader:
    """Judges by value, in processes that can be killed.

    docs/reference/verification_rules.md has the rules.
    """

    def __init__(self, verifier: AnswerVerifier) -> None:
        self._verifier = verifier

    def grade(self, question: Question, text: str) -> Verdict:
        """Judge the last box."""
        return self._verifier.verify(strip_thinking(text), question.gold)
