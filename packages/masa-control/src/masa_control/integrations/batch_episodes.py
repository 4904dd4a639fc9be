"""The rollouts of a batch as episodes: what the controller and the ledger learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from masa_rewards.integrations.result import RewardResult
from masa_rewards.integrations.samples import Kind

from masa_control.episode.plan import Plan
from masa_control.episode.protocols import Completion
from masa_control.episode.types import (
    Episode,
    MetaRollout,
    Problem,
    SolutionRollout,
    verified_group,
)


class BatchRollout(NamedTuple):
    """What processes exchange of one rollout: no text and no token, only how many there are.

    Attributes:
        kind: "solution" or "meta".
        problem_id: joins the rollouts of a problem.
        tokens: its length.
        truncated: it was stopped by its token limit.
        result: the reward and why.
    """

    kind: Kind
    problem_id: str
    tokens: int
    truncated: bool
    result: RewardResult


def build_episodes(
    rollouts: Sequence[BatchRollout], plans: Mapping[str, Plan], problems: Mapping[str, Problem]
) -> list[Episode]:
    """Return an episode for each problem of a batch, in the order in which they occur.

    Args:
        rollouts: of all processes. A solution without a verdict is a placeholder, and left out.
        plans: by problem id; none for a problem that was rolled out without one.
        problems: by id.
    """
    groups: dict[str, list[BatchRollout]] = {}
    for rollout in rollouts:
        groups.setdefault(rollout.problem_id, []).append(rollout)
    return [_build_episode(problems[name], plans.get(name), own) for name, own in groups.items()]


def _build_episode(problem: Problem, plan: Plan | None, rollouts: list[BatchRollout]) -> Episode:
    solutions = tuple(
        SolutionRollout(_to_completion(each), each.result.verdict)
        for each in rollouts
        if each.result.verdict is not None
    )
    meta = tuple(
        MetaRollout(
            _to_completion(each),
            each.result.prediction,
            each.result.components,
            total_reward=each.result.reward,
        )
        for each in rollouts
        if each.result.prediction is not None
    )
    group = verified_group(problem, solutions)
    return Episode(
        problem=problem,
        meta_prompt_ids=(),
        solution_prompt_ids=(),
        meta=meta,
        solutions=solutions,
        pass_rate=group.pass_rate if group.rollouts else None,
        plan=plan,
    )


def _to_completion(rollout: BatchRollout) -> Completion:
    """A completion of as many tokens: which ones, only the process that made it knows."""
    return Completion(token_ids=range(rollout.tokens), text="", truncated=rollout.truncated)
