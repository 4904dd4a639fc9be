"""One step through the real code with a scripted engine, timed part by part.

What runs where in a run on 8 GPUs with 8 engines:

- in the rollout actors, one an engine, each 1/8 of the problems: prompts, conversion of what vLLM
  hands over, reading and paying predictions, verification, plans, and pickling of the episodes;
- in each actor's verification workers, processes of their own: computer algebra;
- in the trainer, one process for all problems: unpickling, samples, packing, advantages, control,
  records;
- in the 8 ranks of the policy: nothing of ours.
"""

from __future__ import annotations

import asyncio
import gc
import pickle
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from masa_benchmarks.overhead.taken import StepSeconds, read_worker_seconds, sum_episode_seconds
from masa_benchmarks.overhead.text import MathRow, ScriptedWriter, StepSize, make_tokenizer

DECIDING_STEP = 100  # predictions decide


class StepBenchmark:
    """A step of one size, to be played again and again.

    Args:
        rows: what the scripted policy writes from.
        size: of the step.
        writer: writes; shared, as it is large.
        pack: OpenRLHF packs the batches, as the preset has it; else our own code deals them.
    """

    def __init__(
        self, rows: Sequence[MathRow], size: StepSize, writer: ScriptedWriter, *, pack: bool
    ) -> None:
        from masa_control import Controller, Ledger
        from masa_rewards import AnswerVerifier

        self.size = size
        self.config = _build_step_config(size, pack)
        self.tokenizer = make_tokenizer(rows)
        self.controller = Controller(self.config, self.config.meta_prompt, seed=0)
        self.ledger = Ledger()
        self.args = _build_trainer_arguments(self.config)
        self._script = self._scripted(rows, writer)
        self.verifier = AnswerVerifier(**self.config.verifier.model_dump())
        # All workers are up, as after the first step, and have seen some algebra.
        self.verifier.verify_many([(rf"\boxed{{x+{i}+y}}", f"y+x+{i}") for i in range(40)])
        gc.collect()
        gc.freeze()  # what is scripted is no burden on the garbage collector

    def close(self) -> None:
        """End the verification workers."""
        self.verifier.close()

    def _scripted(self, rows: Sequence[MathRow], writer: ScriptedWriter) -> dict[str, Any]:
        from masa_openrlhf.data.prompts import PromptEncoder

        chosen = [rows[i % len(rows)] for i in range(self.size.problems)]
        self.problems = [(f"{i}. {row.problem}", row) for i, row in enumerate(chosen)]
        self.prompts = PromptEncoder(self.tokenizer, self.config)
        script: dict[tuple[int, ...], Any] = {}
        settings = self.config.episode_settings()
        for text, row in self.problems:
            meta = self.prompts.encode(settings.meta_prompt.render(text))
            solution = self.prompts.encode(settings.solution.template.replace("{problem}", text))
            script[tuple(meta)] = writer.predictions(self.size)
            script[tuple(solution)] = writer.solutions(row, self.size)
        return script

    def step(self) -> StepSeconds:
        """Play one step and take it apart."""
        before = read_worker_seconds()
        episodes = asyncio.run(self._play(self._actor()))
        workers = read_worker_seconds() - before
        actors, waits = sum_episode_seconds(episodes)
        began = time.thread_time()
        sent = [pickle.dumps(episode, protocol=5) for episode in episodes]
        actors["transfer"] = time.thread_time() - began
        del episodes
        gc.collect()
        began = time.perf_counter()
        trainer = self._trainer(sent)
        wall = time.perf_counter() - began
        packing = trainer.pop("packing", 0.0)
        return StepSeconds(actors, workers, trainer, packing, wall, sum(waits) / len(waits))

    def _actor(self) -> Any:
        from masa_openrlhf.stack.rollout import EpisodeActor, Phase

        class Scripted(EpisodeActor):
            async def generate(self, token_ids: Any, params: Any) -> Any:
                await asyncio.sleep(0)
                return self.script[tuple(token_ids)]

        actor = object.__new__(Scripted)
        actor.masa, actor.verifier = self.config, self.verifier
        actor._settings = self.config.episode_settings()
        actor.script, actor._prompts = self._script, self.prompts
        actor.phase = Phase("train", DECIDING_STEP, self.controller.planner(DECIDING_STEP))
        return actor

    async def _play(self, actor: Any) -> list[Any]:
        from vllm.sampling_params import SamplingParams

        params = SamplingParams(temperature=1.0, logprobs=1)
        return await asyncio.gather(
            *(
                actor.generate_responses(
                    text,
                    {"id": str(number), "answer": row.answer},
                    params,
                    10_240,
                    self.tokenizer,
                    self.size.solutions,
                )
                for number, (text, row) in enumerate(self.problems)
            )
        )

    def _trainer(self, sent: list[bytes]) -> dict[str, float]:
        """What the trainer does with a step's episodes, in its order."""
        from masa_control import Stopwatch, step_metrics
        from masa_openrlhf.stack.experience import make_clone_samples, weigh_samples
        from masa_openrlhf.stack.samples import EpisodeGenerator

        watch = Stopwatch()
        generator = object.__new__(EpisodeGenerator)
        generator.episodes = watch.run("transfer", lambda: [pickle.loads(one) for one in sent])
        played = generator.episodes
        samples = watch.run("samples", generator._samples)
        with watch.time("control"):
            self.controller.planner(DECIDING_STEP)
            self.controller.observe(played, DECIDING_STEP)
            experts = self.controller.clones(DECIDING_STEP)
        with watch.time("samples"):
            weight = self.config.experts.number_weight
            samples += make_clone_samples(
                experts, self.tokenizer, number_weight=weight, logprobs=True
            )
        maker = self._maker()
        watch.run("samples", weigh_samples, samples, self.config.step_weights(decides=True))
        filled = watch.run("samples", maker._filled, samples)
        part = "packing" if self.config.cluster.pack else "samples"
        batches = watch.run(part, maker.split_rollout_samples, filled)
        _fill_scores(batches)
        watch.run("advantages", maker.compute_advantages_and_returns, batches)
        with watch.time("control"):
            for episode in played:
                self.ledger.observe(episode)
        with watch.time("records"):
            step_metrics(played)
            self.ledger.metrics()
            self.controller.metrics()
        return watch.take()

    def _maker(self) -> Any:
        from masa_openrlhf.stack.experience import ExperienceMaker

        strategy = SimpleNamespace(args=self.args)
        return ExperienceMaker(
            None, None, None, None, SimpleNamespace(value=0.0), strategy, self.tokenizer
        )  # fmt: skip


def _build_step_config(size: StepSize, pack: bool) -> Any:
    from masa_openrlhf.config.layers import build_config, read_preset

    settings = read_preset("qwen3-8b") | {"mode": "masa-efficient"}
    settings["cluster"]["pack"] = pack
    settings["batch"] = {"problems": size.problems}
    settings["solution"] = {"rollouts": size.solutions}
    settings["meta"] = {"rollouts": size.predictions}
    return build_config(settings)


def _build_trainer_arguments(config: Any) -> Any:
    from masa_openrlhf.arguments.build import build_arguments
    from masa_openrlhf.arguments.parse import parse_arguments
    from masa_openrlhf.run.folder import RunFolder

    with tempfile.TemporaryDirectory() as folder:
        return parse_arguments(
            build_arguments(config, RunFolder(Path(folder)), cpu=False, resume=False)
        )


def _fill_scores(batches: Sequence[Any]) -> None:
    """What the models' forward passes leave; stands in for them, and is not timed."""
    import torch

    for batch in batches:
        batch.kl = torch.zeros(batch.action_mask.shape)
        batch.action_log_probs = torch.zeros_like(batch.kl)
