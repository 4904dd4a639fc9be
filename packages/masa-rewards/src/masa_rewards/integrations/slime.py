"""The rewards in slime: both kinds of rollouts in one group of `--group-rm` (slime 0.4.0).

A slime group is `--n-samples-per-prompt` samples of one prompt. `Masa.generate` asks the first M of
them the meta prompt instead, `Masa.reward` rewards the group together, and `Masa.post_process`
compares each kind with its own. Make one `Masa` in a module of yours and name its methods:

    --custom-generate-function-path mine.generate --group-rm --custom-rm-path mine.reward
    --custom-reward-post-process-path mine.post_process

See docs/guides/stacks/slime.md.
"""

from __future__ import annotations

import asyncio
import importlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from statistics import fmean, stdev
from typing import Any

from masa_rewards.difficulty import DIFFICULTY_BASE
from masa_rewards.integrations.result import RewardResult
from masa_rewards.integrations.rows import check_template
from masa_rewards.integrations.samples import (
    Kind,
    Sample,
    neutral_rewards,
    reward_samples,
    warn_of_failures,
)
from masa_rewards.integrations.targets import TargetWatch
from masa_rewards.notions.reward import PAPER
from masa_rewards.notions.rules import NotionRules
from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.prompt.wording import SOLUTION_TEMPLATE
from masa_rewards.verify.verdict import Verdict
from masa_rewards.verify.verifier import AnswerVerifier

Generate = Callable[..., Awaitable[Any]]
"""slime's `generate(args, sample, sampling_params)`."""


