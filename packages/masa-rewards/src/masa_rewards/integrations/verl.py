"""The rewards in verl: a reward manager that joins both prompts of a problem (verl 0.9.1).

verl gives every response, alone and as soon as it is there, to one of several reward workers (Ray
actors). Each verifies its own; one more actor collects the rollouts of a problem and rewards them
together. Make the rows with `verl_rows`, and set

    reward.reward_manager.source=importlib
    reward.reward_manager.name=MasaRewardManager
    reward.reward_manager.module.path=pkg://masa_rewards.integrations.verl

See docs/guides/stacks/verl.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from masa_rewards.difficulty import DIFFICULTY_BASE
from masa_rewards.integrations.group_collector import GroupCollector, Submission
from masa_rewards.integrations.result import RewardResult, TrainingReward
from masa_rewards.integrations.rows import paired_rows
from masa_rewards.integrations.samples import Kind, Sample
from masa_rewards.notions.reward import PAPER
from masa_rewards.notions.rules import NotionRules
from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.prompt.wording import SOLUTION_TEMPLATE
from masa_rewards.verify.verifier import AnswerVerifier

COLLECTOR = "masa_rewards_group_collector"
"""Name of the Ray actor that collects the rollouts of each problem."""

WAITING = 500
"""Meta rollouts that may wait in one reward worker: half of Ray's limit of concurrent calls."""


class VerlSettings(BaseModel):
    """The settings under `reward.reward_kwargs.masa` in verl's configuration.

    Attributes:
        meta_prompt: Reads the predictions; must be the prompt that built the rows. By default its
            `max_length` is verl's `response_length`.
        difficulty_base: b of the difficulty reward.
        notion_rules: Which notions count, and how.
        workers: Verifier processes of each reward worker.
        timeout: Seconds a verification may take.
        wait_seconds: How long a meta rollout waits for the solutions of its problem.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    meta_prompt: MetaPrompt
    difficulty_base: float = DIFFICULTY_BASE
    notion_rules: NotionRules = PAPER
    workers: Annotated[int, Field(ge=1)] = 1
    timeout: Annotated[float, Field(gt=0)] = 5.0
    wait_seconds: Annotated[float, Field(gt=0)] = 3600.0


def verl_rows(
    problems: Iterable[Mapping[str, object]],
    prompt: MetaPrompt,
    *,
    solutions: int,
    predictions: int,
    solution_template: str = SOLUTION_TEMPLATE,
    seed: int | None = None,
) -> list[dict[str, Any]]:
    """Make the rows of verl's parquet file: both prompts of each problem, next to one another.

    Args:
        problems: The P problems: "problem" and "answer", and "problem_id" where there is one.
        prompt: Words the meta prompt.
        solutions: G, solution rollouts a problem, >= 1.
        predictions: M, meta rollouts a problem, >= 0. With verl's trainer v1 (the default) it may
            differ from G; the older one makes `rollout.n` of every row. 0 leaves the meta rows
            out, for validation.
        solution_template: The solution prompt, with `{problem}` in it.
        seed: Shuffles the problems; verl must not, since it would separate the rows.

    Returns:
        2 P rows, or P. `data_source` is "masa/solution" or "masa/meta", so that verl's figures are
        kept apart; `__rollout_n__` is how many rollouts trainer v1 makes of the row.

    Raises:
        ValueError: If G is less than 1 or M less than 0, or a problem is not fit.
    """
    numbers: dict[Kind, int] = {"solution": solutions, "meta": predictions}
    if solutions < 1 or predictions < 0:
        raise ValueError(f"solutions must be at least 1, predictions at least 0: got {numbers!r}")
    rows = paired_rows(problems, prompt, solution_template=solution_template, seed=seed)
    return [
        {
            "data_source": f"masa/{row['kind']}",
            "prompt": row["prompt"],
            "ability": "math",
            "reward_model": {"style": "rule", "ground_truth": row["answer"]},
            "extra_info": {
                "index": index,
                "kind": row["kind"],
                "problem_id": row["problem_id"],
                "problem": row["problem"],
                "solutions": solutions,
                "predictions": predictions,
            },
            "__rollout_n__": numbers[row["kind"]],
        }
        for index, row in enumerate(rows)
        if numbers[row["kind"]]
    ]


class MasaRewardManager:
    """Rewards solution and meta rollouts in verl's reward workers. verl makes and calls it."""

    def __init__(self, config: Any, tokenizer: Any, **_: Any) -> None:
        """Read the settings; start nothing.

        Args:
            config: verl's configuration.
            tokenizer: The policy's.
            _: A reward function and the address of a reward model, which are not used.

        Raises:
            ValueError: If a setting is wrong, or a reward function or model is configured too,
                which would not be used.
        """
        reward = config.reward
        if reward.custom_reward_function.path or reward.reward_model.enable:
            raise ValueError(
                "MasaRewardManager rewards by itself: unset reward.custom_reward_function.path "
                f"({reward.custom_reward_function.path!r}) and reward.reward_model.enable "
                f"({reward.reward_model.enable!r})"
            )
        self.settings = read_settings(config)
        self.tokenizer = tokenizer
        self.verifier = AnswerVerifier(workers=self.settings.workers, timeout=self.settings.timeout)
        self._room = WAITING * int(reward.num_workers)
        self._problems = int(config.data.train_batch_size) // 2
        self._collector: Any = None

    async def run_single(self, data: Any) -> dict[str, Any]:
        """Reward one response. verl calls it.

        Args:
            data: A `DataProto` of one sequence; of several, the last counts.

        Returns:
            "reward_score", and "reward_extra_info" with the same keys for both kinds; None where
            there is no value.

        Raises:
            ValueError: If a column is missing.
            TimeoutError: If the group is not complete after `wait_seconds`.
        """
        item = data[-1:][0]
        info = _read_info(item.non_tensor_batch)
        self._check_room(info)
        text, length = await asyncio.to_thread(self._response, item.batch)
        gold = str(item.non_tensor_batch["reward_model"]["ground_truth"])
        sample = Sample(info["kind"], str(info["problem_id"]), info["problem"], text, length, gold)
        verdict = None
        if sample.kind == "solution":
            verdict = await self.verifier.averify(sample.text, sample.gold)
        row = str(item.non_tensor_batch["uid"])
        submission = Submission(sample, verdict, row, info["solutions"], info["predictions"])
        reward = await self._reward(submission)
        return {
            "reward_score": reward.value,
            "reward_extra_info": _to_extra_info(sample, reward.result),
        }

    async def _reward(self, submission: Submission) -> TrainingReward:
        verdict = submission.verdict
        if verdict is not None and not submission.predictions:  # validation: there is no group
            result = RewardResult.of_solution(verdict)
            return TrainingReward(result.reward or 0.0, result)
        reward: TrainingReward = await self._get_collector().submit.remote(submission)
        return reward

    def _response(self, batch: Any) -> tuple[str, int]:
        """The text of a response, and its length in tokens, the last one (end) too."""
        ids = batch["responses"]
        length = int(batch["attention_mask"][-ids.shape[-1] :].sum())
        return self.tokenizer.decode(ids[:length], skip_special_tokens=True), length

    def _get_collector(self) -> Any:
        """The actor that all reward workers submit to; the first to need it creates it."""
        if self._collector is None:
            import ray

            settings = self.settings
            actor: Any = ray.remote(GroupCollector)
            # It mostly waits, so it reserves no core; no submission may queue behind another.
            options = actor.options(
                name=COLLECTOR, get_if_exists=True, num_cpus=0, max_concurrency=1_000_000
            )
            self._collector = options.remote(
                settings.meta_prompt,
                base=settings.difficulty_base,
                notion_rules=settings.notion_rules,
                wait_seconds=settings.wait_seconds,
            )
        return self._collector

    def _check_room(self, info: Mapping[str, Any]) -> None:
        """Refuse a batch whose meta rollouts could keep its solutions out of the workers."""
        waiting = self._problems * int(info["predictions"])
        if waiting > self._room:
            raise ValueError(
                f"{waiting} meta rollouts of a batch may wait for solutions at once, and "
                f"{self._room} have room: set reward.num_workers to at least "
                f"{-(-waiting // WAITING)}"
            )


