"""The samples generator: draws problems, has their episodes played, hands out training samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import ray
from masa_control import Episode, Planner, Stopwatch
from openrlhf.trainer.ppo_utils.experience import Experience
from openrlhf.trainer.ppo_utils.samples_generator import (
    SamplesGenerator,
    _collect_prompt_batch,
)
from openrlhf.trainer.ray.vllm_engine import batch_vllm_engine_call

from masa_openrlhf.stack.experience import filler, samples_of
from masa_openrlhf.stack.rollout import Phase


class EpisodeGenerator(SamplesGenerator):
    """OpenRLHF's samples generator, for episodes.

    Args:
        *args: OpenRLHF's own.
        solution_rollouts: G.
        planner: gives what plans the episodes of a step; None: nothing is decided by predictions.
        refill_limit: problems drawn a step, at most, where others are drawn for those that are
            skipped; None: none are.
        ahead: times as many problems are drawn at once as are missing, where others are drawn for
            those that fall out; at least 1.
        watch: adds up what taking episodes in and making samples of them take.
        **kwargs: OpenRLHF's own.

    Attributes:
        episodes: those of the last batch, in the order their problems were drawn.
        replaced: those that dynamic sampling threw away, and those drawn ahead of which there was
            no need, likewise.
        played: both, likewise.
    """

    def __init__(
        self,
        *args: Any,
        solution_rollouts: int,
        planner: Callable[[int], Planner | None] = lambda step: None,
        refill_limit: int | None = None,
        ahead: float = 1.0,
        watch: Stopwatch | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._watch = watch or Stopwatch()
        self._solution_rollouts = solution_rollouts
        self._planner, self._refill_limit = planner, refill_limit
        self._ahead = ahead
        self._iterator: Iterator[Any] | None = None
        self.step = 0
        self.episodes: list[Episode] = []
        self.replaced: list[Episode] = []
        self.played: list[Episode] = []

    def generate_samples(
        self, **generate_kwargs: Any
    ) -> tuple[list[Experience], float | None, int, bool]:
        """Play a batch of ``rollout.batch_size`` problems.

        Returns:
            The samples of all its episodes, the share of problems that dynamic sampling kept (per
            cent; None without it), the number of problems drawn, and whether the epoch is over.
            Where no episode has anything to train on, one filler: the step is counted, and the
            trainer makes no update.
        """
        if self._iterator is None:
            self._iterator = iter(self.prompts_dataloader)
        step = self.step + 1
        planner = self._watch.run("control", self._planner, step)
        self._wake()
        try:
            drawn, over = self._play(
                self._iterator,
                Phase("train", step, planner),
                discard=self._discard,
                n_samples_per_prompt=self._solution_rollouts,
                **generate_kwargs,
            )
        finally:
            self._sleep()
        if over:
            self._iterator = None
        samples = self._watch.run("conversion", self._samples)
        if drawn and not samples:
            samples = [filler(self.tokenizer.pad_token_id, logprobs=False)]
        kept = None
        if self.args.algo.dynamic_filtering_enable and drawn:
            kept = 100 * len(self.episodes) / drawn
        return samples, kept, drawn, over

    def _samples(self) -> list[Experience]:
        return [
            sample
            for position, episode in enumerate(self.episodes)
            for sample in samples_of(episode, f"{position}/{episode.problem.id}")
        ]

    def _discard(self, episode: Episode) -> bool:
        """Whether dynamic sampling throws the problem away."""
        return self.args.algo.dynamic_filtering_enable and episode.pass_rate in (None, 0.0, 1.0)

    def _refill(self, episode: Episode, drawn: int) -> bool:
        """Whether another problem is to be drawn for one that was skipped."""
        limit = self._refill_limit
        return limit is not None and episode.skipped is not None and drawn < limit

    def play_eval(self, step: int, **generate_kwargs: Any) -> list[Episode]:
        """Play the whole evaluation set, with ``n_samples_per_prompt`` solutions a problem."""
        training = self.episodes, self.replaced, self.played
        watch, self._watch = self._watch, Stopwatch()
        episodes: list[Episode] = []
        iterator = iter(self.eval_dataloader)
        self._wake()
        try:
            over = False
            while not over:
                _, over = self._play(iterator, Phase("eval", step), **generate_kwargs)
                episodes += self.episodes
        finally:
            self._sleep()
            self.episodes, self.replaced, self.played = training
            self._watch = watch
        return episodes

    def _play(
        self,
        problems: Iterator[Any],
        phase: Phase,
        *,
        discard: Callable[[Episode], bool] = lambda episode: False,
        **generate_kwargs: Any,
    ) -> tuple[int, bool]:
        """Play one batch; for what falls out of it other problems are drawn.

        At once, or with ``ahead`` above 1 in rounds: that many times what is missing, together.
        Which problems are drawn, and in which order their episodes come, does not depend on who is
        done first.
        """
        ray.get([engine.begin.remote(phase) for engine in self.vllm_engines])
        position: dict[Any, int] = {}
        done: dict[int, Episode] = {}
        size = self.args.rollout.batch_size
        replaces = self.args.algo.dynamic_filtering_enable or self._refill_limit is not None
        rounds = self._ahead > 1 and phase.name == "train" and replaces

        def start(count: int) -> bool:
            prompts, labels, images, over = _collect_prompt_batch(problems, count)
            if prompts:
                refs = self._dispatch_prompts_to_vllm(
                    prompts, labels, images=images, **generate_kwargs
                )
                first = len(position)
                position.update((ref, first + i) for i, ref in enumerate(refs))
            return over

        def falls_out(episode: Episode, drawn: int) -> bool:
            return discard(episode) or self._refill(episode, drawn)

        over = start(self._many(size, 0) if rounds else size)
        pending = list(position)
        while pending:
            ready, pending = ray.wait(pending, num_returns=1)
            drawn = len(position)
            missing = 0
            for ref in ready:
                episode: Episode = self._watch.run("transfer", ray.get, ref)
                done[position[ref]] = episode
                missing += not rounds and falls_out(episode, drawn)
            if rounds and not pending:
                kept = sum(not falls_out(episode, drawn) for episode in done.values())
                missing = self._many(size - kept, drawn)
            if missing > 0 and not over:
                over = start(missing)
                pending += list(position)[drawn:]
        self.played = [done[i] for i in sorted(done)]
        self.episodes, self.replaced = [], []
        room = size
        for episode in self.played:
            if discard(episode) or (rounds and not room and episode.skipped is None):
                self.replaced.append(episode)
                continue
            self.episodes.append(episode)
            room -= room > 0 and episode.skipped is None
        return len(position), over

    def _many(self, missing: int, drawn: int) -> int:
        """How many problems to draw together for so many places, after so many were drawn."""
        many = math.ceil(self._ahead * missing)
        if self._refill_limit is not None and not self.args.algo.dynamic_filtering_enable:
            many = min(many, self._refill_limit - drawn)
        return max(many, 0)

    def _wake(self) -> None:
        if self.args.vllm.enable_sleep:
            batch_vllm_engine_call(self.vllm_engines, "wake_up")

    def _sleep(self) -> None:
        if self.args.vllm.enable_sleep:
            batch_vllm_engine_call(self.vllm_engines, "sleep")
