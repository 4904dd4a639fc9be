"""One problem, from its prompts to its rewards (paper section 3).

An episode asks the policy what will happen (M meta rollouts), lets it happen as far as that is
worth it (G solution rollouts), has the solutions verified, and pays the predictions for how well
they matched. It is one coroutine: it waits for nothing but its own rollouts, so any number of
episodes share an engine without a barrier between them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from masa_rewards import MetaPrediction, RolloutGroup
from masa_rewards.meta import score_group
from masa_rewards.notions.phrases import Phrase
from masa_rewards.notions.rules import NotionCount

from masa_control.episode.belief import Belief
from masa_control.episode.plan import Plan
from masa_control.episode.protocols import Completion, Engine, EpisodePlanner, Verifier
from masa_control.episode.settings import EpisodeSettings
from masa_control.episode.signals import SignalOutcome, read_signals, score_signals, total_reward
from masa_control.episode.stopwatch import Stopwatch
from masa_control.episode.types import (
    META,
    SOLUTION,
    Episode,
    MetaRollout,
    Problem,
    SolutionRollout,
    verified_group,
)
from masa_control.episode.waves import WaveRecord

VERIFICATION_WAIT = "verification_wait"
"""Seconds from the last token to the last verdict of a problem, others' work included."""


async def run_episode(
    problem: Problem,
    *,
    engine: Engine,
    verifier: Verifier,
    settings: EpisodeSettings,
    planner: EpisodePlanner | None = None,
    watch: Stopwatch | None = None,
    belief: Belief | None = None,
) -> Episode:
    """Play one episode.

    Without a planner (plain MASA) meta and solution rollouts run side by side. With one the
    predictions come first; by them, or by what a reader believes, it plans whether solutions are
    made, how many at a time, how long they may get, and with which hint.

    Args:
        problem: what to solve.
        engine: samples completions.
        verifier: judges solutions.
        settings: M, G, limits and prompts.
        planner: plans by the predictions; None: nothing is decided by them.
        watch: adds up what our own code takes, beside what the engine adds; a new one if not given.
        belief: what a reader believes of the problem.

    Returns:
        The episode, with a reward on every rollout that can have one.

    Raises:
        ValueError: a planner without the meta rollouts that it plans by.
        Exception: whatever the engine or the verifier raises; the other half is then cancelled.
    """
    if planner is not None and planner.needs_predictions and not settings.meta.rollouts:
        raise ValueError("a planner plans by predictions, and meta.rollouts is 0")
    watch = watch or Stopwatch()
    meta_ids: list[int] = []
    if settings.meta.rollouts:
        with watch.time("prompts"):
            meta_ids = engine.encode(settings.meta_prompt.render(problem.text))
    predicting = _sample_predictions(engine, meta_ids, settings)
    waves: WaveRecord | None = None
    if planner is None:
        with watch.time("prompts"):
            solution_ids = engine.encode(settings.solution_prompt(problem))
        limit = settings.solution.max_tokens
        answers, solutions = await _run_together(
            predicting,
            _sample_solutions(
                engine,
                verifier,
                solution_ids,
                problem,
                settings,
                limit,
                settings.solution.rollouts,
                watch,
            ),
        )
        predictions = watch.run("rewards", _parse_predictions, answers, settings)
        plan = None
    else:
        answers = await predicting
        predictions = watch.run("rewards", _parse_predictions, answers, settings)
        with watch.time("control"):
            plan = planner.plan(
                problem.id,
                predictions,
                settings.solution.max_tokens,
                belief=belief,
                answers=answers,
            )
        solution_ids, solutions = [], ()
        if plan.solve:
            with watch.time("prompts"):
                solution_ids, plan = _fit_solution_prompt(engine, problem, settings, plan)
            solutions, waves = await _sample_by_plan(
                engine, verifier, solution_ids, problem, settings, plan, watch
            )
    # Reading G texts of thousands of tokens holds the interpreter: not on the engine's event loop.
    group = watch.run("rewards", verified_group, problem, solutions)
    meta, counts = await asyncio.to_thread(
        watch.run, "rewards", _reward_predictions, answers, predictions, group, problem, settings
    )
    return Episode(
        problem=problem,
        meta_prompt_ids=tuple(meta_ids),
        solution_prompt_ids=tuple(solution_ids),
        meta=tuple(meta),
        solutions=solutions,
        pass_rate=group.pass_rate if group.rollouts else None,
        plan=plan,
        notion_counts=counts if settings.count_notions else {},
        seconds=watch.take(),
        belief=belief if plan is None or plan.belief is None else plan.belief,
        waves=waves,
    )


def _parse_predictions(
    answers: Sequence[Completion], settings: EpisodeSettings
) -> list[MetaPrediction]:
    return [settings.meta_prompt.parse(answer.text) for answer in answers]


