"""Is this answer right? A grader a kind of answer; none looks at where in a text a word stands."""

from __future__ import annotations

from typing import Protocol

from masa_rewards import Verdict

from masa_openrlhf.eval.question import Question


class Grader(Protocol):
    """Judges answers; called from several threads."""

    def grade(self, question: Question, text: str) -> Verdict:
        """Judge one answer.

        Args:
            question: what was asked.
            text: what the model wrote.

        Returns:
            What came of it. A text that states no answer is "unparsable", never right.

        It is to return for every text. Where it raises all the same, the evaluation counts the
        answer as an "error" of the judge.
        """
        ...


def strip_thinking(text: str) -> str:
    """Return what stands behind the thinking, where a model marks that: it is the answer."""
    return text.rpartition("</think>")[2]
