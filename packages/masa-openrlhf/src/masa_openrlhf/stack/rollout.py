"""The rollout actor: an episode a problem, beside vLLM.

OpenRLHF asks its rollout actor for the responses to one prompt, one call a problem, and calls for
all problems at once. Here such a call plays a whole episode. Calls share the engine and wait for
nothing but their own rollouts.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import ray
from masa_control import (
    META,
    Completion,
    DistributionReaderSettings,
    Episode,
    EpisodeSettings,
    Planner,
    Problem,
    Stopwatch,
    run_episode,
)
from masa_rewards import AnswerVerifier
from openrlhf.trainer.ray.vllm_engine import RolloutRayActor
from vllm.sampling_params import RequestOutputKind, SamplingParams

from masa_openrlhf import cpu
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.data.prompts import PromptEncoder
from masa_openrlhf.nodes.variables import export_secrets
from masa_openrlhf.procedural.scorer import TaskScorer
from masa_openrlhf.reading.alternatives import ALTERNATIVES, find_digit_alternatives
from masa_openrlhf.run.wandb_login import Secret
from masa_openrlhf.weights.digest import ParameterDigest
from masa_openrlhf.weights.shards import add_shards


def _build_gpu_arguments(config: TrainConfig) -> dict[str, Any]:
    """VLLM's arguments on GPUs, over those OpenRLHF gives it.

    Without them an engine that is no server works on 128 sequences and 2,048 tokens at a time, much
    less than its cache holds: predictions and short solutions would wait for each other.
    """
    return {
        "worker_extension_cls": "masa_openrlhf.weights.worker.GpuWorker",
        "max_num_seqs": config.cluster.engine_sequences,
        "max_num_batched_tokens": config.cluster.engine_tokens,
    }


def _reads_digits(config: TrainConfig) -> bool:
    """Whether what could have stood in the place of a prediction's digits decides."""
    return config.control is not None and isinstance(config.reader, DistributionReaderSettings)


class Phase(NamedTuple):
    """What the rollouts of the coming calls are for.

    Attributes:
        name: "train" or "eval".
        step: the training step, from 1.
        planner: plans by the predictions; None: nothing is decided by them.
    """

    name: str
    step: int
    planner: Planner | None = None


class EpisodeActor(RolloutRayActor.__ray_metadata__.modified_class):
    """OpenRLHF's rollout actor, playing episodes.

    Args:
        masa: the run's configuration.
        secrets: for this process's environment.
        *args: OpenRLHF's own.
        **kwargs: OpenRLHF's own.
    """

    async def __init__(  # type: ignore[misc]  # Ray awaits it
        self,
        *args: Any,
        masa: TrainConfig,
        secrets: Mapping[str, Secret] | None = None,
        **kwargs: Any,
    ) -> None:
        export_secrets(secrets or {})
        self.masa = masa
        self.phase = Phase("train", 0)
        self._settings = masa.episode_settings()
        self.verifier = AnswerVerifier(**masa.verifier.model_dump())
        self.scorer = TaskScorer(**masa.verifier.model_dump())
        self._prompts: PromptEncoder | None = None
        kwargs.update(
            cpu.build_engine_arguments(masa.cluster.tensor_parallel)
            if cpu.is_active()
            else _build_gpu_arguments(masa)
        )
        if _reads_digits(masa):  # OpenRLHF's engine returns those of the sampled tokens alone
            kwargs["max_logprobs"] = ALTERNATIVES
        if masa.data.train is not None:  # the tiny problems need no computer algebra
            self.verifier.warm()
        await super().__init__(*args, **kwargs)

    async def begin(self, phase: Phase) -> None:
        """Say what the coming calls are for; seeds depend on it."""
        self.phase = phase

    async def generate_responses(
        self,
        prompt: str,
        label: dict[str, Any],
        sampling_params: SamplingParams,
        max_length: int,
        hf_tokenizer: Any,
        num_samples: int = 1,
        images: Any = None,
    ) -> Episode:
        """Play the episode of one problem.

        Args:
            prompt: the statement.
            label: ``{"id": ..., "answer": ...}``; ``"scorer"`` where the task has its own, and
                ``"belief"`` where a reader was asked.
            sampling_params: temperature, top-p and whether log-probabilities are wanted.
            max_length: longest sequence, tokens; prompts were held to it when the data were read.
            hf_tokenizer: the policy's tokenizer.
            num_samples: G.
            images: none; MASA is defined for text.
        """
        if self._prompts is None:
            self._prompts = PromptEncoder(hf_tokenizer, self.masa)
        problem = Problem(id=label["id"], text=prompt, answer=label["answer"])
        item = label.get("scorer")
        watch = Stopwatch()
        engine = _Engine(self, sampling_params, self._prompts, problem, watch)
        return await run_episode(
            problem,
            engine=engine,
            verifier=self.scorer.bind_item(item) if item else self.verifier,
            settings=self._settings_for(num_samples),
            planner=self.phase.planner,
            watch=watch,
            belief=label.get("belief"),
        )

    def _settings_for(self, solution_rollouts: int) -> EpisodeSettings:
        """The run's settings, with the G of a phase: evaluation has another."""
        solution = self._settings.solution.model_copy(update={"rollouts": solution_rollouts})
        return self._settings.model_copy(update={"solution": solution})

    async def weight_digest(self) -> dict[str, ParameterDigest]:
        """Return the digest of the engine's weights, put together from its workers' shards."""
        return add_shards(await self.llm.collective_rpc("weight_digest"))


