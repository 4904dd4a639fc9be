"""The rewards in verifiers: an episode is one problem, asked both ways (verifiers 0.4.0, prime-rl).

An environment of verifiers with two agents: a `solver` makes G attempts at the problem, a
`predictor` makes M predictions of how they go. `ask` is its `run`, `reward_episode` its `finalize`;
docs/guides/stacks/verifiers.md holds the whole of it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from masa_rewards.difficulty import DIFFICULTY_BASE
from masa_rewards.integrations.result import RewardResult
from masa_rewards.integrations.rows import check_template
from masa_rewards.integrations.samples import (
    Kind,
    Sample,
    neutral_rewards,
    reward_samples,
)
from masa_rewards.notions.reward import PAPER
from masa_rewards.notions.rules import NotionRules
from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.prompt.wording import SOLUTION_TEMPLATE
from masa_rewards.verify.verdict import Verdict
from masa_rewards.verify.verifier import AnswerVerifier

KINDS: dict[str, Kind] = {"solver": "solution", "predictor": "meta"}
"""What the rollouts of each agent are."""


async def ask(
    task: Any,
    agents: Any,
    prompt: MetaPrompt,
    *,
    solutions: int,
    predictions: int,
    solution_template: str = SOLUTION_TEMPLATE,
) -> None:
    """Have a problem solved G times and predicted M times. For `Env.run`.

    How many run at once is the environment's own `max_concurrent_agents`.

    Args:
        task: Its `data.problem` is the statement.
        agents: Has a `solver` and a `predictor`.
        prompt: Words the meta prompt.
        solutions: G, >= 1.
        predictions: M, >= 1.
        solution_template: The solution prompt, with `{problem}` in it.

    Raises:
        ValueError: If G or M is less than 1, or the template has no `{problem}`.
    """
    if min(solutions, predictions) < 1:
        raise ValueError(
            f"solutions and predictions must be at least 1: got {solutions!r} and {predictions!r}"
        )
    check_template(solution_template)
    problem = task.data.problem
    solve = task.with_data(prompt=solution_template.replace("{problem}", problem))
    predict = task.with_data(prompt=prompt.render(problem))
    runs = [agents.predictor.run(predict) for _ in range(predictions)]
    runs += [agents.solver.run(solve) for _ in range(solutions)]
    await _run_together(runs)


async def reward_episode(
    task: Any,
    episode: Any,
    verifier: AnswerVerifier,
    prompt: MetaPrompt,
    *,
    base: float = DIFFICULTY_BASE,
    notion_rules: NotionRules = PAPER,
    centred: bool = False,
) -> None:
    """Reward every trace of an episode. For `Env.finalize`.

    Recorded are the reward "masa" and, as metrics, "masa_reward" (where it could be judged),
    "masa_unrewarded", and a prediction's "masa_length", "masa_difficulty" and "masa_notion". A
    trace that ended with an error is left out: it is no rollout. An unrewarded trace gets the mean
    of its kind, an advantage of 0.

    Args:
        task: Its `data.problem` is the statement, its `data.answer` the right answer.
        episode: Holds the traces of `ask`.
        verifier: Verifies the solutions.
        prompt: Reads the predictions.
        base: b of the difficulty reward.
        notion_rules: Which notions count, and how.
        centred: Record each reward less the mean of its kind in this episode. For a trainer that
            compares all traces of a group with one another, as prime-rl's `grpo` does: so each kind
            is compared with its own.

    Raises:
        ValueError: If an agent has another name, the endpoint reports no token counts, or no
            solution came to an end.
    """
    traces = [trace for trace in episode.traces if trace.ok]
    samples = [_to_sample(task, trace) for trace in traces]
    verdicts: list[Verdict | None] = await asyncio.gather(
        *(_verify_sample(sample, verifier) for sample in samples)
    )
    results = await asyncio.to_thread(
        reward_samples, samples, verdicts, prompt=prompt, base=base, notion_rules=notion_rules
    )
    values = neutral_rewards(samples, results)
    if centred:
        values = _center_values(samples, values)
    for trace, result, value in zip(traces, results, values, strict=True):
        trace.record_metrics(_to_metrics(result))
        trace.record_reward("masa", value)


def _to_sample(task: Any, trace: Any) -> Sample:
    name = trace.agent.name
    if name not in KINDS:
        raise ValueError(f"the agents must be called {sorted(KINDS)!r}: got {name!r}")
    if trace.usage is None:
        raise ValueError(
            "the endpoint reports no usage, so the length of a response is not known: use one that "
            "counts tokens, as vLLM does"
        )
    return Sample(
        kind=KINDS[name],
        problem_id=task.key,
        problem=task.data.problem,
        text=trace.last_reply,
        length=trace.num_output_tokens,
        gold=task.data.answer,
    )


async def _verify_sample(sample: Sample, verifier: AnswerVerifier) -> Verdict | None:
    if sample.kind == "meta":
        return None
    return await verifier.averify(sample.text, sample.gold)


def _to_metrics(result: RewardResult) -> dict[str, float]:
    metrics = {"masa_unrewarded": float(result.reward is None)}
    if result.reward is not None:
        metrics["masa_reward"] = result.reward
    if result.components is not None:
        metrics["masa_length"] = result.components.length
        metrics["masa_difficulty"] = result.components.difficulty
        metrics["masa_notion"] = result.components.notion
    return metrics


def _center_values(samples: Sequence[Sample], values: Sequence[float]) -> list[float]:
    members: defaultdict[str, list[float]] = defaultdict(list)
    for sample, value in zip(samples, values, strict=True):
        members[sample.kind].append(value)
    means = {kind: fmean(own) for kind, own in members.items()}
    return [value - means[sample.kind] for sample, value in zip(samples, values, strict=True)]


async def _run_together(runs: Sequence[Any]) -> None:
    """Run all; one that raises ends the others."""
    tasks = [asyncio.ensure_future(run) for run in runs]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
