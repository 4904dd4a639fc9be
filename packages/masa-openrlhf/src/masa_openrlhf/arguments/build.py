"""Our configuration as OpenRLHF's own arguments."""

from __future__ import annotations

from typing import Any

from masa_control.advantages import ESTIMATORS

from masa_openrlhf.arguments.parse import OpenRLHFArgumentError
from masa_openrlhf.config.sections import ENDLESS_SCHEDULES
from masa_openrlhf.config.tree import OpenRLHFValue, TrainConfig
from masa_openrlhf.run.folder import RunFolder
from masa_openrlhf.run.wandb_login import PLACEHOLDER

TRAINING_SCRIPT = "openrlhf.cli.train_ppo_ray"

# What the rest of the run takes from our configuration: one place to set it, not two that disagree.
OWNED_ARGUMENTS = {
    "actor.model_name_or_path": "model.path",
    "actor.num_nodes": "cluster.nodes",
    "actor.num_gpus_per_node": "cluster.gpus_per_node",
    "ref.num_nodes": "cluster.nodes",
    "ref.num_gpus_per_node": "cluster.gpus_per_node",
    "train.colocate_actor_ref": "algo.kl.init_coef",
    "actor.lr_warmup_ratio": "optim.warmup_steps",
    "vllm.num_engines": "cluster.engines",
    "vllm.tensor_parallel_size": "cluster.tensor_parallel",
    "data.prompt_dataset": "data.train",
    "data.input_key": "data.problem_key",
    "data.label_key": "data.answer_key",
    "data.apply_chat_template": "model.chat_template",
    "data.input_template": "solution.template",
    "data.max_len": "data.prompt_max_tokens and solution.max_tokens",
    "data.max_samples": "data.max_problems",
    "eval.dataset": "data.eval",
    "eval.steps": "eval.every",
    "eval.n_samples_per_prompt": "eval.rollouts",
    "eval.temperature": "eval.temperature in a TOML file",
    "rollout.batch_size": "batch.problems",
    "rollout.vllm_generate_batch_size": "batch.problems",
    "rollout.n_samples_per_prompt": "solution.rollouts and meta.rollouts",
    "rollout.max_new_tokens": "solution.max_tokens and meta.max_tokens",
    "train.batch_size": "batch.problems and optim.updates_per_step",
    "train.num_episodes": "epochs",
    "ckpt.path": "runs and name",
    "ckpt.output_dir": "runs and name",
    "ckpt.save_steps": "checkpoint.every",
    "ckpt.max_num": "checkpoint.keep",
    "ckpt.load_enable": "--resume",
    "reward.remote_url": "verifier",
    "train.agent_func_path": "verifier",
    "train.seed": "seed",
    "logger.wandb.key": "log.wandb and the variable WANDB_API_KEY",
    "logger.wandb.project": "log.wandb",
}


# Parts of OpenRLHF that our classes do not stand in for.
_UNSUPPORTED = {
    "train.async_enable": "episodes are played between policy steps",
    "critic.model_name_or_path": "advantages are taken within groups",
    "reward.model_name_or_path": "rewards come from the verifier and the predictions",
    "data.prompt_probs": "give one source of problems",
    "algo.dynamic_filtering_range": "problems are replaced when their solutions all agree",
    "ckpt.best_metric_key": "checkpoints are kept by age",
    "logger.logging_steps": "every step is logged",
}