def read_settings(config: Any) -> VerlSettings:
    """Read `reward.reward_kwargs.masa` of verl's configuration.

    Raises:
        ValueError: If a setting is unknown or out of its range.
    """
    settings = _to_plain((config.reward.get("reward_kwargs") or {}).get("masa") or {})
    longest = int(config.actor_rollout_ref.rollout.response_length)
    settings["meta_prompt"] = {"max_length": longest} | (settings.get("meta_prompt") or {})
    return VerlSettings.model_validate(settings)


def _to_plain(value: Any) -> Any:
    """Dictionaries and lists of OmegaConf's kinds of them."""
    if isinstance(value, Mapping):
        return {key: _to_plain(entry) for key, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_to_plain(entry) for entry in value]
    return value


def _read_info(columns: Mapping[str, Any]) -> dict[str, Any]:
    info = columns.get("extra_info") or {}
    wanted = ("kind", "problem_id", "problem", "solutions", "predictions")
    if missing := [name for name in wanted if name not in info]:
        raise ValueError(
            f"extra_info lacks {missing!r}; it has {sorted(info)!r}. Make the rows with "
            "masa_rewards.integrations.verl.verl_rows"
        )
    return dict(info)


def _to_extra_info(sample: Sample, result: RewardResult) -> dict[str, float | None]:
    components = result.components
    return {
        "acc": result.reward if sample.kind == "solution" else None,
        "masa_reward": result.reward,
        "masa_unrewarded": float(result.reward is None),
        "masa_length": components.length if components else None,
        "masa_difficulty": components.difficulty if components else None,
        "masa_notion": components.notion if components else None,
    }
