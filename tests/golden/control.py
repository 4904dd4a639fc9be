"""Golden runs of masa_control: episodes, decisions, what is learned of them, and the figures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from masa_control import (
    AlignedStart,
    AuditedGateSettings,
    CalibratedCutoffSettings,
    ConfusionCounts,
    Controller,
    ControlSettings,
    CutoffOff,
    Episode,
    EpisodeSettings,
    ExpertSettings,
    FixedCutoffSettings,
    FixedStart,
    GateOff,
    Ledger,
    MetaSettings,
    Planner,
    PredictedHints,
    RecordedHints,
    SolutionSettings,
    StaticGateSettings,
    calibration_points,
    count_step_notions,
    run_episode,
    step_metrics,
)
from masa_rewards import MetaPromptForm

from tests.golden.scripted_policy import SCALE, GeneratedPolicy, make_problem
from tests.masa_control.fakes import ScriptedVerifier, change_settings

STEPS, PROBLEMS, POOL = 16, 8, 48
_LEDGER_EVERY = 4
_RESUME_STEP = 10
_PROMPT = MetaPromptForm(scale=SCALE, min_length=1)


class AnswerIsSmall:
    """A signal of one's own: whether the answer has one digit."""

    key, asked, weight = "small", "true or false, whether the answer has one digit", 0.5

    def read(self, value):
        return value if isinstance(value, bool) else None

    def reward(self, prediction, group, answer):
        return float(prediction == (len(answer) == 1))


@dataclass(frozen=True)
class GoldenRun:
    """What is decided in a run, and by which rules it is paid."""

    control: ControlSettings | None = None
    episode: dict[str, Any] = field(default_factory=dict)


RUNS = {
    "grpo": GoldenRun(episode={"rollouts": 0}),
    "masa": GoldenRun(),
    "masa-efficient-static": GoldenRun(
        ControlSettings(
            gate=StaticGateSettings(max_std=0.2, tolerance=0.15, audit=0.25, audit_trivial=0.5),
            cutoff=FixedCutoffSettings(margin=1.5, audit=0.3),
            experts=ExpertSettings(batch=4, threshold=0.2, capacity=12, max_age=4),
            hints=PredictedHints(max_notions=2),
            schedule=FixedStart(start=3),
        )
    ),
    "masa-efficient-audited": GoldenRun(
        ControlSettings(
            gate=AuditedGateSettings(precision=0.7, caution=0.5, window=40, audit=0.3),
            cutoff=CalibratedCutoffSettings(
                cut_share=0.1, window=24, min_problems=6, max_age=8, audit=0.3
            ),
            experts=ExpertSettings(batch=3, capacity=8),
            hints=RecordedHints(max_notions=3, min_seen=8),
            schedule=AlignedStart(start=15, precision=0.4, recall=0.2, steps=3),
        ),
        {"cut_is": "wrong", "count_notions": True},
    ),
    "masa-own-signal": GoldenRun(
        ControlSettings(
            gate=GateOff(), cutoff=CutoffOff(), experts=ExpertSettings(batch=2, capacity=4)
        ),
        {
            "signals": (AnswerIsSmall(),),
            "rewards": ("difficulty", "notion"),
            "difficulty_base": 0.1,
        },
    ),
}


def play_run(name: str) -> list[dict[str, Any]]:
    """Play a run; return a row a step, and one of what is left at its end."""
    run = RUNS[name]
    settings = _episode_settings(run)
    controller, ledger = _new_controller(run, settings), Ledger()
    rows = []
    for step in range(1, STEPS + 1):
        if step == _RESUME_STEP:
            controller, ledger = _resume_run(run, settings, controller, ledger)
        planner = None if controller is None else controller.planner(step)
        episodes = asyncio.run(_play_step(name, step, settings, planner))
        for episode in episodes:
            ledger.observe(episode)
        row = {"step": step, "episodes": [_describe_episode(one) for one in episodes]}
        row["metrics"] = step_metrics(episodes)
        if controller is not None:
            controller.observe(episodes, step)
            clones = controller.clones(step)
            ledger.cloned([len(expert.text) for expert in clones])
            row["controller"] = controller.metrics()
            row["clones"] = [[one.problem_id, one.reward, one.weight] for one in clones]
        if step % _LEDGER_EVERY == 0:
            row["ledger"] = ledger.metrics()
            row["to_come"] = ledger.tallies.get("gate", ConfusionCounts()).expected_precision
        rows.append(row)
    return [*rows, _describe_end(controller, ledger, episodes)]


def play_episodes(name: str, step: int) -> list[Episode]:
    """Play a step of a run in which nothing is decided."""
    return asyncio.run(_play_step(name, step, _episode_settings(RUNS[name]), None))


def _episode_settings(run: GoldenRun) -> EpisodeSettings:
    usual = EpisodeSettings(
        meta=MetaSettings(rollouts=4, max_tokens=50, prompt=_PROMPT),
        solution=SolutionSettings(rollouts=6, max_tokens=80, template="Solve: {problem}"),
    )
    return change_settings(usual, **run.episode)


def _new_controller(run: GoldenRun, settings: EpisodeSettings) -> Controller | None:
    return None if run.control is None else Controller(run.control, settings.meta_prompt, seed=3)


def _resume_run(
    run: GoldenRun, settings: EpisodeSettings, controller: Controller | None, ledger: Ledger
) -> tuple[Controller | None, Ledger]:
    """Go on from saved states, as a run does that was interrupted."""
    fresh, counts = _new_controller(run, settings), Ledger()
    counts.load_state_dict(json.loads(json.dumps(ledger.state_dict())))
    if fresh is not None and controller is not None:
        fresh.load_state_dict(json.loads(json.dumps(controller.state_dict())))
    return fresh, counts


async def _play_step(
    name: str, step: int, settings: EpisodeSettings, planner: Planner | None
) -> list[Episode]:
    numbers = Random(f"{name}/{step}").sample(range(POOL), PROBLEMS)
    policy, verifier = GeneratedPolicy(name, step), ScriptedVerifier()
    playing = [
        run_episode(
            make_problem(number),
            engine=policy,
            verifier=verifier,
            settings=settings,
            planner=planner,
        )
        for number in numbers
    ]
    return list(await asyncio.gather(*playing))


def _describe_episode(episode: Episode) -> dict[str, Any]:
    row = {
        "id": episode.problem.id,
        "rate": episode.pass_rate,
        "range": episode.pass_rate_range,
        "solved": [s.reward for s in episode.solutions],
        "paid": [m.total_reward for m in episode.meta],
    }
    if episode.plan is not None:
        plan = episode.plan
        row["plan"] = [episode.skipped, plan.gate_audited, plan.cutoff_audited, plan.max_tokens]
        row["gate"] = plan.gate and [plan.gate.distance, plan.gate.limit]
        row["hint"] = plan.hint
        row["weight"] = episode.weight
    return row


def _describe_end(
    controller: Controller | None, ledger: Ledger, episodes: Sequence[Episode]
) -> dict[str, Any]:
    return {
        "ledger": ledger.state_dict(),
        "controller": None if controller is None else controller.state_dict(),
        "pairs": calibration_points(episodes)._asdict(),
        "notions": count_step_notions(episodes),
        "rewards": [[m.reward and list(m.reward) for m in e.meta] for e in episodes],
    }
