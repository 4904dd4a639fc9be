"""Do the fused AdamW's states leave the card, come back, and go on as if they had stayed?"""

from __future__ import annotations

from typing import Any

from masa_benchmarks.gpu.step import StepRecord, run_script


def offload_moments(optimizer: Any, device: str) -> None:
    """Take the moments off the card, as DeepSpeed's ``offload_adam_states`` does."""
    import torch

    for state in optimizer.state.values():
        for key in ("exp_avg", "exp_avg_sq"):
            buffer = torch.empty_like(state[key], device="cpu")
            state[f"{key}_offload_buffer"] = buffer.pin_memory() if device == "cuda" else buffer
            state[f"{key}_offload_buffer"].copy_(state[key])
            state[key].data = state[f"{key}_offload_buffer"]


def reload_moments(optimizer: Any, device: str) -> None:
    """Bring them back, as its ``reload_adam_states`` does; the buffers go."""
    for state in optimizer.state.values():
        for key in ("exp_avg", "exp_avg_sq"):
            state[key].data = state.pop(f"{key}_offload_buffer").to(device)


def check_adam(found: StepRecord) -> None:
    """Against torch's AdamW that stays where it is; a checkpoint without "fused" as well."""
    import torch
    from masa_openrlhf.gpu.adam import make_fused_adam

    size = 1000 if found.small else 256 * 2**20
    torch.manual_seed(0)
    start = torch.randn(size, device=found.device)
    ours, stays = (torch.nn.Parameter(start.clone()) for _ in range(2))
    mine = make_fused_adam()([ours], lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)
    other = torch.optim.AdamW([stays], lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, foreach=False)
    for step in range(4):
        gradient = torch.randn(size, device=found.device)
        ours.grad, stays.grad = gradient, gradient.clone()
        mine.step()
        other.step()
        if step == 1:
            _check_round_trip(found, mine)
        if step == 2:
            saved = mine.state_dict()
            for group in saved["param_groups"]:
                group.pop("fused")
            mine.load_state_dict(saved)
    off = float((ours - stays).norm() / (ours - start).norm())
    found.figure("relative difference of the updates", off)
    found.check("the same updates", off < 1e-4)
    found.check("still fused", all(group["fused"] for group in mine.param_groups))


def _check_round_trip(found: StepRecord, optimizer: Any) -> None:
    import torch

    (state,) = optimizer.state.values()
    held = torch.cuda.memory_allocated() if found.device == "cuda" else 0
    with found.timed("off the card, s"):
        offload_moments(optimizer, found.device)
    found.check("moments are on the host", state["exp_avg"].device.type == "cpu")
    if found.device == "cuda":
        freed = held - torch.cuda.memory_allocated()
        found.figure("freed, GiB", freed / 2**30)
        found.check("both moments were freed", freed >= 2 * state["exp_avg"].nbytes * 0.99)
    with found.timed("back, s"):
        reload_moments(optimizer, found.device)
    found.check("moments are back", state["exp_avg"].device.type == found.device)


if __name__ == "__main__":
    run_script(check_adam)
