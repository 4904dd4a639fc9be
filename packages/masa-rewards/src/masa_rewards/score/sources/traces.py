"""What verifiers and prime-rl write: `traces.jsonl`, an episode with its traces a line.

prime-rl's file monitor writes what `Episode.to_record` of verifiers gives, one episode an attempt,
joined by `group`. An episode of an environment with several attempts is a group of its own. Before
July 2026 prime-rl wrote a trace a line (`train_rollouts.jsonl`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from masa_rewards.score.sources.logged import (
    LoggedRollout,
    join_messages,
    read_answer,
    read_count,
    read_number,
)

_PREDICTORS = ("predictor",)
"""Agents that answer the meta prompt, in the environment of docs/guides/stacks/verifiers.md."""


def is_trace_row(row: Mapping[str, Any]) -> bool:
    """Whether a row is an episode with traces, or a trace alone."""
    return isinstance(row.get("traces"), list) or (
        isinstance(row.get("nodes"), list) and "task" in row
    )


def read_traces(row: Mapping[str, Any]) -> list[LoggedRollout]:
    """Read the rollouts of an episode, or of a trace alone; one without a message is left out."""
    traces = row.get("traces", [row])
    task = row.get("task") or {}
    group = (row.get("group") or {}).get("id") or (row.get("info") or {}).get("group_id")
    if group is None and len(traces) > 1:
        group = ("episode", row.get("id"))
    if group is None:
        group = ("task", task.get("key") or str(task.get("data")))
    return [read for trace in traces if (read := _read_trace(trace, task.get("data") or {}, group))]


def _read_trace(
    trace: Mapping[str, Any], task: Mapping[str, Any], group: Any
) -> LoggedRollout | None:
    messages = [node["message"] for node in trace.get("nodes", ())]
    written = [message for message in messages if message.get("role") == "assistant"]
    if not written:
        return None
    stated = (task.get(name) for name in ("problem", "question", "prompt"))
    prompt = next((each for each in stated if each), messages[:1])
    rewards = {
        name: value
        for name, reward in (trace.get("rewards") or {}).items()
        if (value := _read_reward(reward)) is not None
    }
    agent = (trace.get("agent") or {}).get("name")
    return LoggedRollout(
        group=group,
        prompt=join_messages(prompt),
        text=join_messages(written),
        tokens=_read_tokens(trace),
        rewards=rewards,
        correct=None,
        answer=read_answer(task.get("answer")),
        is_prediction=None if agent is None else agent in _PREDICTORS,
    )


def _read_reward(reward: Any) -> float | None:
    """A reward is a number, or a score with its weight; the weight is the trainer's affair."""
    if isinstance(reward, Mapping):
        return read_number(reward.get("score"))
    return read_number(reward)


def _read_tokens(trace: Mapping[str, Any]) -> int | None:
    """Tokens that the model made; 0 where the server counted none: not known then."""
    return read_count(trace.get("num_output_tokens")) or None
