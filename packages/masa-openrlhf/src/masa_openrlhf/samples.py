"""The samples generator: draws problems, has their episodes played, hands out training samples."""

from __future__ import annotations

from masa_openrlhf import cpu

cpu.activate()

from collections.abc import Iterator  # noqa: E402
from typing import Any  # noqa: E402

import ray  # noqa: E402
from masa_control import Episode  # noqa: E402
from openrlhf.trainer.ppo_utils.experience import Experience  # noqa: E402
from openrlhf.trainer.ppo_utils.samples_generator import (  # noqa: E402
    SamplesGenerator,
    _collect_prompt_batch,
)
from openrlhf.trainer.ray.vllm_engine import batch_vllm_engine_call  # noqa: E402

from masa_openrlhf.experience import samples_of  # noqa: E402
from masa_openrlhf.rollout import Phase  # noqa: E402


class EpisodeGenerator(SamplesGenerator):
    """OpenRLHF's samples generator, for episodes.

    Attributes:
        episodes: those of the last batch, in the order their problems were drawn.
        replaced: problems of the last batch that dynamic sampling threw away, with their episodes.
    """

    def __init__(self, *args: Any, solution_rollouts: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._solution_rollouts = solution_rollouts
        self._iterator: Iterator[Any] | None = None
        self.step = 0
        self.episodes: list[Episode] = []
        self.replaced: list[Episode] = []

    def generate_samples(
        self, **generate_kwargs: Any
    ) -> tuple[list[Experience], float | None, int, bool]:
        """Play a batch of ``rollout.batch_size`` problems.

        Returns:
            The samples of all its episodes, the share of problems that dynamic sampling kept (per
            cent; None without it), the number of problems drawn, and whether the epoch is over.
        """
        if self._iterator is None:
            self._iterator = iter(self.prompts_dataloader)
        self._wake()
        try:
            drawn, over = self._play(
                self._iterator,
                Phase("train", self.step + 1),
                n_samples_per_prompt=self._solution_rollouts,
                filtering=self.args.algo.dynamic_filtering_enable,
                **generate_kwargs,
            )
        finally:
            self._sleep()
        if over:
            self._iterator = None
        samples = [
            sample
            for position, episode in enumerate(self.episodes)
            for sample in samples_of(episode, f"{position}/{episode.problem.id}")
        ]
        kept = None
        if self.args.algo.dynamic_filtering_enable and drawn:
            kept = 100 * len(self.episodes) / drawn
        return samples, kept, drawn, over

    def play_eval(self, step: int, **generate_kwargs: Any) -> list[Episode]:
        """Play the whole evaluation set, with ``n_samples_per_prompt`` solutions a problem."""
        training = self.episodes, self.replaced
        episodes: list[Episode] = []
        iterator = iter(self.eval_dataloader)
        self._wake()
        try:
            over = False
            while not over:
                _, over = self._play(
                    iterator, Phase("eval", step), filtering=False, **generate_kwargs
                )
                episodes += self.episodes
        finally:
            self._sleep()
            self.episodes, self.replaced = training
        return episodes

    def _play(
        self, problems: Iterator[Any], phase: Phase, *, filtering: bool, **generate_kwargs: Any
    ) -> tuple[int, bool]:
        """Play one batch; without a barrier: a problem thrown away is replaced at once."""
        ray.get([engine.begin.remote(phase) for engine in self.vllm_engines])
        position: dict[Any, int] = {}
        done: dict[int, Episode] = {}
        self.replaced = []

        def start(count: int) -> bool:
            prompts, labels, images, over = _collect_prompt_batch(problems, count)
            if prompts:
                refs = self._dispatch_prompts_to_vllm(
                    prompts, labels, images=images, **generate_kwargs
                )
                first = len(position)
                position.update((ref, first + i) for i, ref in enumerate(refs))
            return over

        over = start(self.args.rollout.batch_size)
        pending = list(position)
        while pending:
            ready, pending = ray.wait(pending, num_returns=1)
            for ref in ready:
                episode: Episode = ray.get(ref)
                if filtering and episode.pass_rate in (None, 0.0, 1.0):
                    self.replaced.append(episode)
                    known = len(position)
                    over = over or start(1)
                    pending += list(position)[known:]
                else:
                    done[position[ref]] = episode
        self.episodes = [done[i] for i in sorted(done)]
        return len(position), over

    def _wake(self) -> None:
        if self.args.vllm.enable_sleep:
            batch_vllm_engine_call(self.vllm_engines, "wake_up")

    def _sleep(self) -> None:
        if self.args.vllm.enable_sleep:
            batch_vllm_engine_call(self.vllm_engines, "sleep")
