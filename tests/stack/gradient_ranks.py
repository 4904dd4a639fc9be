"""One of two ranks that learn from one batch in several layouts; rank 0 writes what came of it.

The path is the project's and OpenRLHF's own, from samples to the optimiser's step: fillers, scoring
batches, advantages, dealing out, dynamic batches, packing, loss, DeepSpeed on gloo. What a layout's
gradient is compared with is the gradient of the whole batch's loss, taken at once by torch alone:
without DeepSpeed, ranks, micro-batches, packing or fillers. The optimiser is plain descent at rate
1, so that the gradient it took is what weights moved by.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import deepspeed
import torch
import transformers
from deepspeed.runtime import bf16_optimizer
from einops import rearrange
from masa_control import StepWeights
from masa_control.advantages import compute_group_advantages
from masa_openrlhf.arguments.build import build_arguments
from masa_openrlhf.arguments.parse import parse_arguments
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.run.folder import RunFolder
from masa_openrlhf.stack import experience as maker
from masa_openrlhf.stack.policy_trainer import PolicyTrainer
from openrlhf.models import Actor, PolicyLoss
from openrlhf.models import ring_attn_utils as packing
from openrlhf.trainer.ppo_utils.experience import balance_experiences
from openrlhf.trainer.ray.ppo_actor import ActorPPOTrainer
from openrlhf.utils import get_strategy

bf16_optimizer.see_memory_usage = lambda *_, **__: None  # takes longer than the rest of a layout
VOCABULARY, RANKS = 96, 2
PROBLEMS, SOLUTIONS, PREDICTIONS, EXPERTS = 4, 6, 3, 4
CLONE_WEIGHT = 0.5


class LossCase(NamedTuple):
    """A policy loss, and what else the advantages hold."""

    type: str = "ppo"
    aggregation: str = "token-mean"
    kl: float = 0.0


LOSSES = {
    "token": LossCase(),
    "sequence": LossCase(aggregation="seq-mean-token-mean"),
    "gspo": LossCase(type="gspo"),
    "kl": LossCase(kl=0.2),
}


class BatchLayout(NamedTuple):
    """How a batch is laid out."""

    stage: int
    pack: bool
    tokens: int = 120
    micro: int = 4
    accumulate: str | None = "fp32"
    marked: bool = True


LAYOUTS = {
    **{
        f"{loss} stage {stage} {'packed' if pack else 'padded'}": (loss, BatchLayout(stage, pack))
        for loss in ("token", "sequence", "gspo")
        for stage in (3, 2, 1)
        for pack in (True, False)
    },
    "kl stage 3 packed": ("kl", BatchLayout(3, True)),
    "kl stage 2 padded": ("kl", BatchLayout(2, False)),
    # How many micro-batches there are.
    "token stage 3 one micro-batch": ("token", BatchLayout(3, True, tokens=9999)),
    "sequence stage 2 few micro-batches": ("sequence", BatchLayout(2, True, tokens=400)),
    "gspo stage 2 padded singly": ("gspo", BatchLayout(2, False, micro=1)),
    # Added up in bfloat16.
    "token stage 3 bf16": ("token", BatchLayout(3, True, accumulate=None)),
    "token stage 1 bf16": ("token", BatchLayout(1, True, accumulate=None)),
    # As DeepSpeed has it where nobody says which micro-batch is the last.
    "token stage 3 unmarked": ("token", BatchLayout(3, True, marked=False)),
    "token stage 2 unmarked": ("token", BatchLayout(2, True, marked=False)),
    "token stage 1 unmarked": ("token", BatchLayout(1, True, marked=False, accumulate=None)),
}


# -- the batch -------------------------------------------------------------------------------------


def make_samples(loss: LossCase) -> list[Any]:
    """Rollouts with what the scores are to be off by in ``rollout_log_probs``, and experts."""
    draw = torch.Generator().manual_seed(3)
    made = []

    def sequence(longest: int) -> tuple[Any, Any]:
        prompt, response = (int(torch.randint(3, n, (1,), generator=draw)) for n in (10, longest))
        ids = torch.randint(1, VOCABULARY, (prompt + response,), generator=draw)
        mask = torch.zeros(prompt + response - 1, dtype=torch.long)
        mask[prompt - 1 :] = 1
        return ids, mask

    for problem in range(PROBLEMS):
        for kind, many in (("meta", PREDICTIONS), ("solution", SOLUTIONS)):
            for _ in range(many):
                ids, mask = sequence(80)
                off = 0.15 * torch.randn(len(mask), generator=draw) * mask
                reward = float(torch.rand(1, generator=draw))
                tag = maker.SampleTag(f"{problem}/{kind}", kind, True)
                made.append(
                    maker._make_experience(ids, mask, off, reward=reward, truncated=False, tag=tag)
                )
    for expert in range(0 if loss.type == "gspo" else EXPERTS):
        ids, mask = sequence(20)
        weights = tuple((1.0 + 7.0 * (torch.rand(int(mask.sum()), generator=draw) < 0.3)).tolist())
        tag = maker.SampleTag(f"expert/{expert}", "expert", False, token_weights=weights)
        made.append(
            maker._make_experience(
                ids, mask, torch.zeros(len(mask)), reward=0.0, truncated=False, tag=tag
            )
        )
    return made


def score_batch(batch: Any, log_probs: Any) -> None:
    """What scoring adds: old probabilities, those of the engine, the gap to a reference."""
    off = batch.rollout_log_probs
    real = batch.action_mask.float()
    batch.action_log_probs = (log_probs.float() + off) * real
    batch.rollout_log_probs = (log_probs.float() + 1.5 * off) * real
    batch.kl = (off + 0.3) * real
    batch.values = None
    batch.info["kl"] = torch.zeros(len(batch.labels))


# -- the whole batch's loss at once ----------------------------------------------------------------


def compute_whole_gradient(folder: Path, loss: LossCase) -> dict[str, Any]:
    """The gradient of the loss by torch alone, by parameter."""
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.bfloat16, attn_implementation="sdpa"
    )
    rows = make_samples(loss)
    tags = [row.labels[0] for row in rows]
    advantages = compute_group_advantages(
        [float(row.rewards) for row in rows],
        [tag.group for tag in tags],
        [tag.scored for tag in tags],
        estimator="group_norm",
        weights_N=[1.0] * len(rows),
    )
    longest = max(row.action_mask.shape[1] for row in rows)
    kept: dict[str, list[Any]] = {name: [] for name in ("new", "old", "engine", "gain", "mask")}
    graphs, leaves = [], []
    cloning, weight = torch.zeros(()), 0.0
    for row, tag, advantage in zip(rows, tags, advantages, strict=True):
        logits = model(row.sequences).logits.float().log_softmax(-1)
        graphs.append(logits[:, :-1].gather(-1, row.sequences[:, 1:, None])[..., 0])
        leaves.append(log_probs := graphs[-1].detach().requires_grad_())
        mask = row.action_mask.float()
        if tag.kind == "expert":
            likelier = (log_probs - log_probs.detach()).exp()[
                mask.bool()
            ]  # 1, its gradient log p's
            pulls = (torch.tensor(tag.token_weights) * likelier).sum()
            by_token = loss.aggregation == "token-mean"
            cloning = cloning - (pulls if by_token else pulls / sum(tag.token_weights))
            weight += sum(tag.token_weights) if by_token else 1.0
            continue
        score_batch(row, log_probs.detach())
        penalty = (loss.kl * row.kl * mask).flip(1).cumsum(1).flip(1)
        values = (log_probs, row.action_log_probs, row.rollout_log_probs, advantage - penalty, mask)
        for name, value in zip(kept, values, strict=True):
            padded = torch.nn.functional.pad(value * mask, (0, longest - value.shape[1]))
            kept[name].append(padded)
    batch = {name: torch.cat(values) for name, values in kept.items()}
    found, *_ = PolicyLoss(
        0.2,
        0.28,
        token_level_loss=loss.aggregation == "token-mean",
        policy_loss_type=loss.type,
        is_correction_level="token",
        is_correction_mode="clip",
    )(
        batch["new"],
        batch["old"],
        batch["gain"],
        action_mask=batch["mask"],
        rollout_log_probs=batch["engine"],
    )
    if weight:
        found = found + CLONE_WEIGHT * cloning / weight
    found.backward()
    gradient = {
        name: torch.zeros_like(p, dtype=torch.float) for name, p in model.named_parameters()
    }
    for graph, leaf in zip(graphs, leaves, strict=True):  # added up in float32, not in bfloat16
        model.zero_grad()
        graph.backward(leaf.grad)
        for name, parameter in model.named_parameters():
            gradient[name] += parameter.grad.float()
    return {**gradient, "loss": float(found.detach())}


# -- the same on ranks -----------------------------------------------------------------------------


def make_config(folder: Path, loss: LossCase, layout: BatchLayout) -> TrainConfig:
    flags: dict[str, Any] = {
        "actor.policy_loss_type": loss.type,
        "actor.loss_agg_mode": loss.aggregation,
        "algo.kl.init_coef": loss.kl,
    }
    if layout.accumulate:
        flags["ds.grad_accum_dtype"] = layout.accumulate
    return TrainConfig.model_validate(
        {
            "mode": "masa" if loss.type == "gspo" else "masa-efficient",
            "model": {"path": str(folder), "attention": "flash_attention_2"},
            "solution": {"rollouts": SOLUTIONS, "max_tokens": 200},
            "meta": {"rollouts": PREDICTIONS, "max_tokens": 100, "prompt": {"min_length": 4}},
            "experts": {"batch": 8},
            "batch": {
                "problems": PROBLEMS + 1,  # of one there is nothing to train on: more fillers
                "train_micro": layout.micro,
                "forward_micro": 4,
                "max_tokens_per_gpu": layout.tokens,
            },
            "data": {"prompt_max_tokens": 64},
            "cluster": {
                "device": "cpu",
                "gpus_per_node": RANKS,
                "engines": RANKS,
                "zero_stage": layout.stage,
                "pack": layout.pack,
                "colocate": False,
                "gradient_checkpointing": False,
            },
            "optim": {"weight_decay": 0.0, "max_norm": 1e9, "mismatch_correction": "token"},
            "openrlhf": flags,
        }
    )


def train_one_step(folder: Path, loss: LossCase, layout: BatchLayout) -> dict[str, Any]:
    """One step on the batch; how far each weight moved, and what was said of it."""
    args = parse_arguments(
        build_arguments(
            make_config(folder, loss, layout),
            RunFolder(folder.parent / "run"),
            cpu=True,
            resume=False,
        )
    )
    # A CPU has no flash attention; transformers' sdpa tells packed sequences by their positions.
    args.ds.attn_implementation = "sdpa"
    strategy = get_strategy(args)
    strategy.setup_distributed()
    configure = strategy.get_ds_train_config

    def plain_descent(optim_dict: Any = None, **more: Any) -> Any:
        if optim_dict:
            optim_dict = {"type": "SGD", "params": {"lr": 1.0}}
        return {**configure(optim_dict, **more), "zero_allow_untested_optimizer": True}

    strategy.get_ds_train_config = plain_descent
    actor = Actor(
        str(folder),
        attn_implementation="sdpa",
        param_dtype="bf16",
        ds_config=strategy.get_ds_train_config(),
        packing_samples=args.ds.packing_samples,
    )
    optimiser = {
        "optim": "adam",
        "adam": vars(args.actor.adam),
        "muon": {},
        "lr_scheduler": "constant",
        "max_norm": 1e9,
        "scheduler_steps": 10,
    }
    actor, optimizer, scheduler = strategy.prepare((actor, optimiser))
    trainer = (PolicyTrainer if layout.marked else ActorPPOTrainer)(
        strategy,
        actor,
        None,
        optimizer,
        scheduler,
        micro_train_batch_size=args.train.micro_batch_size,
        dataloader_pin_memory=False,
        vllm_engines=None,
    )
    for experience in make_rank_share(actor, args, loss):
        trainer.replay_buffer.append(experience)
    before = read_weights(actor)
    status = trainer.ppo_train(0.0)
    after = read_weights(actor)
    moved = {name: before[name] - after[name] for name in before}
    packed = args.train.dynamic_batch_enable
    return {
        "moved": moved,
        "loss": status["policy_loss"],
        "micro-batches": len(trainer.replay_buffer) // (1 if packed else layout.micro),
        "accumulates in": str(getattr(optimizer, "gradient_accumulation_dtype", None)),
    }


def make_rank_share(actor: Any, args: Any, loss: LossCase) -> list[Any]:
    """This rank's share of the batch, scored by the policy and with advantages."""
    strategy, kl = SimpleNamespace(args=args), SimpleNamespace(value=loss.kl)
    pad = SimpleNamespace(pad_token_id=0)
    made = maker.ExperienceMaker(None, None, None, None, kl, strategy, pad)
    weighed = make_samples(loss)
    maker.weigh_samples(weighed, StepWeights(meta=1.0, clone=CLONE_WEIGHT))
    batches = made.split_rollout_samples(made._filled(weighed))
    for batch in batches:
        with torch.no_grad():
            log_probs = actor(batch.sequences, batch.action_mask, batch.attention_mask)
        score_batch(batch, log_probs)
    experiences = made.compute_advantages_and_returns(batches)
    if args.train.dynamic_batch_enable:
        experiences = balance_experiences(experiences, args)
    size = len(experiences) // RANKS
    rank = torch.distributed.get_rank()
    return list(experiences[rank * size : (rank + 1) * size])


