"""The trainer: OpenRLHF's loop, over episodes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

import openrlhf.trainer.ppo_trainer as stock
import ray
import torch
import transformers
from masa_control import (
    Controller,
    Episode,
    Expert,
    Ledger,
    Stopwatch,
    calibration_points,
    count_step_notions,
    step_metrics,
)
from masa_control.loss import compute_rolled_out_share
from masa_control.measures.overhead import overhead_metrics
from masa_rewards.statistics import rate_interval
from openrlhf.trainer.ppo_utils.experience import Experience
from openrlhf.trainer.ray.vllm_engine import batch_vllm_engine_call

from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.run.folder import MAX_NOTIONS, RunFolder
from masa_openrlhf.run.wandb_login import Secret, export_key
from masa_openrlhf.stack.experience import (
    FILLER,
    ExperienceMaker,
    make_clone_samples,
    weigh_samples,
)
from masa_openrlhf.stack.liveness import get_while_alive
from masa_openrlhf.stack.samples import EpisodeGenerator
from masa_openrlhf.weights.digest import compare_weights

# OpenRLHF's name -> ours. Its averages over samples would count fillers; those are taken from the
# episodes instead.
_POLICY_METRICS = {
    "policy_loss": "policy/loss",
    "actor_grad_norm": "policy/grad_norm",
    "actor_grad_norm_passes": "policy/grad_norm_passes",
    "actor_lr": "policy/lr",
    "ppo_clip_ratio": "policy/clip_ratio",
    "ppo_kl": "policy/kl_step",
    "vllm_kl": "policy/kl_vllm",
    "is_filter_ratio": "policy/mismatch_filtered",
    "entropy_loss": "policy/entropy",
    "kl": "policy/kl_reference",
    "timing/make_experience": "time/score",
    "timing/ppo_train": "time/train",
    "timing/broadcast": "time/broadcast",
    "timing/generation": "time/generation",
}


def merge_reports(reports: Sequence[Mapping[str, Any]], passes: int) -> dict[str, Any]:
    """Return one report of a step's updates.

    What OpenRLHF reports of the update on rollouts is kept; of the cloning passes, the mean of
    their gradient norms, as ``actor_grad_norm_passes``. Times add up.

    Args:
        reports: of each update; that on rollouts, if there is one, is the first.
        passes: how many of them, the last ones, are cloning passes.
    """
    own, of_passes = reports[: len(reports) - passes], reports[len(reports) - passes :]
    status: dict[str, Any] = dict(own[0]) if own else {}
    if of_passes:
        norms = [float(report["actor_grad_norm"]) for report in of_passes]
        status["actor_grad_norm_passes"] = statistics.fmean(norms)
    for name in {key for report in reports for key in report if key.startswith("timing/")}:
        status[name] = sum(report.get(name, 0.0) for report in reports)
    return status


class TrainingStopped(Exception):  # noqa: N818  # nothing went wrong
    """Ends the training loop between two steps; the checkpoint has been written."""


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
            watch=self.watch,
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
        self._more_updates = False
        self._weights, self._rolled_out = masa.step_weights(decides=False), 1.0

    def _steps(self) -> int:
        """Steps of the whole run; at most, where problems are replaced and no number is set."""
        return self.masa.steps(len(self.prompts_dataloader))

    # -- the loop ----------------------------------------------------------------------------------

    def fit(self, global_step: int = 0) -> None:
        """Train to the end, to ``max_steps``, or until the run is asked to stop."""
        at_most = self.masa.replaces and self.masa.max_steps is None
        self.folder.event("training", steps=self._steps(), at_most=at_most)
        try:
            super().fit(global_step)
            reason = "finished"
        except TrainingStopped as stop:
            reason = str(stop)
            for logger in (self.wandb_logger, self.tensorboard_logger):
                if logger:
                    logger.close()
        self.folder.event("trained", reason=reason, step=self.samples_generator.step)

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
        if step:
            self.folder.event("resumed", step=step)
        elif self.eval_dataloader:
            self._evaluate(0)
        self._started = time.monotonic()
        return states

    def train_step(
        self, rollout_samples: Sequence[Experience], global_step: int
    ) -> tuple[dict[str, Any], int]:
        """Take one policy step on the episodes just played, and measure them."""
        played = self.samples_generator.played
        samples = [s for s in rollout_samples if s.labels[0].kind != FILLER]
        samples += self._clones(played, global_step + 1)
        decides = self.controller is not None and self.controller.decides(global_step + 1)
        self._weights = self.masa.step_weights(decides)
        self._rolled_out = compute_rolled_out_share(played) if self.masa.counts_skipped else 1.0
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
            self._more_updates = number < len(updates)
            reports.append(super().train_step(part, global_step)[0])
        return merge_reports(reports, len(passes))

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
        drawn = client_states["total_consumed_prompts"]
        last = self.masa.is_last_step(global_step, drawn, len(self.prompts_dataloader))
        asked = self.folder.stop_requested()
        if last or asked or global_step % self.masa.checkpoint.every == 0:
            self._checkpoint(global_step, client_states)
        if self.eval_dataloader and (last or global_step % self.masa.eval.every == 0):
            self._evaluate(global_step)
        if last:
            raise TrainingStopped("finished")
        if asked:
            raise TrainingStopped("asked to stop")

    def _metrics(self, status: dict[str, Any]) -> dict[str, float]:
        metrics = step_metrics(self.samples_generator.played)
        for theirs, ours in _POLICY_METRICS.items():
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
        if self.masa.counts_skipped:
            metrics["policy/rolled_out_share"] = self._rolled_out
        if self.controller is not None:
            metrics |= self.controller.metrics()
        return {**metrics, **self.ledger.metrics()}

    def _checkpoint(self, step: int, client_states: dict[str, Any]) -> None:
        """Write a checkpoint. It has no metric: OpenRLHF would keep the best and drop the last."""
        own: dict[str, Any] = {
            "ledger": self.ledger.state_dict(),
            "torch_rng": torch.get_rng_state(),
        }
        if self.controller is not None:
            own["controller"] = self.controller.state_dict()
        states = {**client_states, "masa": own}
        ray.get(
            self.actor_model_group.async_run_method(
                method_name="save_checkpoint", tag=f"global_step{step}", client_states=states
            )
        )
        self.folder.event("checkpoint", step=step)

    # -- checks ------------------------------------------------------------------------------------

    def _evaluate(self, step: int) -> None:
        if step == self._last_evaluated:
            return
        self._last_evaluated = step
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
        if self.masa.cluster.tensor_parallel > 1:
            self.folder.event("weights", step=step, note="not compared under tensor parallelism")
            return
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


def eval_metrics(episodes: Sequence[Episode]) -> dict[str, float]:
    """Return ``step_metrics`` of an evaluation, under ``pass_at_1`` what it is known by.

    Beside it the ends of its interval over problems.
    """
    metrics = step_metrics(episodes)
    rates = [episode.pass_rate for episode in episodes if episode.pass_rate is not None]
    for end, value in zip(("", "_low", "_high"), rate_interval(rates), strict=True):
        if value is not None:
            metrics[f"pass_at_1{end}"] = value
    metrics["problems"] = float(len(episodes))
    return metrics


TrainerRayActor = ray.remote(Trainer)