class Masa:
    """The functions that slime calls, with one group a problem: M meta rollouts and G solutions."""

    def __init__(
        self,
        prompt: MetaPrompt,
        *,
        predictions: int,
        render: Callable[[str], str],
        solution_template: str = SOLUTION_TEMPLATE,
        verifier: AnswerVerifier | None = None,
        base: float = DIFFICULTY_BASE,
        notion_rules: NotionRules = PAPER,
        generate: Generate | None = None,
    ) -> None:
        """Keep the settings; start nothing.

        Args:
            prompt: Asks for predictions, and reads them.
            predictions: M, >= 1. The other samples of a group are solutions:
                G = n_samples_per_prompt - M.
            render: Puts a user's turn into the model's chat form, as text.
            solution_template: The solution prompt, with `{problem}` in it.
            verifier: Verifies the solutions; by default one with two workers.
            base: b of the difficulty reward.
            notion_rules: Which notions count, and how.
            generate: What makes a response; by default slime's own.

        Raises:
            ValueError: If M is less than 1, or the template has no `{problem}`.
        """
        if predictions < 1:
            raise ValueError(f"predictions must be at least 1: got {predictions!r}")
        check_template(solution_template)
        self._prompt, self._predictions, self._render = prompt, predictions, render
        self._solution_template = solution_template
        self._verifier = AnswerVerifier() if verifier is None else verifier
        self._targets = TargetWatch(self._verifier)
        self._base, self._notion_rules = base, notion_rules
        self._generate = generate

    async def generate(
        self, args: Any, sample: Any, sampling_params: dict[str, Any], evaluation: bool = False
    ) -> Any:
        """Ask one of the two prompts of `sample.prompt`, the bare problem. slime calls it.

        The first M samples of a group, by `sample.index`, are meta rollouts; none in an evaluation.
        It sets "masa_kind" and "masa_problem" in `sample.metadata`; a sample that is resumed after
        an interruption keeps them.
        """
        if "masa_kind" not in sample.metadata:
            kind = "solution" if evaluation else self._kind(args, sample)
            problem = _read_problem(sample.prompt)
            template = self._solution_template
            asked = (
                self._prompt.render(problem)
                if kind == "meta"
                else template.replace("{problem}", problem)
            )
            sample.metadata = sample.metadata | {"masa_kind": kind, "masa_problem": problem}
            sample.prompt = self._render(asked)
        generate = (
            self._generate or importlib.import_module("slime.rollout.sglang_rollout").generate
        )
        return await generate(args, sample, sampling_params)

    async def reward(self, args: Any, samples: Any, **_: Any) -> list[float]:
        """Reward one group. slime calls it, with `--group-rm`.

        Args:
            args: slime's arguments.
            samples: The samples of one group.

        Returns:
            Their rewards in [0, 1]. An unrewarded sample gets the mean of its kind, an advantage of
            0, and is logged. The samples' metadata get "masa_verdict", or "masa_length",
            "masa_difficulty" and "masa_notion".

        Raises:
            ValueError: If slime gives a single sample, one whose prompt `generate` did not make, or
                a group without M meta rollouts.
        """
        if not args.group_rm or not isinstance(samples, Sequence):
            raise ValueError("a prediction is judged by its group: give slime --group-rm")
        group = [_to_sample(sample) for sample in samples]
        found = sum(sample.kind == "meta" for sample in group)
        if found != self._predictions:
            raise ValueError(
                f"a group of {len(group)} samples has {found} meta rollouts, not "
                f"{self._predictions}: a run goes on with the --n-samples-per-prompt it began with"
            )
        results = await self._score(group)
        for sample, result in zip(samples, results, strict=True):
            sample.metadata = sample.metadata | _to_metadata(result)
        return neutral_rewards(group, results)

    def post_process(self, args: Any, samples: Any) -> tuple[list[float], list[float]]:
        """Compare every reward with those of its own kind and group. slime calls it.

        slime's own would take the mean over both kinds.

        Args:
            args: slime's arguments; `grpo_std_normalization` counts.
            samples: The N samples of a step.

        Returns:
            N rewards as they were, and N less the mean of their kind in their group; with
            `grpo_std_normalization` divided by the standard deviation (+ 1e-6). A group of one
            gives 0.
        """
        rewards = [float(sample.get_reward_value(args)) for sample in samples]
        members: defaultdict[tuple[Any, str], list[int]] = defaultdict(list)
        for position, sample in enumerate(samples):
            members[sample.group_index, sample.metadata["masa_kind"]].append(position)
        compared = [0.0] * len(rewards)
        for positions in members.values():
            own = [rewards[position] for position in positions]
            mean = fmean(own)
            scaled = args.grpo_std_normalization and len(own) > 1
            scale = stdev(own) + 1e-6 if scaled else 1.0
            for position in positions:
                compared[position] = (rewards[position] - mean) / scale
        return rewards, compared

    def _kind(self, args: Any, sample: Any) -> Kind:
        number = int(args.n_samples_per_prompt)
        if number <= self._predictions:
            raise ValueError(
                f"--n-samples-per-prompt is {number}, of which {self._predictions} are meta "
                "rollouts: raise it, so that there are solutions to judge them by"
            )
        return "meta" if int(sample.index) % number < self._predictions else "solution"

    async def _score(self, group: list[Sample]) -> list[RewardResult]:
        verdicts = await asyncio.gather(*map(self._verify, group))
        # In a thread: finding notions in long texts would block generation.
        results = await asyncio.to_thread(
            reward_samples,
            group,
            verdicts,
            prompt=self._prompt,
            base=self._base,
            notion_rules=self._notion_rules,
        )
        warn_of_failures(verdicts)
        return results

    async def _verify(self, sample: Sample) -> Verdict | None:
        if sample.kind == "meta":
            return None
        self._targets.see(sample.gold)
        return await self._verifier.averify(sample.text, sample.gold)


def _read_problem(prompt: Any) -> str:
    if isinstance(prompt, str):
        return prompt
    if isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0]["content"], str):
        return str(prompt[0]["content"])
    raise ValueError(
        f"the prompt must be the bare problem, as text: got {str(prompt)[:200]!r}; let --input-key "
        "name the problem, and leave --apply-chat-template out"
    )


def _to_sample(sample: Any) -> Sample:
    if isinstance(sample, list) or "masa_kind" not in sample.metadata:
        raise ValueError(
            "a sample that Masa.generate did not ask: give slime --custom-generate-function-path "
            "too, and one response a sample"
        )
    return Sample(
        kind=sample.metadata["masa_kind"],
        problem_id=str(sample.group_index),
        problem=sample.metadata["masa_problem"],
        text=sample.response,
        length=sample.response_length,
        gold=sample.label or "",
    )


def _to_metadata(result: RewardResult) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if result.verdict is not None:
        metadata["masa_verdict"] = result.verdict.status
    if result.components is not None:
        metadata["masa_length"] = result.components.length
        metadata["masa_difficulty"] = result.components.difficulty
        metadata["masa_notion"] = result.components.notion
    return metadata