def read_weights(actor: Any) -> dict[str, Any]:
    return {
        name: deepspeed.utils.safe_get_full_fp32_param(parameter).clone()
        for name, parameter in actor.model.module.named_parameters()
    }


# -- both, compared --------------------------------------------------------------------------------


def patch_packing() -> None:
    """Give OpenRLHF what it takes of flash-attn to pack: indexing, which a CPU run refuses."""

    def unpad(values: Any, mask: Any) -> Any:
        lengths = mask.sum(-1, dtype=torch.int32)
        indices = mask.flatten().nonzero().flatten()
        edges = torch.nn.functional.pad(lengths.cumsum(0, dtype=torch.int32), (1, 0))
        return values.flatten(0, 1)[indices], indices, edges, int(lengths.max()), lengths

    def pad(values: Any, indices: Any, batch: int, length: int) -> Any:
        flat = values.new_zeros(batch * length, *values.shape[1:])
        return flat.index_copy(0, indices, values).unflatten(0, (batch, length))

    packing.unpad_input, packing.pad_input = unpad, pad
    packing.index_first_axis, packing.rearrange = lambda values, at: values[at], rearrange


def write_model(folder: Path) -> None:
    """Write a small model; each rank has its own copy of the same."""
    torch.manual_seed(1)
    shape = transformers.Qwen3Config(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        tie_word_embeddings=False,
    )
    transformers.Qwen3ForCausalLM(shape).bfloat16().save_pretrained(folder)


def compare_gradients(expected: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    names = sorted(found["moved"])
    theirs = torch.cat([found["moved"][name].flatten() for name in names])
    ours = torch.cat([expected[name].flatten() for name in names])
    return {
        "cosine": float(torch.nn.functional.cosine_similarity(theirs, ours, dim=0)),
        "size": float(theirs.norm() / ours.norm()),
        "difference": float((theirs - ours).norm() / ours.norm()),
        "loss": found["loss"],
        "expected loss": expected["loss"],
        "micro-batches": found["micro-batches"],
        "accumulates in": found["accumulates in"],
    }


def main(folder: Path) -> None:
    """Go through the layouts; rank 0 writes ``found.json`` into ``folder``."""
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    patch_packing()
    policy = folder / f"model-{os.environ['RANK']}"
    write_model(policy)
    expected = {name: compute_whole_gradient(policy, loss) for name, loss in LOSSES.items()}
    found = {}
    for name, (loss, layout) in LAYOUTS.items():
        result = train_one_step(policy, LOSSES[loss], layout)
        found[name] = compare_gradients(expected[loss], result)
    if torch.distributed.get_rank() == 0:
        (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
