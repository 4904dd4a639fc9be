"""The samples generator: draws problems, has their episodes played, hands out training samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ray
from masa_control import Episode, Planner, RefillRules, Stopwatch, fill_batch
from openrlhf.trainer.ppo_utils.experience import Experience
from openrlhf.trainer.ppo_utils.samples_generator import (
    SamplesGenerator,
    _collect_prompt_batch,
)
from openrlhf.trainer.ray.vllm_engine import batch_vllm_engine_call

from masa_openrlhf.reading.look_ahead import LookAhead
from masa_openrlhf.reading.problem_reading import ProblemReading
from masa_openrlhf.stack.experience import make_episode_samples, make_filler
from masa_openrlhf.stack.rollout import Phase

_LOOK = 0.5
"""Seconds from one look at whether the run goes on to the next."""


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
        reading: what the run's reader believes of problems; None: predictions are what is read.
        look_ahead: problems that are read before a step begins, where the reader needs that.
        check: called while episodes are waited for, twice a second; what it raises gives them up.
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
        reading: ProblemReading | None = None,
        look_ahead: int = 0,
        check: Callable[[], None] = lambda: None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._watch, self._check = watch or Stopwatch(), check
        self._solution_rollouts = solution_rollouts
        self._planner, self._refill_limit = planner, refill_limit
        self._ahead = ahead
        self._reading, self._look_ahead = reading, look_ahead
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
            self._iterator = self._begin_pass()
        step = self.step + 1
        planner = self._watch.run("control", self._planner, step)
        if isinstance(self._iterator, LookAhead) and self._reading is not None:
            with self._watch.time("reading"):
                coming = _list_problems(self._iterator.peek(self._look_ahead))
                self._reading.prepare(coming, step)
        self._wake()
        drawn, over = self._play(
            self._iterator,
            Phase("train", step, planner),
            n_samples_per_prompt=self._solution_rollouts,
            **generate_kwargs,
        )
        self._sleep()
        if over:
            self._iterator = None
        samples = self._watch.run("conversion", self._samples)
        if drawn and not samples:
            samples = [make_filler(self.tokenizer.pad_token_id, logprobs=False)]
        kept = None
        if self.args.algo.dynamic_filtering_enable and drawn:
            kept = 100 * len(self.episodes) / drawn
        return samples, kept, drawn, over

    def _begin_pass(self) -> Iterator[Any]:
        if self._reading is not None and self._reading.looks_ahead:
            return LookAhead(self.prompts_dataloader)
        return iter(self.prompts_dataloader)

    def loader_state(self) -> Any:
        """Return where the problems are gone on with after a resume: after the last one drawn."""
        held = self._iterator if isinstance(self._iterator, LookAhead) else self.prompts_dataloader
        return held.state_dict()

    def _samples(self) -> list[Experience]:
        return [
            sample
            for position, episode in enumerate(self.episodes)
            for sample in make_episode_samples(episode, f"{position}/{episode.problem.id}")
        ]

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
            self._sleep()
        finally:
            self.episodes, self.replaced, self.played = training
            self._watch = watch
        return episodes

    def _rules(self, phase: Phase) -> RefillRules:
        """When a problem is replaced: in training alone."""
        size = self.args.rollout.batch_size
        if phase.name != "train":
            return RefillRules(size)
        dynamic = bool(self.args.algo.dynamic_filtering_enable)
        return RefillRules(size, dynamic, self._refill_limit, self._ahead)

    def _play(
        self, problems: Iterator[Any], phase: Phase, **generate_kwargs: Any
    ) -> tuple[int, bool]:
        """Play one batch; returns the number of problems drawn, and whether the pass is over."""
        ray.get([engine.begin.remote(phase) for engine in self.vllm_engines])

        def start(count: int) -> tuple[list[Any], bool]:
            prompts, labels, images, over = _collect_prompt_batch(problems, count)
            if not prompts:
                return [], over
            if phase.name == "train" and self._reading is not None:
                labels = self._watch.run("control", self._believe, prompts, labels, phase.step)
            dispatch = self._dispatch_prompts_to_vllm
            return dispatch(prompts, labels, images=images, **generate_kwargs), over

        def wait(pending: Sequence[Any]) -> tuple[Any, Episode]:
            done: list[Any] = []
            while not done:
                done, _ = ray.wait(list(pending), num_returns=1, timeout=_LOOK)
                self._check()
            return done[0], self._watch.run("transfer", ray.get, done[0])

        batch = fill_batch(self._rules(phase), start, wait)
        self.episodes, self.replaced, self.played = batch.episodes, batch.replaced, batch.played
        return len(batch.played), batch.is_over

    def _believe(
        self, prompts: Sequence[str], labels: Sequence[dict[str, Any]], step: int
    ) -> list[dict[str, Any]]:
        """Labels with what is believed of their problems, which travels with them."""
        assert self._reading is not None
        beliefs = self._reading.read(prompts, labels, step)
        return [{**label, "belief": b} for label, b in zip(labels, beliefs, strict=True)]

    def _wake(self) -> None:
        if self.args.vllm.enable_sleep:
            batch_vllm_engine_call(self.vllm_engines, "wake_up")

    def _sleep(self) -> None:
        if self.args.vllm.enable_sleep:
            batch_vllm_engine_call(self.vllm_engines, "sleep")


def _list_problems(items: Sequence[Any]) -> list[tuple[str, dict[str, Any]]]:
    """Statements and labels of a loader's items, as OpenRLHF has them."""
    return [pair for _, prompts, labels, _ in items for pair in zip(prompts, labels, strict=True)]
