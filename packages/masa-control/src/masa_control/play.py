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
from typing import Any

from masa_rewards import MetaPrediction, MetaPrompt, NotionRules, RolloutGroup
from masa_rewards._wording import fill
from masa_rewards.lemma import Phrase, to_phrase
from masa_rewards.meta import mean_rewards
from masa_rewards.notion import count_notions, pay_notions
from masa_rewards.notion_rules import NotionCount
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from masa_control.episode import (
    META,
    SOLUTION,
    CutIs,
    Episode,
    MetaRollout,
    Problem,
    SolutionRollout,
    judged_group,
)
from masa_control.hints import HINT_TEMPLATE
from masa_control.plan import Plan, Planner
from masa_control.protocols import Completion, Engine, Verifier
from masa_control.signals import (
    JUDGEMENTS,
    Judgement,
    MetaSignal,
    SignalOutcome,
    paid,
    pay_signals,
    read_signals,
)
from masa_control.stopwatch import Stopwatch

WAIT = "verification_wait"
"""Seconds from the last token to the last verdict of a problem, others' work included."""


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
        signals: predictions of one's own beside the three; `meta_prompt` asks for them too.
        judgements: which of the three rewards are paid; all are measured.
        cut_is: what a solution is that was cut before it had stated the right answer.
        hint_template: how notions are put to a problem; holds ``{problem}`` and ``{notions}``.
        prompt_max_tokens: longest solution prompt with a hint, tokens; notions are left out until
            it fits. None: any length.
        count_notions: keep the counts of the predicted notions in the episode.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    meta_rollouts: int = Field(ge=0)
    solution_rollouts: int = Field(ge=1)
    meta_max_tokens: int = Field(ge=1)
    solution_max_tokens: int = Field(ge=1)
    meta_prompt: MetaPrompt
    solution_template: str
    difficulty_base: float = Field(default=0.01, gt=0, lt=1)
    notion_rules: NotionRules = NotionRules()
    signals: tuple[MetaSignal, ...] = ()
    judgements: tuple[Judgement, ...] = JUDGEMENTS
    cut_is: CutIs = "unknown"
    hint_template: str = HINT_TEMPLATE
    prompt_max_tokens: int | None = None
    count_notions: bool = False

    @field_validator("hint_template")
    @classmethod
    def _hint_holds_both(cls, template: str) -> str:
        if missing := [name for name in ("{problem}", "{notions}") if name not in template]:
            raise ValueError(f"hint_template must hold {missing!r}, got {template!r}")
        return template

    @field_validator("judgements")
    @classmethod
    def _once_each(cls, judgements: tuple[Judgement, ...]) -> tuple[Judgement, ...]:
        if len(set(judgements)) < len(judgements):
            raise ValueError(f"name each judgement once, got {judgements!r}")
        return tuple(name for name in JUDGEMENTS if name in judgements)

    @model_validator(mode="after")
    def _something_is_paid(self) -> EpisodeSettings:
        if not self.judgements and not self.signals:
            raise ValueError(f"nothing would be paid: name one of {JUDGEMENTS!r}, or a signal")
        return self

    @model_validator(mode="after")
    def _signals_are_asked_for(self) -> EpisodeSettings:
        asked = dict(self.meta_prompt.extra)
        if missing := [s.key for s in self.signals if s.key not in asked]:
            raise ValueError(
                f"meta_prompt does not ask for the signals {missing!r}: make it by "
                "masa_control.signals.asked_for(prompt, signals)"
            )
        return self

    def solution_prompt(self, problem: Problem, hint: Sequence[str] = ()) -> str:
        """Return the prompt that asks for a solution of ``problem``, with notions as a hint."""
        text = problem.text
        if hint:
            text = fill(self.hint_template, {"problem": text, "notions": ", ".join(hint)})
        return self.solution_template.replace("{problem}", text)


