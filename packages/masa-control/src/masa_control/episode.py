"""One problem, from its prompts to its rewards (paper section 3).

An episode asks the policy what will happen (M meta rollouts), lets it happen (G solution rollouts),
has the solutions verified, and pays the predictions for how well they matched. It is one coroutine:
it waits for nothing but its own rollouts, so any number of episodes share an engine without a
barrier between them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from masa_rewards import (
    MetaPrediction,
    MetaPrompt,
    MetaReward,
    NotionRules,
    Rollout,
    RolloutGroup,
    Verdict,
    meta_rewards,
)
from pydantic import BaseModel, ConfigDict, Field

from masa_control.protocols import Completion, Engine, Verifier

META = "meta"
SOLUTION = "solution"


class Problem(BaseModel):
    """A problem and its gold answer.

    Attributes:
        id: names the problem within its data set.
        text: the statement, without any instruction.
        answer: the gold answer, as the verifier reads it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    text: str = Field(min_length=1)
    answer: str = Field(min_length=1)


class EpisodeSettings(BaseModel):
    """How many rollouts of each kind, how long, and under which prompts.

    Attributes:
        meta_rollouts: M, predictions a problem; 0 asks for none.
        solution_rollouts: G, solutions a problem.
        meta_max_tokens: limit of one prediction, tokens.
        solution_max_tokens: limit of one solution, tokens.
        meta_prompt: how a prediction is asked for, and read.
        solution_template: the solution prompt; ``{problem}`` stands for the statement.
        difficulty_base: b of the difficulty reward, in (0, 1).
        notion_rules: which notions count, and when one pays.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    meta_rollouts: int = Field(ge=0)
    solution_rollouts: int = Field(ge=1)
    meta_max_tokens: int = Field(ge=1)
    solution_max_tokens: int = Field(ge=1)
    meta_prompt: MetaPrompt
    solution_template: str
    difficulty_base: float = Field(default=0.01, gt=0, lt=1)
    notion_rules: NotionRules = NotionRules()

    def solution_prompt(self, problem: Problem) -> str:
        """Return the prompt that asks for a solution of ``problem``."""
        return self.solution_template.replace("{problem}", problem.text)


@dataclass(frozen=True, slots=True)
class SolutionRollout:
    """A solution and its verdict.

    ``reward`` is 1.0 or 0.0; None where the verifier failed (timeout, error): a failed judge is not
    a wrong answer, so such a rollout carries no signal and stands outside the pass rate.
    """

    completion: Completion
    verdict: Verdict

    @property
    def reward(self) -> float | None:
        """1 if correct, 0 if not, None if nobody knows."""
        if self.verdict.failed:
            return None
        return float(self.verdict.correct)


@dataclass(frozen=True, slots=True)
class MetaRollout:
    """A prediction and what it was worth; ``reward`` is None where no solution could be judged."""

    completion: Completion
    prediction: MetaPrediction
    reward: MetaReward | None


@dataclass(frozen=True, slots=True)
class Episode:
    """Everything that happened to one problem in one step.

    Attributes:
        problem: the problem.
        meta_prompt_ids: tokens of the meta prompt; empty when no prediction was asked for.
        solution_prompt_ids: tokens of the solution prompt.
        meta: the M predictions, in the order they were sampled.
        solutions: the G solutions, in the order they were sampled.
        pass_rate: share of judged solutions that are correct; None when none could be judged.
    """

    problem: Problem
    meta_prompt_ids: tuple[int, ...]
    solution_prompt_ids: tuple[int, ...]
    meta: tuple[MetaRollout, ...]
    solutions: tuple[SolutionRollout, ...]
    pass_rate: float | None


def judged_group(problem: Problem, solutions: Sequence[SolutionRollout]) -> RolloutGroup:
    """Return the group that predictions are measured by: the solutions with a verdict.

    A rollout whose verifier failed is left out, so the group may be smaller than G, or empty.
    """
    return RolloutGroup(
        problem=problem.text,
        rollouts=tuple(
            Rollout(
                text=s.completion.text,
                length=len(s.completion.token_ids),
                correct=s.reward == 1.0,
            )
            for s in solutions
            if s.reward is not None
        ),
    )


async def run_episode(
    problem: Problem, *, engine: Engine, verifier: Verifier, settings: EpisodeSettings
) -> Episode:
    """Play one episode of plain MASA: meta and solution rollouts side by side, then the rewards.

    Args:
        problem: what to solve.
        engine: samples completions.
        verifier: judges solutions.
        settings: M, G, limits and prompts.

    Returns:
        The episode, with a reward on every rollout that can have one.

    Raises:
        Exception: whatever the engine or the verifier raises; the other half is then cancelled.
    """
    meta_ids, solution_ids = _prompts(problem, engine, settings)
    answers, solutions = await _together(
        _predictions(engine, meta_ids, settings),
        _solutions(engine, verifier, solution_ids, problem, settings),
    )
    group = judged_group(problem, solutions)
    predictions = [settings.meta_prompt.parse(answer.text) for answer in answers]
    # Reading G texts of thousands of tokens holds the interpreter: not on the engine's event loop.
    rewards: Sequence[MetaReward | None] = [None] * len(predictions)
    if group.rollouts and predictions:
        rewards = await asyncio.to_thread(
            meta_rewards,
            predictions,
            group,
            base=settings.difficulty_base,
            notion_rules=settings.notion_rules,
        )
    return Episode(
        problem=problem,
        meta_prompt_ids=tuple(meta_ids),
        solution_prompt_ids=tuple(solution_ids),
        meta=tuple(
            MetaRollout(answer, prediction, reward)
            for answer, prediction, reward in zip(answers, predictions, rewards, strict=True)
        ),
        solutions=solutions,
        pass_rate=group.pass_rate if group.rollouts else None,
    )


def _prompts(
    problem: Problem, engine: Engine, settings: EpisodeSettings
) -> tuple[list[int], list[int]]:
    meta: list[int] = []
    if settings.meta_rollouts:
        meta = engine.encode(settings.meta_prompt.render(problem.text))
    return meta, engine.encode(settings.solution_prompt(problem))


async def _predictions(
    engine: Engine, prompt_ids: list[int], settings: EpisodeSettings
) -> Sequence[Completion]:
    if not settings.meta_rollouts:
        return ()
    return await engine.generate(
        prompt_ids, max_tokens=settings.meta_max_tokens, n=settings.meta_rollouts, kind=META
    )


async def _solutions(
    engine: Engine,
    verifier: Verifier,
    prompt_ids: list[int],
    problem: Problem,
    settings: EpisodeSettings,
) -> tuple[SolutionRollout, ...]:
    completions = await engine.generate(
        prompt_ids,
        max_tokens=settings.solution_max_tokens,
        n=settings.solution_rollouts,
        kind=SOLUTION,
    )
    verdicts = await asyncio.gather(
        *(verifier.averify(completion.text, problem.answer) for completion in completions)
    )
    return tuple(
        SolutionRollout(completion, verdict)
        for completion, verdict in zip(completions, verdicts, strict=True)
    )


async def _together(first: Coroutine[Any, Any, Any], second: Coroutine[Any, Any, Any]) -> Any:
    """Run both side by side; when one fails, cancel the other before the failure goes up."""
    tasks = [asyncio.ensure_future(first), asyncio.ensure_future(second)]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
