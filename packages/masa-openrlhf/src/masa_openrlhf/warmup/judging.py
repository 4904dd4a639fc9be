"""Judges solutions as the run does: against the gold, or by the scorer of the problem's task."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType

from masa_control import Problem
from masa_rewards import AnswerVerifier, Verdict

from masa_openrlhf.config.sections import VerifierConfig
from masa_openrlhf.procedural.scorer import TaskScorer


class SolutionJudge:
    """Judges solutions; a context manager that ends its worker processes.

    Args:
        settings: of the verifier.
        scorers: by a problem's id, how it is judged where it is not compared with its gold:
            `LoadedProblems.scorers`.
    """

    def __init__(self, settings: VerifierConfig, scorers: Mapping[str, str] | None = None) -> None:
        self._verifier = AnswerVerifier(**settings.model_dump())
        self._scorer = TaskScorer(**settings.model_dump())
        self.scorers: Mapping[str, str] = scorers or {}

    def judge_all(self, solutions: Sequence[tuple[Problem, str]]) -> list[Verdict]:
        """Return the verdict on each solution of a problem, in order."""
        return asyncio.run(self._judge_all(solutions))

    async def _judge_all(self, solutions: Sequence[tuple[Problem, str]]) -> list[Verdict]:
        judged = (self._judge(problem, text) for problem, text in solutions)
        return list(await asyncio.gather(*judged))

    async def _judge(self, problem: Problem, text: str) -> Verdict:
        item = self.scorers.get(problem.id)
        by = self._scorer.bind_item(item) if item else self._verifier
        return await by.averify(text, problem.answer)

    def __enter__(self) -> SolutionJudge:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._verifier.close()
        self._scorer.close()
