"""What an episode needs of the outside: an engine, a verifier, and where it is planned a planner.

All are structural types: any object with these methods will do. That is what lets the same episode
run beside vLLM in a Ray actor, under another engine, or against a scripted one in a test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from masa_rewards import MetaPrediction, Verdict

from masa_control.episode.belief import Belief
from masa_control.episode.plan import Plan


@dataclass(frozen=True, slots=True)
class Completion:
    """One sampled response.

    Attributes:
        token_ids: the response's tokens, the end-of-sequence token included where it was sampled.
        text: the response as text, without special tokens.
        truncated: it was stopped by its token limit, not by itself.
        logprobs: log-probability of each token under the policy that sampled it, as long as
            ``token_ids``; None where the engine was not asked for it.
        alternatives: where in ``text`` a digit stands as a token of its own, in characters -> the
            tokens that could have been sampled there, by their text, with their log-probabilities;
            None where the engine was not asked for it.

    Tokens and log-probabilities are millions a step: where completions travel between processes,
    ``array.array`` does so at once, a tuple value by value.
    """

    token_ids: Sequence[int]
    text: str
    truncated: bool
    logprobs: Sequence[float] | None = None
    alternatives: Mapping[int, Mapping[str, float]] | None = None


class Engine(Protocol):
    """Turns prompts into completions."""

    def encode(self, prompt: str) -> list[int]:
        """Return the token ids under which ``prompt`` is put to the policy (chat form included)."""
        ...

    async def generate(
        self, token_ids: Sequence[int], *, max_tokens: int, n: int, kind: str
    ) -> Sequence[Completion]:
        """Sample ``n`` completions of at most ``max_tokens`` tokens each.

        ``kind`` says what they are for, "meta" or "solution": an engine may log it or seed by it.
        Where solutions are made in waves it is asked for "solution" several times; an engine that
        seeds by the kind has to seed each time anew.
        """
        ...


class Verifier(Protocol):
    """Judges a response against the gold answer."""

    async def averify(self, answer_text: str, gold: str) -> Verdict:
        """Return what is known of ``answer_text``; a judge that fails says so in the status."""
        ...


class EpisodePlanner(Protocol):
    """Decides by the predictions, or a belief, what is done with the solutions of a problem."""

    @property
    def needs_predictions(self) -> bool:
        """Whether it can plan nothing without meta rollouts."""
        ...

    def plan(
        self,
        problem_id: str,
        predictions: Sequence[MetaPrediction],
        limit: int,
        *,
        belief: Belief | None = None,
        answers: Sequence[Completion] = (),
    ) -> Plan:
        """Return the plan of a problem.

        Args:
            problem_id: names it.
            predictions: the M predictions; none where none was asked for.
            limit: the usual limit of a solution, tokens.
            belief: of a reader that was asked before; None where there is none.
            answers: the completions that the predictions were read of.
        """
        ...
