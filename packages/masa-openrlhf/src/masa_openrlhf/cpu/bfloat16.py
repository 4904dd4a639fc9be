"""Products of bfloat16 matrices on a CPU that has no instructions for them.

torch multiplies bfloat16 by oneDNN from AVX-512 on. On a CPU with AVX2 alone, as many laptops have,
it falls back on plain loops, many times slower (``python -m masa_benchmarks.bfloat16``). There the
same products are taken of the matrices in float32 and rounded once: what bfloat16 instructions do,
which add up in float32 too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def has_native_bfloat16() -> bool:
    """Whether torch has a fast way to multiply bfloat16 on this CPU."""
    import torch

    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError):  # a torch without oneDNN
        return False


def widen_products() -> None:
    """Have linear layers and attention multiply in float32 in this process, where it is faster.

    A second call does nothing.
    """
    import torch.nn.functional as functional

    if has_native_bfloat16() or hasattr(functional.linear, "__wrapped__"):
        return
    functional.linear = wrap_in_float32(functional.linear)
    functional.scaled_dot_product_attention = wrap_in_float32(
        functional.scaled_dot_product_attention
    )


def wrap_in_float32(product: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes its bfloat16 tensors in float32; its result is bfloat16 again.

    Gradients come in the dtype of what they are of.

    Args:
        product: of one tensor as its result. Called with no bfloat16 it is left alone.
    """
    import torch

    @functools.wraps(product)
    def wide(*args: Any, **kwargs: Any) -> Any:
        narrow = False

        def taken(value: Any) -> Any:
            nonlocal narrow
            if isinstance(value, torch.Tensor) and value.dtype == torch.bfloat16:
                narrow = True
                return value.float()
            return value

        args = tuple(map(taken, args))
        kwargs = {name: taken(value) for name, value in kwargs.items()}
        result = product(*args, **kwargs)
        return result.to(torch.bfloat16) if narrow else result

    return wide
