"""One rank of ZeRO-3: packed in chunks against padded as published; sleep and waking."""

from __future__ import annotations

import os
import socket
import tempfile
from importlib import import_module
from typing import Any

from masa_benchmarks.gpu.step import MissingPackage, StepRecord, run_script


def check_zero3(found: StepRecord) -> None:
    """A Qwen3 of 0.6B's shape under DeepSpeed: gradients, the optimiser, offload and reload."""
    _prepare_process(found)
    import deepspeed
    import torch
    from masa_openrlhf.gpu import actor, adam, attention

    adam.install_adam()
    deepspeed.init_distributed(dist_backend="nccl" if found.device == "cuda" else "gloo")
    with tempfile.TemporaryDirectory() as folder:
        _save_model(found, folder)
        stock = _build_actor(folder, packed=False)
        _, padded = _compute_gradient(found, stock)
        stock.model.destroy()
        del stock
        actor.install_actor()
        attention.register_attention()
        ours = _build_actor(folder, packed=True)
    found.figure("attention", ours.model.module.config._attn_implementation)
    scores, packed = _compute_gradient(found, ours)
    found.figure("norm, packed / padded", float(packed.norm() / padded.norm()))
    cosine = float(torch.nn.functional.cosine_similarity(padded, packed, dim=0))
    found.figure("cosine", cosine)
    found.check("packed is padded", cosine > 0.999)
    found.check("in chunks", ours._masa_prepared)
    del padded, packed
    ours.model.step()
    _check_sleep(found, ours.model)
    again, _ = _compute_gradient(found, ours)
    found.check("the step was taken", bool((again != scores).any()))
    ours.model.step()


def _prepare_process(found: StepRecord) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ.update(
        RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )
    if found.device == "cpu":
        os.environ.update(DS_ACCELERATOR="cpu", TORCHDYNAMO_DISABLE="1")
    try:
        from masa_openrlhf.gpu.padding import load_flash_attn_user

        load_flash_attn_user()
        import openrlhf.models  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name is None:  # there, and broken
            raise
        raise MissingPackage(f"no {error.name}") from error
    if found.device == "cpu":  # it would be compiled
        import_module("deepspeed.comm.torch").build_shm_op = lambda: None  # type: ignore[attr-defined]


def _save_model(found: StepRecord, folder: str) -> None:
    import torch
    import transformers

    wide = (
        {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "head_dim": 8}
        if found.small
        else {"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28}
    )
    torch.manual_seed(1)
    config = transformers.Qwen3Config(
        vocab_size=96 if found.small else 151_936,
        num_attention_heads=4 if found.small else 16,
        num_key_value_heads=2 if found.small else 8,
        tie_word_embeddings=True,
        **{"head_dim": 128, **wide},
    )
    transformers.Qwen3ForCausalLM(config).bfloat16().save_pretrained(folder)


def _build_actor(folder: str, *, packed: bool) -> Any:
    import deepspeed
    from openrlhf.models import Actor

    config = {
        "train_micro_batch_size_per_gpu": 4,
        "zero_optimization": {"stage": 3, "reduce_scatter": True},
        "bf16": {"enabled": True},
        "data_types": {"grad_accum_dtype": "fp32"},
        "optimizer": {"type": "AdamW", "params": {"lr": 1e-3, "weight_decay": 0.0}},
    }
    made = Actor(
        folder,
        attn_implementation="flash_attention_2" if packed else "sdpa",
        ds_config=config,
        packing_samples=packed,
    )
    made.gradient_checkpointing_enable()
    made.model, *_ = deepspeed.initialize(
        model=made.model, model_parameters=made.model.parameters(), config=config
    )
    return made


def _compute_gradient(found: StepRecord, made: Any) -> tuple[Any, Any]:
    import deepspeed
    import torch

    longest = 20 if found.small else 1024
    lengths = torch.tensor([longest, longest // 2, longest // 3, 5])
    torch.manual_seed(0)
    mask = (torch.arange(longest)[None] < lengths[:, None]).long()
    high = made.model.module.config.vocab_size
    ids = torch.randint(1, high, (4, longest)) * mask
    ids, mask = ids.to(found.device), mask.to(found.device)
    made.train()
    scores, _ = made(ids, mask[:, 1:], mask, return_output=True)
    made.model.backward((scores * torch.linspace(-1, 1, longest - 1, device=found.device)).sum())
    parts = [
        deepspeed.utils.safe_get_full_grad(p).flatten().float()
        for p in made.model.module.parameters()
    ]
    return scores.detach(), torch.cat(parts)


def _check_sleep(found: StepRecord, engine: Any) -> None:
    import torch
    from deepspeed.runtime.zero.offload_config import OffloadDeviceEnum

    cuda = found.device == "cuda"
    (state, *_) = engine.optimizer.optimizer.state.values()
    before = state["exp_avg"].clone()
    held = torch.cuda.memory_allocated() if cuda else 0
    with found.timed("to sleep, s"):
        engine.offload_states(device=OffloadDeviceEnum.cpu, pin_memory=cuda)
    found.check("moments sleep on the host", state["exp_avg"].device.type == "cpu")
    if cuda:
        freed = held - torch.cuda.memory_allocated()
        # Weights in bfloat16 and float32, two moments, gradients in float32.
        states = 18 * sum(getattr(p, "ds_numel", p.numel()) for p in engine.module.parameters())
        found.figure("states, GiB", states / 2**30)
        found.figure("given back, GiB", freed / 2**30)
        found.check("the states are given back", freed > 0.9 * states)
    with found.timed("to wake, s"):
        engine.reload_states()
    found.check("moments are as they were", bool((state["exp_avg"] == before).all()))


if __name__ == "__main__":
    run_script(check_zero3)
