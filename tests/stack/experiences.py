"""An experience maker without models behind it, and a tokenizer without a vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from masa_control import StepWeights


@dataclass
class WeightedMaker:
    """The experience maker, and what the parts of a step's loss weigh."""

    maker: Any
    weights: StepWeights
    rolled_out: float


def make_weighted_maker(
    experience,
    *,
    ranks=1,
    batch=64,
    micro=16,
    meta_weight=1.0,
    clone_weight=0.0,
    rolled_out=1.0,
    mode="token-mean",
    loss_type="ppo",
    estimator="group_norm",
    updates=1,
):
    """An experience maker without models behind it: only what it does with samples."""
    args = SimpleNamespace(
        algo=SimpleNamespace(advantage=SimpleNamespace(estimator=estimator)),
        train=SimpleNamespace(batch_size=batch, dynamic_batch_enable=False),
        rollout=SimpleNamespace(
            micro_batch_size=micro,
            max_new_tokens=100,
            batch_size=batch,
            n_samples_per_prompt=updates,
        ),
        actor=SimpleNamespace(
            loss_agg_mode=mode, policy_loss_type=loss_type, num_nodes=1, num_gpus_per_node=ranks
        ),
        ds=SimpleNamespace(ring_attn_size=1, tensor_parallel_size=1),
        reward=SimpleNamespace(
            clip_range=(-10, 10), overlong_buffer_len=None, stop_properly_penalty_coef=None
        ),
        data=SimpleNamespace(max_len=200),
    )
    made = experience.ExperienceMaker(
        None,
        None,
        None,
        None,
        SimpleNamespace(value=0.0),
        SimpleNamespace(args=args),
        SimpleNamespace(pad_token_id=0),
    )
    return WeightedMaker(made, StepWeights(meta_weight, clone_weight), rolled_out)


def compute_batch_advantages(made, samples):
    import torch
    from masa_openrlhf.stack.experience import weigh_samples

    weigh_samples(samples, made.weights, made.rolled_out)
    batches = made.maker.split_rollout_samples(made.maker._filled(samples))
    for batch in batches:
        batch.kl = torch.zeros_like(batch.action_mask, dtype=torch.float32)
        batch.action_log_probs = torch.full_like(batch.kl, -7.0)  # as the policy scored them
    return made.maker.compute_advantages_and_returns(batches)


class LetterTokenizer:
    """A tokenizer: a token a letter."""

    eos_token_id = 1

    def __call__(self, text, *, add_special_tokens, return_offsets_mapping):
        return {
            "input_ids": [ord(c) for c in text],
            "offset_mapping": [(i, i + 1) for i in range(len(text))],
        }