def build_arguments(
    config: TrainConfig, folder: RunFolder, *, cpu: bool, resume: bool
) -> list[str]:
    """Return OpenRLHF's arguments for a run.

    Args:
        config: the resolved configuration.
        folder: the run's folder; the data are expected in it.
        cpu: the run has no GPU.
        resume: go on from the last checkpoint in the folder.

    Raises:
        OpenRLHFArgumentError: a flag was passed through that is ours to set, or that MASA has no
            use for.
    """
    owned = [name for name in config.openrlhf if name in OWNED_ARGUMENTS]
    if owned:
        raise OpenRLHFArgumentError(
            "; ".join(
                f"{name} is set by {OWNED_ARGUMENTS[name]}: use that instead" for name in owned
            )
        )
    if config.clones and config.openrlhf.get("actor.policy_loss_type") == "gspo":
        raise OpenRLHFArgumentError(
            "actor.policy_loss_type gspo weighs whole sequences, and experts are cloned token by "
            "token: set experts.batch = 0, or mode = 'masa', or leave the loss at ppo"
        )
    schedule = config.openrlhf.get("actor.lr_scheduler", config.optim.schedule)
    if config.replaces and config.max_steps is None and schedule not in ENDLESS_SCHEDULES:
        raise OpenRLHFArgumentError(
            f"optim.schedule {schedule!r} falls until the last step, and where problems are "
            "replaced (algorithm dapo, gate.refill) nobody knows beforehand which that is: set "
            f"max_steps, or use one of {', '.join(ENDLESS_SCHEDULES)}"
        )
    estimator = config.openrlhf.get("algo.advantage.estimator", ESTIMATORS[0])
    if estimator not in ESTIMATORS:
        raise OpenRLHFArgumentError(
            f"algo.advantage.estimator {estimator!r} is not possible with MASA, whose advantages "
            f"are taken within groups: use one of {', '.join(ESTIMATORS)}"
        )
    if set(str(folder.path)) & set(",@"):
        raise OpenRLHFArgumentError(
            f"the run's folder {folder.path} has ',' or '@' in its path, where OpenRLHF splits it: "
            "set runs to another place"
        )
    refused = [f"{n}: {why}" for n, why in _UNSUPPORTED.items() if config.openrlhf.get(n)]
    if refused:
        raise OpenRLHFArgumentError("not possible with MASA: " + "; ".join(refused))
    flags: dict[str, OpenRLHFValue | tuple[Any, ...] | None] = {
        **_build_model_flags(config, cpu=cpu),
        **_build_rollout_flags(config),
        **_build_algorithm_flags(config),
        **_build_optimiser_flags(config),
        **_build_bookkeeping_flags(config, folder, resume=resume),
        **config.openrlhf,
    }
    return [token for name, value in flags.items() for token in _format_flag(name, value)]


def _build_model_flags(config: TrainConfig, *, cpu: bool) -> dict[str, Any]:
    cluster = config.cluster
    return {
        "actor.model_name_or_path": config.model.path,
        "actor.num_nodes": cluster.nodes,
        "actor.num_gpus_per_node": cluster.gpus_per_node,
        # Where a KL penalty asks for a reference model, it lies on the policy's GPUs.
        "ref.num_nodes": cluster.nodes,
        "ref.num_gpus_per_node": cluster.gpus_per_node,
        "train.colocate_actor_ref": has_reference(config),
        "vllm.num_engines": config.engines,
        "vllm.tensor_parallel_size": cluster.tensor_parallel,
        "vllm.gpu_memory_utilization": cluster.gpu_memory,
        "vllm.sync_backend": "gloo" if cpu else "nccl",
        "vllm.enforce_eager": cpu,
        "vllm.enable_prefix_caching": True,
        "vllm.enable_sleep": cluster.colocate and not cpu,
        "train.colocate_all": cluster.colocate,
        "ds.enable_sleep": cluster.colocate and not cpu,
        "ds.zero_stage": cluster.zero_stage,
        "ds.param_dtype": "bf16",
        # Of some sixty micro-batches; added up in bfloat16 the last ones are rounded away. On a CPU
        # there are few.
        "ds.grad_accum_dtype": None if cpu else "fp32",
        "ds.attn_implementation": config.model.attention,
        "ds.packing_samples": cluster.pack,
        "train.dynamic_batch_enable": cluster.pack,
        "train.max_tokens_per_gpu": config.batch.max_tokens_per_gpu,
        "rollout.max_tokens_per_gpu": config.batch.max_tokens_per_gpu,
        "actor.gradient_checkpointing_enable": cluster.gradient_checkpointing,
        "reward.remote_url": "masa",  # rewards come with the episodes: no reward model
    }


def has_reference(config: TrainConfig) -> bool:
    """Whether a KL penalty asks for a reference model."""
    try:
        return float(str(config.openrlhf.get("algo.kl.init_coef", 0))) > 0
    except ValueError:
        return False  # OpenRLHF's parser says what is wrong with it


