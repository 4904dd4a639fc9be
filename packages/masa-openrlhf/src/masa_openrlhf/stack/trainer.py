"""The trainer: OpenRLHF's loop, over episodes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import openrlhf.trainer.ppo_trainer as stock
import ray
import torch
import transformers
from masa_control import (
    Controller,
    Episode,
    Expert,
    Ledger,
    ProbeReaderSettings,
    Stopwatch,
    calibration_points,
    count_step_notions,
    step_metrics,
)
from masa_control.loss import compute_rolled_out_share
from masa_control.measures.overhead import overhead_metrics
from numpy.typing import NDArray
from openrlhf.trainer.ppo_utils.experience import Experience
from openrlhf.trainer.ray.vllm_engine import batch_vllm_engine_call

from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.reading.problem_reading import ProblemReading
from masa_openrlhf.run.folder import MAX_NOTIONS, TOLD_TO_END, RunFolder, StopRequest
from masa_openrlhf.run.wandb_login import Secret, export_key
from masa_openrlhf.stack.experience import (
    FILLER,
    ExperienceMaker,
    make_clone_samples,
    weigh_samples,
)
from masa_openrlhf.stack.liveness import get_while_alive
from masa_openrlhf.stack.reports import POLICY_METRICS, eval_metrics, merge_reports
from masa_openrlhf.stack.samples import EpisodeGenerator
from masa_openrlhf.stack.stopping import (
    ASKED_TO_STOP,
    FINISHED,
    FinishedStep,
    StopWatcher,
    TrainingStopped,
    copy_states,
)
from masa_openrlhf.weights.digest import compare_weights


class Trainer(stock.PPOTrainer.__ray_metadata__.modified_class):
    """OpenRLHF's PPO trainer, over episodes.

    Args:
        *args: OpenRLHF's own.
        masa: the run's configuration.
        folder: the run's folder.
        wandb_key: of W&B, where the run logs there.
        **kwargs: OpenRLHF's own.
    """

    experience_maker: Any

    def __init__(
        self,
        *args: Any,
        masa: TrainConfig,
        folder: RunFolder,
        wandb_key: Secret | None = None,
        **kwargs: Any,
    ) -> None:
        self.masa, self.folder = masa, folder
        export_key(wandb_key, folder)
        self.ledger = Ledger()
        self._stops = StopWatcher(folder)
        self._finished = FinishedStep(0, {}, saved=True)
        # Nothing overlaps in this process but what waits: what is timed here, a step lasts longer.
        self.watch = Stopwatch(time.perf_counter)
        control = masa.control
        self.controller = (
            None if control is None else Controller(control, masa.meta_prompt, seed=masa.seed)
        )
        transformers.set_seed(masa.seed)  # the order of the problems
        super().__init__(*args, **kwargs)
        self.samples_generator = EpisodeGenerator(
            self.strategy,
            self.prompts_dataloader,
            self.eval_dataloader,
            self.tokenizer,
            self.vllm_engines,
            solution_rollouts=masa.solution.rollouts,
            planner=(lambda step: None) if self.controller is None else self.controller.planner,
            refill_limit=masa.refill_problems,
            ahead=masa.sampling.ahead,
            reading=self._make_reading(),
            look_ahead=masa.refill_problems or masa.batch.problems,
            watch=self.watch,
            check=self._stops.check,
        )
        maker = self.experience_maker
        self.experience_maker = ExperienceMaker(
            maker.actor_model_group,
            maker.critic_model_group,
            maker.reward_model_group,
            maker.initial_model_group,
            maker.kl_ctl,
            maker.strategy,
            maker.tokenizer,
            watch=self.watch,
        )
        self.max_steps = masa.optimiser_steps(self._steps())
        self._started = time.monotonic()
        self._resumed_at = 0
        self._last_evaluated = -1
        self._first_update, self._more_updates = True, False
        self._weights, self._rolled_out = masa.step_weights(decides=False), 1.0

    def _make_reading(self) -> ProblemReading | None:
        if self.controller is None or self.controller.reader_needs == "predictions":
            return None
        return ProblemReading(self.controller, self.masa, self.tokenizer, self._read_hidden)

    def _read_hidden(self, prompts: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """Have the policy read prompts, every rank its share."""
        reader = self.masa.reader
        depths = reader.depths if isinstance(reader, ProbeReaderSettings) else ()
        shares = ray.get(
            self.actor_model_group.async_run_method(
                method_name="read_hidden", prompts=prompts, depths=depths
            )
        )
        found = {position: row for share in shares for position, row in share.items()}
        return [found[position] for position in range(len(prompts))]

    def _steps(self) -> int:
        """Steps of the whole run; at most, where problems are replaced and no number is set."""
        return self.masa.steps(len(self.prompts_dataloader))

    # -- the loop ----------------------------------------------------------------------------------

    def fit(self, global_step: int = 0) -> None:
        """Train to the end, to ``max_steps``, or until the run is asked to stop.

        Raises:
            TrainingStopped: it was told to end now; no model is to be written.
        """
        at_most = self.masa.replaces and self.masa.max_steps is None
        self.folder.event("training", steps=self._steps(), at_most=at_most)
        reason = FINISHED
        try:
            super().fit(global_step)
        except TrainingStopped as stop:
            reason = str(stop)
            if reason == TOLD_TO_END and not self._finished.saved:
                self._checkpoint()
            for logger in (self.wandb_logger, self.tensorboard_logger):
                if logger:
                    logger.close()
        self.folder.event("trained", reason=reason, step=self.samples_generator.step)
        if reason == TOLD_TO_END:
            raise TrainingStopped(reason)

    def init_checkpoint_states(self) -> dict[str, Any]:
        """Pick up where the last checkpoint left off, with its counts and its random state."""
        states: dict[str, Any] = super().init_checkpoint_states()
        masa = states.pop("masa", None)
        step = states["global_step"]
        if masa is not None:
            self.ledger.load_state_dict(masa["ledger"])
            if self.controller is not None and "controller" in masa:
                self.controller.load_state_dict(masa["controller"])
            torch.set_rng_state(masa["torch_rng"])
        self.folder.rewind(step)
        self.samples_generator.step = self._resumed_at = step
        self._finished = FinishedStep(step, {}, saved=True)
        if step:
            self.folder.event("resumed", step=step)
        self._catch_up(step, states["total_consumed_prompts"])
        self._stops.enter("rollouts", step + 1)
        self._started = time.monotonic()
        return states

    def _catch_up(self, step: int, drawn: int) -> None:
        """Make an evaluation that is owed, since the run ended in it; end where no step is left."""
        last = step > 0 and self.masa.is_last_step(step, drawn, len(self.prompts_dataloader))
        due = last or step % self.masa.eval.every == 0
        if (
            self.eval_dataloader
            and due
            and step not in {row["step"] for row in self.folder.evals()}
        ):
            if step:  # a new engine has the weights that the run began with
                self.broadcast_to_vllm()
            self._evaluate(step)
        if last:
            raise TrainingStopped(FINISHED)

    def train_step(
        self, rollout_samples: Sequence[Experience], global_step: int
    ) -> tuple[dict[str, Any], int]:
        """Take one policy step on the episodes just played, and measure them."""
        self._stops.enter("scoring", global_step + 1)
        played = self.samples_generator.played
        samples = [s for s in rollout_samples if s.labels[0].kind != FILLER]
        samples += self._clones(played, global_step + 1)
        decides = self.controller is not None and self.controller.decides(global_step + 1)
        self._weights = self.masa.step_weights(decides)
        self._rolled_out = self._share_rolled_out(played)
        passes = self._passes(global_step + 1)
        for part in (samples, *passes):
            weigh_samples(part, self._weights, self._rolled_out)
        if not samples:  # all was skipped, or nothing could be judged
            self.ledger.without_update()
        status = self._update(samples, passes, global_step)
        step = global_step + 1
        self.samples_generator.step = step
        if samples and step - self._resumed_at <= self.masa.cluster.check_weights:
            self._check_weights(step)
        with self.watch.time("control"):
            for episode in played:
                self.ledger.observe(episode)
        return status, step

    def _share_rolled_out(self, played: Sequence[Episode]) -> float:
        """Share of the step that was rolled out, of what counts in its loss."""
        if self.masa.counts_skipped:
            return compute_rolled_out_share(played)
        if self.masa.counts_unmade:  # others were drawn in the places of skipped problems
            return compute_rolled_out_share(self.samples_generator.episodes, skipped=False)
        return 1.0

    def _update(
        self,
        samples: list[Experience],
        passes: Sequence[list[Experience]],
        global_step: int,
    ) -> dict[str, Any]:
        """Take the updates of a step; after the last one vLLM gets the weights."""
        updates = [*([samples] if samples else []), *passes]
        reports = []
        for number, part in enumerate(updates, 1):
            self._first_update, self._more_updates = number == 1, number < len(updates)
            reports.append(super().train_step(part, global_step)[0])
        return merge_reports(reports, len(passes))

    def ppo_train(self, global_steps: int) -> dict[str, Any]:
        """As OpenRLHF's; the first update of a step can be given up.

        Raises:
            TrainingStopped: it is: the weights are those of the last finished step.
        """
        if self._first_update:
            self._stops.check()
            self._stops.enter("update", global_steps + 1)
            self._call_policy("watch_stops", stops=self._stops, step=global_steps + 1)
        try:
            status: dict[str, Any] = super().ppo_train(global_steps)
        except TrainingStopped:  # a rank's, with its traceback as the reason
            raise TrainingStopped(TOLD_TO_END) from None
        return status

    def broadcast_to_vllm(self) -> None:
        """As OpenRLHF's, but once a step, after its last update; a dead engine is named."""
        if self._more_updates:
            return
        if self.args.vllm.enable_sleep:
            batch_vllm_engine_call(self.vllm_engines, "wake_up", tags=["weights"])
        sent = self.actor_model_group.async_run_method(method_name="broadcast_to_vllm")
        get_while_alive(sent, self.vllm_engines)

    def _clones(self, played: Sequence[Episode], step: int) -> list[Experience]:
        """Have the controller learn from a step's episodes; return the experts to clone with it."""
        if self.controller is None:
            return []
        with self.watch.time("control"):
            self.controller.observe(played, step)
            experts = self.controller.clones(step)
        return self._clone_samples(experts)

    def _passes(self, step: int) -> list[list[Experience]]:
        """Experts for more updates on them alone, while predictions decide nothing."""
        if self.controller is None:
            return []
        with self.watch.time("control"):
            drawn = self.controller.clone_passes(step)
        return [self._clone_samples(experts) for experts in drawn]

    def _clone_samples(self, experts: Sequence[Expert]) -> list[Experience]:
        with self.watch.time("conversion"):
            clones = make_clone_samples(
                experts,
                self.tokenizer,
                number_weight=self.masa.experts.number_weight,
                logprobs=self.args.algo.advantage.is_correction_level != "off",
            )
        self.ledger.cloned([int(clone.response_length) for clone in clones])
        return clones

    def _compute_rollout_stats(self, experiences: Sequence[Experience]) -> dict[str, float]:
        """Nothing: OpenRLHF's would count fillers. ``step_metrics`` has the true ones."""
        return {}

    def save_logs_and_checkpoints(
        self, global_step: int, logs_dict: dict[str, Any], client_states: dict[str, Any]
    ) -> None:
        """Write the step's metrics and episodes; a checkpoint when due, or when asked to stop."""
        played = self.samples_generator.played
        with self.watch.time("records"):
            self.folder.write_episodes(global_step, played)
            self.folder.write_calibration(global_step, "train", calibration_points(played))
            self.folder.write_confusion(global_step, self.ledger.tallies)
            self.folder.write_notions(global_step, count_step_notions(played, MAX_NOTIONS))
            metrics = self._metrics(logs_dict)
        metrics |= overhead_metrics(
            played,
            self.watch.take(),
            engines=len(self.vllm_engines),
            step=metrics["time/step"],
        )
        self.folder.write_metrics(global_step, metrics)
        for logger in (self.wandb_logger, self.tensorboard_logger):
            if logger:
                logger.log_train(global_step, metrics)
        # Of the problems drawn, where some were looked at that come later.
        client_states["data_loader_state_dict"] = self.samples_generator.loader_state()
        drawn = client_states["total_consumed_prompts"]
        last = self.masa.is_last_step(global_step, drawn, len(self.prompts_dataloader))
        asked = self.folder.read_stop()
        self._finished = FinishedStep(global_step, copy_states(client_states, self._own_states()))
        if last or asked or global_step % self.masa.checkpoint.every == 0:
            self._checkpoint()
        if asked is StopRequest.NOW:
            raise TrainingStopped(TOLD_TO_END)
        if self.eval_dataloader and (last or global_step % self.masa.eval.every == 0):
            self._evaluate(global_step)
            states = copy_states(client_states, self._own_states())  # it has drawn random numbers
            self._finished = self._finished._replace(states=states)
        if last:
            raise TrainingStopped(FINISHED)
        if asked:
            raise TrainingStopped(ASKED_TO_STOP)
        self._stops.enter("rollouts", global_step + 1)

    def _metrics(self, status: dict[str, Any]) -> dict[str, float]:
        metrics = step_metrics(self.samples_generator.played)
        for theirs, ours in POLICY_METRICS.items():
            if status.get(theirs) is not None:
                metrics[ours] = float(status[theirs])
        metrics["time/step"] = sum(v for k, v in metrics.items() if k.startswith("time/"))
        replaced = self.samples_generator.replaced
        metrics["sampling/replaced"] = float(len(replaced))
        if replaced:  # of those in tokens/solution
            made = (len(s.completion.token_ids) for e in replaced for s in e.solutions)
            metrics["tokens/replaced"] = float(sum(made))
        metrics["sampling/drawn"] = float(len(self.samples_generator.played))
        if self.masa.meta_rollouts:
            metrics["meta/weight"] = self._weights.meta
        if self.masa.clones:
            metrics["experts/weight"] = self._weights.clone
        if self.masa.counts_skipped or self.masa.counts_unmade:
            metrics["policy/rolled_out_share"] = self._rolled_out
        if self.controller is not None:
            metrics |= self.controller.metrics()
        return {**metrics, **self.ledger.metrics()}

    def _own_states(self) -> dict[str, Any]:
        """What a checkpoint holds beside OpenRLHF's."""
        own: dict[str, Any] = {
            "ledger": self.ledger.state_dict(),
            "torch_rng": torch.get_rng_state(),
        }
        if self.controller is not None:
            own["controller"] = self.controller.state_dict()
        return own

    def _checkpoint(self) -> None:
        """Write a checkpoint of the last finished step, of which the policy's states are.

        It has no metric: OpenRLHF would keep the best and drop the last.
        """
        step, states, _ = self._finished
        begun = time.monotonic()
        self._call_policy("save_checkpoint", tag=f"global_step{step}", client_states=states)
        self._finished = self._finished._replace(saved=True)
        self.folder.event("checkpoint", step=step, seconds=round(time.monotonic() - begun, 2))

    def _call_policy(self, method: str, **arguments: Any) -> None:
        """Call a method on all ranks of the policy."""
        ray.get(self.actor_model_group.async_run_method(method_name=method, **arguments))

    # -- checks ------------------------------------------------------------------------------------

    def _evaluate(self, step: int) -> None:
        if step == self._last_evaluated:
            return
        self._last_evaluated = step
        self._stops.enter("evaluation", step)
        kwargs = {
            **self.generate_kwargs,
            "temperature": self.masa.eval.temperature,
            "n_samples_per_prompt": self.masa.eval.rollouts,
        }
        episodes = self.samples_generator.play_eval(step, **kwargs)
        metrics = eval_metrics(episodes)
        self.folder.write_eval(step, metrics)
        self.folder.write_calibration(step, "eval", calibration_points(episodes))
        for logger in (self.wandb_logger, self.tensorboard_logger):
            if logger:
                logger.log_eval(step, metrics)

    def _check_weights(self, step: int) -> None:
        ours = ray.get(self.actor_model_group.async_run_method(method_name="weight_digest"))[0]
        for number, engine in enumerate(self.vllm_engines):
            result = compare_weights(ours, ray.get(engine.weight_digest.remote()))
            self.folder.event("weights", step=step, engine=number, **result._asdict())
            if result.differing or not result.compared:
                raise RuntimeError(
                    f"after step {step} the weights of vLLM engine {number} are not the policy's: "
                    f"{len(result.differing)} of {result.compared} differ, the first "
                    f"{result.differing[:3]!r}; its rollouts would come from an old policy. "
                    "Check the versions of openrlhf and vllm; cluster.check_weights = 0 skips this"
                )


TrainerRayActor = ray.remote(Trainer)
