"""What was observed of a model on problems: pass rates, lengths, texts."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from masa_control import Problem
from masa_rewards import Verdict

from masa_openrlhf.eval.engine.messages import GeneratedAnswer

_ENOUGH = 8
"""Right solutions from which on their lengths are taken alone."""


@dataclass(frozen=True, slots=True)
class ObservedProblem:
    """A problem, and how a model did on it.

    Attributes:
        problem: the problem.
        answers: its solutions.
        verdicts: one a solution.
    """

    problem: Problem
    answers: tuple[GeneratedAnswer, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def pass_rate(self) -> float | None:
        """Share of judged solutions that are right; None where none could be judged."""
        judged = [verdict.correct for verdict in self.verdicts if not verdict.failed]
        return statistics.fmean(judged) if judged else None

    @property
    def right_lengths(self) -> tuple[int, ...]:
        """Lengths of the right solutions, tokens."""
        pairs = zip(self.answers, self.verdicts, strict=True)
        return tuple(answer.tokens for answer, verdict in pairs if verdict.correct)


@dataclass(frozen=True, slots=True)
class Marginals:
    """Which values were observed, of whatever problem.

    Attributes:
        pass_rates: one a problem, in [0, 1].
        lengths: one a solution, tokens: of the right ones; where these are few, of all that were
            not cut off; where all were, of all.
    """

    pass_rates: tuple[float, ...]
    lengths: tuple[int, ...]


def collect_marginals(observed: Sequence[ObservedProblem]) -> Marginals:
    """Return the values that were observed.

    Raises:
        ValueError: no solution could be judged.
    """
    rates = tuple(one.pass_rate for one in observed if one.pass_rate is not None)
    if not rates:
        raise ValueError(
            f"none of the solutions of {len(observed)} problems could be judged: see "
            "verifier.timeout and verifier.memory_mb"
        )
    right = tuple(length for one in observed for length in one.right_lengths)
    answers = [answer for one in observed for answer in one.answers]
    whole = tuple(answer.tokens for answer in answers if not answer.truncated)
    every = tuple(answer.tokens for answer in answers)
    return Marginals(rates, right if len(right) >= _ENOUGH else whole or every)