class _Engine:
    """vLLM, as the episode of one problem sees it."""

    def __init__(
        self,
        actor: EpisodeActor,
        params: SamplingParams,
        prompts: PromptEncoder,
        problem: Problem,
        watch: Stopwatch,
    ) -> None:
        self._actor = actor
        self._params = params
        self._prompts = prompts
        self._problem = problem
        self._watch = watch
        self._asked: Counter[str] = Counter()
        self._shows_digits = _reads_digits(actor.masa)

    def encode(self, prompt: str) -> list[int]:
        return self._prompts.encode(prompt)

    async def generate(
        self, token_ids: Sequence[int], *, max_tokens: int, n: int, kind: str
    ) -> list[Completion]:
        params = self._params.clone()
        params.n, params.max_tokens = n, max_tokens
        params.output_kind = RequestOutputKind.FINAL_ONLY
        params.skip_special_tokens = True
        params.stop_token_ids = self._prompts.ends_of_turn
        params.seed = self._seed(kind)
        shows_digits = self._shows_digits and kind == META
        if shows_digits:
            params.logprobs = max(params.logprobs or 0, ALTERNATIVES)
        output = await self._actor.generate(list(token_ids), params)
        with self._watch.time("conversion"):
            return [
                _to_completion(
                    one, with_logprobs=self._params.logprobs is not None, shows_digits=shows_digits
                )
                for one in sorted(output.outputs, key=lambda one: one.index)
            ]

    def _seed(self, kind: str) -> int | None:
        if not self._actor.masa.sampling.seeded:
            return None
        phase = self._actor.phase
        step = phase.step if phase.name == "train" else 0  # every evaluation samples alike
        name = f"{self._actor.masa.seed}/{phase.name}/{step}/{self._problem.id}/{kind}"
        if self._asked[kind]:  # a later wave of the same problem
            name += f"/{self._asked[kind]}"
        self._asked[kind] += 1
        return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big")


def _to_completion(output: Any, *, with_logprobs: bool, shows_digits: bool) -> Completion:
    token_ids = array("i", output.token_ids)
    logprobs = None
    if with_logprobs:
        taken = zip(token_ids, output.logprobs, strict=True)
        logprobs = array("f", [entry[token].logprob for token, entry in taken])  # 32 bit in vLLM
    return Completion(
        token_ids=token_ids,
        text=output.text,
        truncated=output.finish_reason == "length",
        logprobs=logprobs,
        alternatives=find_digit_alternatives(output) if shows_digits else None,
    )


RolloutActor = ray.remote(EpisodeActor)
