"""Episodes made by hand, without an engine; states sent through json and pickle."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence

from masa_control import (
    CutoffDecision,
    Episode,
    GateDecision,
    MetaRollout,
    Plan,
    Problem,
    SolutionRollout,
    WaveRecord,
)
from masa_rewards import MetaPrompt, MetaReward, Verdict

from tests.masa_control.fakes import make_completion, make_prediction_text

PROMPT = MetaPrompt(min_length=1, max_length=1000)
VERDICTS = {"r": "correct", "w": "incorrect", "?": "timeout", "!": "error"}


def make_solution(letter: str, tokens: int = 10, cut: str | None = None) -> SolutionRollout:
    """r: right, w: wrong, ?: the verifier timed out, !: it failed, c: cut, nothing stated."""
    if letter == "c":
        letter, cut = "w", cut or "unknown"
    verdict = Verdict(status=VERDICTS[letter], answer=None if letter in "?!" else "4")
    return SolutionRollout(make_completion("so 4", tokens, truncated=cut is not None), verdict, cut)


def make_meta_rollout(
    pass_rate: int | None,
    length: int | None = 20,
    notions: Sequence[str] = ("sum",),
    *,
    total_reward: float | None = 0.5,
    truncated: bool = False,
) -> MetaRollout:
    """A prediction of pass_rate eighths; None: one that cannot be read."""
    text = "Hm." if pass_rate is None else make_prediction_text(pass_rate, length or 0, *notions)
    reward = (
        None
        if total_reward is None
        else MetaReward(length=0, difficulty=0, notion=0, total=total_reward)
    )
    made = make_completion(text, 5, truncated=truncated)
    return MetaRollout(made, PROMPT.parse(text), reward, {}, total_reward)


def make_plan(
    skip: bool = False,
    *,
    mean: float | None = 0.0,
    distance: float | None = 0.0,
    audited: bool = False,
    epsilon: float = 0.25,
    allowed: int | None = None,
    limit: int = 100,
    spared: bool = False,
    cutoff_epsilon: float = 0.0,
) -> Plan:
    reason = None if mean is None else "trivial" if mean > 0.5 else "unsolvable"
    gate = GateDecision(skip, reason if skip else None, mean, 0.0, distance, None, 4)
    cutoff = None
    if allowed is not None:
        cutoff = CutoffDecision(allowed / 2, 2.0, allowed, lowers=allowed < limit)
    return Plan(
        gate=gate,
        gate_audited=audited,
        gate_audit=epsilon,
        cutoff=cutoff,
        cutoff_audited=spared,
        cutoff_audit=cutoff_epsilon,
        hint=(),
        max_tokens=limit if allowed is None or spared else allowed,
    )


def make_episode(
    solutions: str | Sequence[SolutionRollout] = "",
    predictions: Sequence[MetaRollout] = (),
    made_plan: Plan | None = None,
    name: str = "7",
    waves: WaveRecord | None = None,
) -> Episode:
    """Solutions as letters, as of `solution`."""
    rollouts = [make_solution(s) if isinstance(s, str) else s for s in solutions]
    rewards = [s.reward for s in rollouts if s.reward is not None]
    return Episode(
        problem=Problem(id=name, text="What is 2 + 2?", answer="4"),
        meta_prompt_ids=(1, 2, 3),
        solution_prompt_ids=(4, 5) if rollouts else (),
        meta=tuple(predictions),
        solutions=tuple(rollouts),
        pass_rate=sum(rewards) / len(rewards) if rewards else None,
        plan=made_plan,
        waves=waves,
    )


def list_saved_forms(state):
    """The state as it is, through json, and through pickle."""
    return [state, json.loads(json.dumps(state)), pickle.loads(pickle.dumps(state))]


def to_json_data(state):
    """The state as json has it: where a tuple and a list are one."""
    return json.loads(json.dumps(state))
