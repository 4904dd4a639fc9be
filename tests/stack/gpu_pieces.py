"""What a GPU run puts in the place of the stack's own, under DeepSpeed, on a CPU: a script.

One process a rank, over gloo. It prints a line of JSON: gradients of the same batch from OpenRLHF's
model wrapper as published on padded sequences, and from ours on packed ones; what becomes of the
optimiser's states when they are taken off the device, brought back, saved and loaded.
"""

import json
import os
import sys

os.environ.update(
    MASA_OPENRLHF_CPU="1",
    DS_ACCELERATOR="cpu",
    TORCHDYNAMO_DISABLE="1",
    GLOO_SOCKET_IFNAME="lo",
    OMP_NUM_THREADS="1",
)

import torch

torch.set_num_threads(1)

from masa_openrlhf import cpu  # noqa: E402

cpu.activate()

import deepspeed  # noqa: E402
import transformers  # noqa: E402
from deepspeed.runtime.zero.offload_config import OffloadDeviceEnum  # noqa: E402
from masa_openrlhf.gpu import actor, adam, attention  # noqa: E402
from openrlhf.models import Actor  # noqa: E402

LENGTHS = ((7, 12), (3, 20))


def write_model(folder):
    torch.manual_seed(1)
    config = transformers.Qwen3Config(
        vocab_size=96, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=8, tie_word_embeddings=False,
    )  # fmt: skip
    transformers.Qwen3ForCausalLM(config).bfloat16().save_pretrained(folder)


def make_config(stage):
    return {
        "train_micro_batch_size_per_gpu": 2,
        "zero_optimization": {"stage": stage, "reduce_scatter": True},
        "bf16": {"enabled": True},
        "data_types": {"grad_accum_dtype": "fp32"},
        "optimizer": {"type": "AdamW", "params": {"lr": 1e-3, "weight_decay": 0.0}},
        "gradient_clipping": 0.0,
    }


def make_batch(rank):
    generator = torch.Generator().manual_seed(rank)
    longest = max(LENGTHS[rank])
    sequences = torch.randint(1, 96, (2, longest), generator=generator)
    mask = torch.stack([(torch.arange(longest) < n).long() for n in LENGTHS[rank]])
    action = mask[:, 1:].clone()
    action[:, :2] = 0
    pull = torch.randn(action.shape, generator=generator)
    return sequences * mask, action, mask, pull


def wrap_actor(folder, stage, *, packed):
    made = Actor(
        folder,
        attn_implementation="flash_attention_2" if packed else "eager",
        ds_config=make_config(stage),
        packing_samples=packed,
        temperature=0.8,
    )
    made.gradient_checkpointing_enable()
    made.model, *_ = deepspeed.initialize(
        model=made.model, model_parameters=made.model.parameters(), config=make_config(stage)
    )
    return made


def take_step(made, *, entropy):
    sequences, action, mask, pull = make_batch(deepspeed.comm.get_rank())
    made.train()
    scores, output = made(sequences, action, mask, return_output=True, return_entropy=entropy)
    loss = (scores * pull).sum()
    if entropy:
        loss = loss + (output.entropy[:, -action.shape[1] :] * action).sum()
    made.model.backward(loss)
    gradients = {
        name: deepspeed.utils.safe_get_full_grad(p).clone()
        for name, p in made.model.module.named_parameters()
    }
    return scores.detach(), torch.cat([g.flatten() for g in gradients.values()]).double()


def compare_with_stock(folder, stage):
    """Both of our model wrapper's ways, against OpenRLHF's as published."""
    stock = [
        take_step(wrap_actor(folder, stage, packed=False), entropy=entropy)
        for entropy in (False, True)
    ]
    actor.install_actor()
    attention.register_attention()
    found = []
    for entropy, (stock_scores, gradient) in zip((False, True), stock, strict=True):
        made = wrap_actor(folder, stage, packed=True)
        scores, ours = take_step(made, entropy=entropy)
        found.append(
            {
                "attention": made.model.module.config._attn_implementation,
                "in_chunks": made._masa_prepared,
                "off": float((scores - stock_scores).abs().max()),
                "norms": [float(gradient.norm()), float(ours.norm())],
                "cosine": float(torch.nn.functional.cosine_similarity(gradient, ours, dim=0)),
            }
        )
    return made, found


def check_optimizer_states(made, folder):
    """Take the optimiser's states off the device and back, save them and load them."""
    engine = made.model
    engine.step()
    optimizer = engine.optimizer.optimizer
    (first, *_) = optimizer.state.values()
    before = {key: value.clone() for key, value in first.items()}
    engine.offload_states(device=OffloadDeviceEnum.cpu, pin_memory=False)
    engine.reload_states()
    kept = all(torch.equal(before[key], first[key]) for key in before)
    engine.save_checkpoint(folder, tag="one")
    engine.load_checkpoint(folder, tag="one")
    (loaded, *_) = engine.optimizer.optimizer.state.values()
    return {
        "class": type(optimizer).__name__,
        "keys": sorted(before),
        "step": float(before["step"]),
        "kept": kept,
        "loaded": all(torch.equal(before[key], loaded[key]) for key in before),
        "fused": [group["fused"] for group in optimizer.param_groups],
    }


def main(folder, stage):
    adam.install_adam()
    deepspeed.init_distributed(dist_backend="gloo")
    if deepspeed.comm.get_rank() == 0:
        write_model(f"{folder}/model")
    deepspeed.comm.barrier()
    made, compared = compare_with_stock(f"{folder}/model", stage)
    kept = check_optimizer_states(made, f"{folder}/checkpoint")
    if deepspeed.comm.get_rank() == 0:
        print("FOUND", json.dumps({"compared": compared, "states": kept}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], 3)
