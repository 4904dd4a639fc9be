"""Rollouts of a log, joined to problems with their groups."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.score.sources.logged import LoggedRollout
from masa_rewards.score.sources.predictions import (
    find_asked,
    find_asked_problem,
    strip_solution_prompt,
)
from masa_rewards.score.sources.right_rewards import RightReward, choose_reward


class GroupedLog(NamedTuple):
    """The problems of a log.

    Attributes:
        problems: As the lines of `score_lines` have them.
        reward: What says that an answer is right.
        orphans: Predictions of problems that have no rollout in the log.
    """

    problems: list[dict[str, Any]]
    reward: RightReward
    orphans: int


@dataclass
class _Group:
    solutions: list[LoggedRollout] = field(default_factory=list)
    predictions: list[str] = field(default_factory=list)


def group_rollouts(
    rollouts: Iterable[LoggedRollout],
    prompt: MetaPrompt,
    *,
    reward: str | None,
    right_from: float,
) -> GroupedLog:
    """Join the rollouts of a log to problems; predictions go to the problem they were asked of.

    Args:
        rollouts: Those of one file, in its order.
        prompt: Its wording tells which of them are predictions, where the log does not.
        reward: The reward that says whether an answer is right; None: the one that must be it.
        right_from: The value from which on it counts as right.

    Raises:
        FormError: It is not clear which reward says so.
    """
    groups: dict[Hashable, _Group] = {}
    asked: dict[Hashable, tuple[str, Hashable, list[str]]] = {}
    for rollout in rollouts:
        problem = _find_predicted_problem(prompt, rollout)
        if problem is None:
            groups.setdefault(rollout.group, _Group()).solutions.append(rollout)
        else:
            key = (_find_step(rollout.group), problem)
            asked.setdefault(key, (problem, rollout.group, []))[2].append(rollout.text)
    solutions = [each for group in groups.values() for each in group.solutions]
    chosen = choose_reward(solutions, name=reward, right_from=right_from)
    orphans = _hand_on_predictions(groups, asked)
    problems = [_to_entry(group, chosen) for group in groups.values()]
    return GroupedLog(problems, chosen, orphans)


def _find_predicted_problem(prompt: MetaPrompt, rollout: LoggedRollout) -> str | None:
    """The problem a rollout predicts; None where it is a solution."""
    if rollout.is_prediction is False:
        return None
    problem = find_asked_problem(prompt, rollout.prompt)
    return rollout.prompt if problem is None and rollout.is_prediction else problem


def _hand_on_predictions(
    groups: dict[Hashable, _Group], asked: dict[Hashable, tuple[str, Hashable, list[str]]]
) -> int:
    """Give each problem's predictions to its group of the same step; return how many have none."""
    places: dict[Hashable, _Group] = {}
    names = dict.fromkeys(problem for problem, _, _ in asked.values())
    for key, group in groups.items():
        places.setdefault(key, group)
        problem = find_asked(group.solutions[0].prompt, names)
        if problem is not None:
            places.setdefault((_find_step(key), problem), group)
    orphans = 0
    for key, (_, own, texts) in asked.items():
        found = places.get(own) or places.get(key)
        if found is None:
            orphans += len(texts)
        else:
            found.predictions += texts
    return orphans


def _find_step(group: Hashable) -> Hashable:
    return group[0] if isinstance(group, tuple) else None


def _to_entry(group: _Group, reward: RightReward) -> dict[str, Any]:
    answer = next((each.answer for each in group.solutions if each.answer is not None), None)
    judged = [reward.judge(each) for each in group.solutions]
    is_unjudged = answer is not None and all(verdict is None for verdict in judged)
    return {
        "problem": strip_solution_prompt(group.solutions[0].prompt),
        "answer": answer if is_unjudged else None,
        "rollouts": [
            {"text": each.text, "length": each.tokens, "correct": verdict}
            for each, verdict in zip(group.solutions, judged, strict=True)
        ],
        "predictions": group.predictions,
    }