async def run_episode(
    problem: Problem,
    *,
    engine: Engine,
    verifier: Verifier,
    settings: EpisodeSettings,
    planner: Planner | None = None,
    watch: Stopwatch | None = None,
) -> Episode:
    """Play one episode.

    Without a planner (plain MASA) meta and solution rollouts run side by side. With one the
    predictions come first; by them it plans whether solutions are made, how long they may get, and
    with which hint.

    Args:
        problem: what to solve.
        engine: samples completions.
        verifier: judges solutions.
        settings: M, G, limits and prompts.
        planner: plans by the predictions; None: nothing is decided by them.
        watch: adds up what our own code takes, beside what the engine adds; a new one if not given.

    Returns:
        The episode, with a reward on every rollout that can have one.

    Raises:
        ValueError: a planner without meta rollouts to plan by.
        Exception: whatever the engine or the verifier raises; the other half is then cancelled.
    """
    if planner is not None and not settings.meta_rollouts:
        raise ValueError("a planner plans by predictions, and meta_rollouts is 0")
    watch = watch or Stopwatch()
    meta_ids: list[int] = []
    if settings.meta_rollouts:
        with watch.time("prompts"):
            meta_ids = engine.encode(settings.meta_prompt.render(problem.text))
    predicting = _predictions(engine, meta_ids, settings)
    if planner is None:
        with watch.time("prompts"):
            solution_ids = engine.encode(settings.solution_prompt(problem))
        limit = settings.solution_max_tokens
        answers, solutions = await _together(
            predicting, _solutions(engine, verifier, solution_ids, problem, settings, limit, watch)
        )
        predictions = watch.run("rewards", _read, answers, settings)
        plan = None
    else:
        answers = await predicting
        predictions = watch.run("rewards", _read, answers, settings)
        with watch.time("control"):
            plan = planner.plan(problem.id, predictions, settings.solution_max_tokens)
        solution_ids, solutions = [], ()
        if plan.solve:
            with watch.time("prompts"):
                solution_ids, plan = _solution_prompt(engine, problem, settings, plan)
            solutions = await _solutions(
                engine, verifier, solution_ids, problem, settings, plan.max_tokens, watch
            )
    # Reading G texts of thousands of tokens holds the interpreter: not on the engine's event loop.
    group = watch.run("rewards", judged_group, problem, solutions)
    meta, counts = await asyncio.to_thread(
        watch.run, "rewards", _paid, answers, predictions, group, problem, settings
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
    )


def _read(answers: Sequence[Completion], settings: EpisodeSettings) -> list[MetaPrediction]:
    return [settings.meta_prompt.parse(answer.text) for answer in answers]


def _paid(
    answers: Sequence[Completion],
    predictions: Sequence[MetaPrediction],
    group: RolloutGroup,
    problem: Problem,
    settings: EpisodeSettings,
) -> tuple[list[MetaRollout], dict[Phrase, NotionCount]]:
    """Pay the predictions by what the solutions did, and count their notions: one reading."""
    signals = settings.signals
    read = [
        read_signals(signals, settings.meta_prompt.entries(answer.text)) if signals else {}
        for answer in answers
    ]
    if not group.rollouts:
        unpaid = [
            MetaRollout(a, p, None, {key: SignalOutcome(v, None) for key, v in values.items()})
            for a, p, values in zip(answers, predictions, read, strict=True)
        ]
        return unpaid, {}
    rules = settings.notion_rules
    named = [{to_phrase(notion) for notion in p.notions or ()} for p in predictions]
    counts = count_notions(frozenset().union(*named), group, rules=rules)
    rewards = mean_rewards(
        predictions, group, pay_notions(named, counts, rules), base=settings.difficulty_base
    )
    rollouts = []
    for answer, prediction, reward, values in zip(answers, predictions, rewards, read, strict=True):
        outcomes = pay_signals(signals, values, group, problem.answer)
        earned = paid(reward, outcomes, signals, settings.judgements)
        rollouts.append(MetaRollout(answer, prediction, reward, outcomes, earned))
    return rollouts, counts


def _solution_prompt(
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
    max_tokens: int,
    watch: Stopwatch,
) -> tuple[SolutionRollout, ...]:
    completions = await engine.generate(
        prompt_ids, max_tokens=max_tokens, n=settings.solution_rollouts, kind=SOLUTION
    )
    began = time.monotonic()
    verdicts = await asyncio.gather(
        *(
            watch.sliced("verification", verifier.averify(completion.text, problem.answer))
            for completion in completions
        )
    )
    watch.seconds[WAIT] += time.monotonic() - began
    lowered = max_tokens < settings.solution_max_tokens
    return tuple(
        SolutionRollout(
            completion, verdict, settings.cut_is if lowered and completion.truncated else None
        )
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
