"""What OpenRLHF's parser takes, and a run would get wrong: refused before anything starts.

Some of it would fail only when models are on the GPUs, some would train on something else than was
asked for, without a word. The checks that OpenRLHF itself makes later than its parser are repeated
here; ``tests/masa_openrlhf/test_contract.py`` fails when they change.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import get_args

from masa_openrlhf.config.sections import LearningRateSchedule

_Check = tuple[Callable[[Namespace], object], str]

# Features that do not go with the rest of a run.
_FEATURES: tuple[_Check, ...] = (
    (
        lambda a: a.ds.zero_stage not in (1, 2, 3),
        "ds.zero_stage {a.ds.zero_stage}: gradients are tested with ZeRO 1, 2 and 3: set "
        "cluster.zero_stage = 3",
    ),
    (
        lambda a: a.ds.zero_stage == 1 and a.ds.grad_accum_dtype == "fp32" and a.ds.enable_sleep,
        "ZeRO 1 with gradients in float32 has an optimiser of its own in DeepSpeed, whose states "
        "cannot leave the GPU while vLLM generates: set cluster.zero_stage = 3, or 2",
    ),
    (
        lambda a: a.ds.tensor_parallel_size > 1,
        "ds.tensor_parallel_size: weights would be sent and compared by shards: leave it at 1; "
        "ZeRO 3 shards the policy (cluster.zero_stage), cluster.tensor_parallel an engine of vLLM",
    ),
    (
        lambda a: a.ds.lora.rank > 0,
        "ds.lora.rank: OpenRLHF sends adapters to vLLM under names that it does not know: drop it; "
        "all weights are trained",
    ),
    (
        lambda a: a.ds.load_in_4bit,
        "ds.load_in_4bit: 4-bit weights cannot be sent to vLLM, which holds bfloat16: drop it",
    ),
    (
        lambda a: a.ds.param_dtype != "bf16",
        "ds.param_dtype {a.ds.param_dtype}: vLLM holds bfloat16, and takes no other weights: set "
        "ds.param_dtype bf16",
    ),
    (
        lambda a: a.actor.optim != "adam",
        "actor.optim {a.actor.optim}: Muon's states cannot leave the GPU while vLLM generates: set "
        "actor.optim adam",
    ),
    (
        lambda a: a.ds.ring_attn_size > 1,
        "ds.ring_attn_size: ring attention needs ring-flash-attn, which is in no extra of "
        "masa-openrlhf, and its gradients are not tested: drop it",
    ),
    (
        lambda a: a.ds.use_liger_kernel,
        "ds.use_liger_kernel: Liger's kernels are in no extra of masa-openrlhf, and their "
        "gradients not tested: drop it",
    ),
    (
        lambda a: a.ds.zpg > 1,
        "ds.zpg {a.ds.zpg}: gradients with a second partition of weights are not tested: drop it",
    ),
    (
        lambda a: a.ds.deepcompile,
        "ds.deepcompile: gradients of a compiled ZeRO are not tested: drop it",
    ),
    (
        lambda a: a.train.enable_ema,
        "train.enable_ema: the average is in no checkpoint, so that a resumed run would begin it "
        "anew and save that: drop it",
    ),
    (
        lambda a: a.ckpt.save_hf,
        "ckpt.save_hf: copies of the whole model would never be removed: drop it; model/ holds the "
        "trained one at the end",
    ),
    (
        lambda a: a.ckpt.disable_ds,
        "ckpt.disable_ds: there would be nothing to go on from: drop it; checkpoint.every says how "
        "often one is written",
    ),
)

# Parts of a loss that fillers and experts would take part in.
_LOSS: tuple[_Check, ...] = (
    (
        lambda a: a.actor.entropy_coef is not None,
        "actor.entropy_coef: the entropy would be taken of fillers and experts too: drop it",
    ),
    (
        lambda a: a.algo.kl.use_loss,
        "algo.kl.use_loss: a KL loss would be taken of fillers and experts too: drop it; "
        "algo.kl.init_coef alone puts the KL penalty into the rewards, of rollouts only",
    ),
    (
        lambda a: a.algo.kl.target,
        "algo.kl.target: the coefficient would follow a KL in which fillers count: drop it; "
        "algo.kl.init_coef sets a fixed one",
    ),
)

# Flags of which nothing would come, or less than was asked for.
_NO_EFFECT: tuple[_Check, ...] = (
    (
        lambda a: a.algo.advantage.gamma != 1.0,
        "algo.advantage.gamma {a.algo.advantage.gamma}: rewards come at the end and are not "
        "discounted: drop it",
    ),
    (
        lambda a: a.algo.advantage.no_std_norm,
        "algo.advantage.no_std_norm has no effect on advantages within groups: use --algorithm "
        "dr_grpo",
    ),
    (
        lambda a: a.reward.normalize_enable,
        "reward.normalize_enable is for reward models: drop it",
    ),
    (
        lambda a: a.actor.eps_clip != 0.2,
        "actor.eps_clip has no effect beside optim.clip_low and optim.clip_high: use those",
    ),
    (
        lambda a: a.train.max_epochs != 1,
        "train.max_epochs {a.train.max_epochs}: learning-rate schedules count one pass over a "
        "batch: drop it; optim.updates_per_step splits a batch into several optimiser steps",
    ),
)

# What OpenRLHF checks, or divides, once its parser is through.
_LATER: tuple[_Check, ...] = (
    (
        lambda a: a.train.colocate_all and _count_ranks(a) != _count_engine_gpus(a),
        "policy and engines share the GPUs (cluster.colocate), so cluster.nodes x "
        "cluster.gpus_per_node ({a.actor.num_nodes} x {a.actor.num_gpus_per_node}) must be "
        "cluster.engines x cluster.tensor_parallel ({a.vllm.num_engines} x "
        "{a.vllm.tensor_parallel_size}): leave cluster.engines unset, and it follows",
    ),
    (
        lambda a: _is_shared_with_reference(a) and _count_ranks(a) != _count_reference_gpus(a),
        "the reference model shares the policy's GPUs: leave ref.num_nodes and "
        "ref.num_gpus_per_node unset, and they follow cluster.nodes and cluster.gpus_per_node",
    ),
    (
        lambda a: (
            not a.train.dynamic_batch_enable
            and a.train.batch_size % (_count_ranks(a) * a.train.micro_batch_size)
        ),
        "the {a.train.batch_size} sequences of an optimiser step are no whole micro-batches of "
        "{a.train.micro_batch_size} on every rank, and what is left over would be dropped: set "
        "batch.train_micro, not train.micro_batch_size",
    ),
    (
        lambda a: a.train.batch_size % _count_ranks(a),
        "the {a.train.batch_size} sequences of an optimiser step do not divide between the ranks",
    ),
    (
        lambda a: a.actor.lr_scheduler not in get_args(LearningRateSchedule),
        "actor.lr_scheduler {a.actor.lr_scheduler}: use optim.schedule, which has those there are",
    ),
    (
        lambda a: a.actor.dual_clip is not None and a.actor.dual_clip <= 1,
        "actor.dual_clip {a.actor.dual_clip} must be above 1",
    ),
    (
        lambda a: (
            a.algo.advantage.is_correction_mode == "clip"
            and (
                a.algo.advantage.is_correction_level == "seq"
                or a.algo.advantage.is_correction_gating != "ratio"
            )
        ),
        "only ratios of tokens can be clipped: with algo.advantage.is_correction_gating "
        "{a.algo.advantage.is_correction_gating} at level {a.algo.advantage.is_correction_level} "
        "set algo.advantage.is_correction_mode mask",
    ),
    (
        lambda a: (
            a.algo.advantage.is_correction_gating != "ratio"
            and a.algo.advantage.is_correction_level != "off"
            and a.algo.advantage.is_correction_threshold[0] > 0
        ),
        "algo.advantage.is_correction_gating {a.algo.advantage.is_correction_gating} has an upper "
        "bound alone: give algo.advantage.is_correction_threshold one number",
    ),
    (
        lambda a: (a.reward.overlong_buffer_len or 0) > a.rollout.max_new_tokens,
        "reward.overlong_buffer_len {a.reward.overlong_buffer_len} must not be above "
        "solution.max_tokens ({a.rollout.max_new_tokens})",
    ),
    (
        lambda a: (a.reward.stop_properly_penalty_coef or 0) > 1,
        "reward.stop_properly_penalty_coef {a.reward.stop_properly_penalty_coef} must not be "
        "above 1",
    ),
)

_CHECKS = (*_FEATURES, *_LOSS, *_NO_EFFECT, *_LATER)


def list_refusals(args: Namespace, *, attention: str | None = None) -> list[str]:
    """Say what OpenRLHF's parsed arguments ask for and a run would get wrong.

    Args:
        args: as OpenRLHF's parser leaves them.
        attention: the attention that was asked for, where the parser may have replaced it.

    Returns:
        A line for each, with what to set instead.
    """
    found = [message.format(a=args) for wrong, message in _CHECKS if wrong(args)]
    if attention is not None and attention != args.ds.attn_implementation:
        found.append(
            f"model.attention {attention!r} cannot take packed sequences, and OpenRLHF would put "
            f"{args.ds.attn_implementation!r} in its place: set model.attention = "
            "'flash_attention_2', or cluster.pack = false"
        )
    return found


def _count_ranks(args: Namespace) -> int:
    return int(args.actor.num_nodes * args.actor.num_gpus_per_node)


def _count_engine_gpus(args: Namespace) -> int:
    return int(args.vllm.num_engines * args.vllm.tensor_parallel_size)


def _is_shared_with_reference(args: Namespace) -> bool:
    shared = args.train.colocate_all or args.train.colocate_actor_ref
    return bool(shared and args.algo.kl.init_coef > 0)


def _count_reference_gpus(args: Namespace) -> int:
    return int(args.ref.num_nodes * args.ref.num_gpus_per_node)