def _reward_predictions(
    answers: Sequence[Completion],
    predictions: Sequence[MetaPrediction],
    group: RolloutGroup,
    problem: Problem,
    settings: EpisodeSettings,
) -> tuple[list[MetaRollout], dict[Phrase, NotionCount]]:
    """Reward the predictions by what the solutions did, and count their notions."""
    signals = settings.signals
    read = [
        read_signals(signals, settings.meta_prompt.entries(answer.text)) if signals else {}
        for answer in answers
    ]
    if not group.rollouts:
        unrewarded = [
            MetaRollout(a, p, None, {key: SignalOutcome(v, None) for key, v in values.items()})
            for a, p, values in zip(answers, predictions, read, strict=True)
        ]
        return unrewarded, {}
    scored = score_group(
        predictions,
        group,
        base=settings.meta.difficulty_base,
        notion_rules=settings.meta.notions,
    )
    rollouts = []
    for answer, prediction, reward, values in zip(
        answers, predictions, scored.rewards, read, strict=True
    ):
        outcomes = score_signals(signals, values, group, problem.answer)
        earned = total_reward(reward, outcomes, signals, settings.meta.rewards)
        rollouts.append(MetaRollout(answer, prediction, reward, outcomes, earned))
    return rollouts, dict(scored.counts)


def _fit_solution_prompt(
    engine: Engine, problem: Problem, settings: EpisodeSettings, plan: Plan
) -> tuple[list[int], Plan]:
    """The solution prompt and the plan with as much of its hint as there is room for."""
    hint = plan.hint
    while True:
        token_ids = engine.encode(settings.solution_prompt(problem, hint))
        limit = settings.prompt_max_tokens
        if not hint or limit is None or len(token_ids) <= limit:
            return token_ids, replace(plan, hint=hint)
        hint = hint[:-1]


async def _sample_predictions(
    engine: Engine, prompt_ids: list[int], settings: EpisodeSettings
) -> Sequence[Completion]:
    if not settings.meta.rollouts:
        return ()
    return await engine.generate(
        prompt_ids, max_tokens=settings.meta.max_tokens, n=settings.meta.rollouts, kind=META
    )


async def _sample_by_plan(
    engine: Engine,
    verifier: Verifier,
    prompt_ids: list[int],
    problem: Problem,
    settings: EpisodeSettings,
    plan: Plan,
    watch: Stopwatch,
) -> tuple[tuple[SolutionRollout, ...], WaveRecord | None]:
    """Sample all solutions at once, or in waves until the plan says that it is enough."""
    whole, waves = settings.solution.rollouts, plan.waves
    made: tuple[SolutionRollout, ...] = ()
    stopped_at, wave = None, 0
    while len(made) < whole:
        left = whole - len(made)
        many = left if waves is None or stopped_at is not None else waves.size(wave, left)
        made += await _sample_solutions(
            engine, verifier, prompt_ids, problem, settings, plan.max_tokens, many, watch
        )
        wave += 1
        if waves is None or stopped_at is not None or len(made) == whole:
            continue
        if not waves.goes_on(*_count_outcomes(made)):
            stopped_at = len(made)
            if not waves.audited:
                break
    if waves is None:
        return made, None
    audited = waves.audited and stopped_at is not None
    return made, WaveRecord(whole, stopped_at, audited, waves.audit)


def _count_outcomes(solutions: Sequence[SolutionRollout]) -> tuple[int, int, float]:
    """Right and wrong solutions so far, and their mean length."""
    right = sum(s.reward == 1.0 for s in solutions)
    wrong = sum(s.reward == 0.0 for s in solutions)
    return right, wrong, fmean(len(s.completion.token_ids) for s in solutions)


async def _sample_solutions(
    engine: Engine,
    verifier: Verifier,
    prompt_ids: list[int],
    problem: Problem,
    settings: EpisodeSettings,
    max_tokens: int,
    rollouts: int,
    watch: Stopwatch,
) -> tuple[SolutionRollout, ...]:
    completions = await engine.generate(
        prompt_ids, max_tokens=max_tokens, n=rollouts, kind=SOLUTION
    )
    began = time.monotonic()
    verdicts = await asyncio.gather(
        *(
            watch.sliced("verification", verifier.averify(completion.text, problem.answer))
            for completion in completions
        )
    )
    watch.seconds[VERIFICATION_WAIT] += time.monotonic() - began
    lowered, cut_is = max_tokens < settings.solution.max_tokens, settings.solution.cut_is
    return tuple(
        SolutionRollout(completion, verdict, cut_is if lowered and completion.truncated else None)
        for completion, verdict in zip(completions, verdicts, strict=True)
    )


async def _run_together(first: Coroutine[Any, Any, Any], second: Coroutine[Any, Any, Any]) -> Any:
    """Run both side by side; when one fails, cancel the other before the failure goes up."""
    tasks = [asyncio.ensure_future(first), asyncio.ensure_future(second)]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
