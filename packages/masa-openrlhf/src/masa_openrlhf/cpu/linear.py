"""Linear layers of vLLM on a CPU whose weights change: packed, and packed anew after an update.

vLLM's CPU build packs the weights of a layer at load and frees the originals: every later update
would fail, or be lost without a word. Plain products repack the weights at every call, which for
few tokens takes several times as long as the product. Here the originals stay, and the packed copy
is thrown away with each update and made again when the layer is next used.
"""

from __future__ import annotations

from typing import Any

import torch
from vllm import _custom_ops as ops

from masa_openrlhf.cpu import bfloat16

LARGE = 2**18
"""Elements of a weight from which on it is packed; below, packing saves nothing."""


class PackedLinear:
    """What a layer multiplies by.

    Args:
        layer: its ``weight`` is read again after ``forget``.
    """

    def __init__(self, layer: Any) -> None:
        self._layer = layer
        self._handler: Any = None

    def forget(self) -> None:
        """Take it that the weight has changed."""
        self._handler = None

    def __call__(self, x: torch.Tensor, weight: torch.Tensor, bias: Any) -> torch.Tensor:
        """Return x W^T + b, for the layer's weight as it is now."""
        if self._handler is None:
            self._handler = ops.create_onednn_mm(self._layer.weight.data.t(), 32)
        return ops.onednn_mm(self._handler, x, bias)


def keep_weights(layer: Any, remove_weight: bool) -> None:
    """Set what a layer multiplies by, in the place of vLLM's ``dispatch_cpu_unquantized_gemm``.

    Args:
        layer: of vLLM.
        remove_weight: whether vLLM would free the original; it stays.
    """
    weight = layer.weight
    packs = (
        weight.dtype == torch.bfloat16
        and weight.ndim == 2
        and weight.numel() >= LARGE
        and ops._supports_onednn
        and bfloat16.has_native_bfloat16()
    )
    layer.cpu_linear = PackedLinear(layer) if packs else torch.nn.functional.linear


def forget_packed(model: torch.nn.Module) -> None:
    """Have all layers of a model packed anew: some of its weights have changed."""
    for module in model.modules():
        packed = getattr(module, "cpu_linear", None)
        if isinstance(packed, PackedLinear):
            packed.forget()
