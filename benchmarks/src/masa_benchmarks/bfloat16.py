"""How long bfloat16 products of a small model take on this CPU: torch's own, and in float32."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from masa_openrlhf.cpu.bfloat16 import has_native_bfloat16, wrap_in_float32

ROUNDS = 7


def time_product(
    product: Callable[..., Any], tensors: Sequence[torch.Tensor], **kwargs: Any
) -> float:
    """Return how long a product and its gradients take."""
    began = time.perf_counter()
    product(*tensors, **kwargs).sum().backward()
    return time.perf_counter() - began


def compare_products(
    product: Callable[..., Any], tensors: Sequence[torch.Tensor], **kwargs: Any
) -> str:
    """Time both ways by turns; say the medians, and the ratio with its range."""
    wide = wrap_in_float32(product)
    pairs = [
        (time_product(product, tensors, **kwargs), time_product(wide, tensors, **kwargs))
        for _ in range(ROUNDS + 1)
    ]
    own, ours = zip(*pairs[1:], strict=True)  # the first one warms up
    ratios = sorted(a / b for a, b in pairs[1:])
    return (
        f"{statistics.median(own) * 1e3:8.1f} ms  {statistics.median(ours) * 1e3:8.1f} ms  "
        f"{statistics.median(ratios):6.1f}x ({ratios[0]:.1f} to {ratios[-1]:.1f})"
    )


def main() -> None:
    """Print a row for a linear layer and one for attention, of 32 sequences of 180 tokens."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(
        f"{torch.backends.cpu.get_cpu_capability()}; bfloat16 is fast here: {has_native_bfloat16()}"
    )
    print(f"{'':22}{'torch':>11}  {'float32':>11}  {'ratio':>7} (of {ROUNDS} rounds)")
    for width in (64, 256):
        x = torch.randn(32, 180, width, dtype=torch.bfloat16, requires_grad=True)
        w = torch.randn(width, width, dtype=torch.bfloat16, requires_grad=True)
        print(f"{f'linear, {width} wide':22}{compare_products(torch.nn.functional.linear, (x, w))}")
    q = torch.randn(32, 4, 180, 16, dtype=torch.bfloat16, requires_grad=True)
    attention = torch.nn.functional.scaled_dot_product_attention
    print(f"{'attention, 4 heads':22}{compare_products(attention, (q, q, q), is_causal=True)}")


if __name__ == "__main__":
    main()
