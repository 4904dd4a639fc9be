"""Is torch's attention over packed sequences, as training uses it, that of each sequence alone?"""

from __future__ import annotations

from typing import Any

from masa_benchmarks.gpu.step import StepRecord, run_script


def reference_attention(query: Any, key: Any, value: Any, lengths: list[int]) -> Any:
    """Each sequence alone, in float32."""
    import torch

    parts, begin = [], 0
    for length in lengths:
        rows = slice(begin, begin + length)
        q, k, v = (x[:, :, rows].float() for x in (query, key, value))
        out = torch.nn.functional.scaled_dot_product_attention(
            q, k, v, is_causal=True, enable_gqa=True
        )
        parts.append(out.transpose(1, 2))
        begin += length
    return torch.cat(parts, dim=1)


def check_attention(found: StepRecord) -> None:
    """Values, gradients and time, in bfloat16 with the heads of Qwen3-8B."""
    import torch
    from masa_openrlhf.gpu.attention import compute_packed_attention

    lengths = [5, 1, 40, 18] if found.small else [1, 7, 513, 2048, 300, 4096, 129, 1098]
    heads, keys = (4, 2) if found.small else (32, 8)
    torch.manual_seed(0)
    leaves = [
        torch.randn(1, n, sum(lengths), 128, device=found.device, dtype=torch.bfloat16)
        .mul(0.5)
        .requires_grad_()
        for n in (heads, keys, keys)
    ]
    positions = torch.cat([torch.arange(n) for n in lengths])[None].to(found.device)
    pull = torch.randn(1, sum(lengths), heads, 128, device=found.device, dtype=torch.bfloat16)
    ours, _ = compute_packed_attention(None, *leaves, None, position_ids=positions)
    gradients = torch.autograd.grad(ours, leaves, pull)
    truth = reference_attention(*leaves, lengths)
    true_gradients = torch.autograd.grad(truth, leaves, pull.float())
    named = zip(
        ("values", "dq", "dk", "dv"),
        (ours, *gradients),
        (truth, *true_gradients),
        strict=True,
    )
    for name, mine, true in named:
        off = float((mine.float() - true.float()).norm() / true.float().norm())
        found.figure(f"{name}: relative difference", off)
        found.check(f"{name} within 1 % of float32", off < 0.01)
    for _ in range(3):  # the first calls of a shape choose kernels
        torch.autograd.grad(
            compute_packed_attention(None, *leaves, None, position_ids=positions)[0], leaves, pull
        )
    with found.timed("forward and backward, s"):
        out, _ = compute_packed_attention(None, *leaves, None, position_ids=positions)
        torch.autograd.grad(out, leaves, pull)


if __name__ == "__main__":
    run_script(check_attention)