def _build_rollout_flags(config: TrainConfig) -> dict[str, Any]:
    size = compute_train_batch_size(config)
    return {
        "data.input_key": "problem",
        "data.label_key": "task",
        "data.max_len": config.context_tokens,
        "rollout.batch_size": config.batch.problems,
        # OpenRLHF reads from it how many optimiser steps a batch makes; groups are found by name.
        "rollout.n_samples_per_prompt": -(
            -size * config.optim.updates_per_step // config.batch.problems
        ),
        "rollout.micro_batch_size": config.batch.forward_micro,
        "rollout.max_new_tokens": config.solution.max_tokens,
        "rollout.temperature": config.sampling.temperature,
        "rollout.top_p": config.sampling.top_p,
        "train.batch_size": size,
        "train.micro_batch_size": config.batch.train_micro,
    }


def compute_train_batch_size(config: TrainConfig) -> int:
    """Return the sequences of one optimiser step.

    A step's rollouts and clones, split into its updates, rounded up to whole micro-batches on every
    rank.
    """
    rollouts = config.solution.rollouts + config.meta_rollouts
    sequences = config.batch.problems * rollouts + config.clones
    per_update = -(-sequences // config.optim.updates_per_step)
    unit = config.world_size * (1 if config.cluster.pack else config.batch.train_micro)
    return -(-per_update // unit) * unit


def _build_algorithm_flags(config: TrainConfig) -> dict[str, Any]:
    optim = config.optim
    flags: dict[str, Any] = {
        "algo.advantage.estimator": "dr_grpo" if config.algorithm == "dr_grpo" else "group_norm",
        "algo.kl.init_coef": 0,
        "algo.advantage.is_correction_level": optim.mismatch_correction,
        "algo.advantage.is_correction_mode": "clip"
        if optim.mismatch_correction == "token"
        else "mask",
        "actor.eps_clip_low_high": (optim.clip_low, optim.clip_high),
        "actor.loss_agg_mode": "token-mean",
    }
    if config.algorithm == "dapo":
        flags["algo.dynamic_filtering_enable"] = True
        # DAPO's buffer: 4,096 of 20,480 tokens, the last fifth of a response.
        flags["reward.overlong_buffer_len"] = config.solution.max_tokens // 5
    return flags


def _build_optimiser_flags(config: TrainConfig) -> dict[str, Any]:
    optim = config.optim
    return {
        "actor.adam.lr": optim.lr,
        "actor.adam.betas": optim.betas,
        "actor.adam.weight_decay": optim.weight_decay,
        "actor.lr_scheduler": optim.schedule,
        "actor.max_norm": optim.max_norm,
        "train.num_episodes": config.passes,
        "train.max_epochs": 1,
        "train.seed": config.seed,
    }


def _build_bookkeeping_flags(
    config: TrainConfig, folder: RunFolder, *, resume: bool
) -> dict[str, Any]:
    return {
        "data.prompt_dataset": str(folder.data / "train.jsonl"),
        # Evaluation is called by our trainer; OpenRLHF reads the data for it.
        "eval.dataset": str(folder.data / "eval.jsonl") if has_eval(config) else None,
        "ckpt.path": str(folder.checkpoints),
        "ckpt.output_dir": str(folder.model),
        "ckpt.max_num": config.checkpoint.keep,
        "ckpt.load_enable": resume,
        "logger.tensorboard_dir": str(folder.path / "tensorboard")
        if config.log.tensorboard
        else None,
        "logger.wandb.run_name": folder.path.name,
        "logger.wandb.key": None if config.log.wandb is None else PLACEHOLDER,
        "logger.wandb.project": config.log.wandb,
    }


def has_eval(config: TrainConfig) -> bool:
    """Whether the run has held-out problems: named ones, or those that tiny problems bring."""
    return config.data.eval is not None or config.data.train is None


def _format_flag(name: str, value: OpenRLHFValue | tuple[Any, ...] | None) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        return [f"--{name}"]
    if isinstance(value, (list, tuple)):
        return [f"--{name}", *map(str, value)]
    return [f"--{name}", str(value)]


# -- reading them as OpenRLHF will -----------------------------------------------------------------
