"""An experience maker without models behind it, and a tokenizer without a vocabulary."""

from __future__ import annotations

from types import SimpleNamespace

from masa_control import Stopwatch


def maker(experience, *, ranks=1, batch=64, micro=16, meta_weight=1.0, mode="token-mean", **more):
    """An experience maker without models behind it: only what it does with samples."""
    made = object.__new__(experience.ExperienceMaker)
    made.meta_weight, made._ranks, made._watch = meta_weight, ranks, Stopwatch()
    made.clone_weight = more.get("clone_weight", 0.0)
    made.rolled_out = more.get("rolled_out", 1.0)
    made.advantage_estimator = more.get("estimator", "group_norm")
    made.tokenizer = SimpleNamespace(pad_token_id=0)
    made.kl_ctl = SimpleNamespace(value=0.0)
    made.args = SimpleNamespace(
        train=SimpleNamespace(batch_size=batch, dynamic_batch_enable=False),
        rollout=SimpleNamespace(
            micro_batch_size=micro,
            max_new_tokens=100,
            batch_size=batch,
            n_samples_per_prompt=more.get("updates", 1),
        ),
        actor=SimpleNamespace(loss_agg_mode=mode, policy_loss_type=more.get("loss_type", "ppo")),
        reward=SimpleNamespace(
            clip_range=(-10, 10), overlong_buffer_len=None, stop_properly_penalty_coef=None
        ),
        data=SimpleNamespace(max_len=200),
    )
    return made


def with_advantages(made, samples):
    import torch

    batches = made.split_rollout_samples(made._filled(samples))
    for batch in batches:
        batch.kl = torch.zeros_like(batch.action_mask, dtype=torch.float32)
        batch.action_log_probs = torch.full_like(batch.kl, -7.0)  # as the policy scored them
    return made.compute_advantages_and_returns(batches)


class Letters:
    """A tokenizer: a token a letter."""

    eos_token_id = 1

    def __call__(self, text, *, add_special_tokens, return_offsets_mapping):
        return {
            "input_ids": [ord(c) for c in text],
            "offset_mapping": [(i, i + 1) for i in range(len(text))],
        }
