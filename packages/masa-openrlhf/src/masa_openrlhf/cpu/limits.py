"""What a CPU cannot do, beyond what no run can (``refusals``), said before anything starts."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable

_Check = tuple[Callable[[Namespace], bool], str]

_UNSUPPORTED: tuple[_Check, ...] = (
    (
        lambda a: bool(a.ds.packing_samples or a.train.dynamic_batch_enable),
        "packed sequences are for GPUs: set cluster.pack = false",
    ),
    (
        lambda a: "flash" in a.ds.attn_implementation,
        "flash attention is for GPUs: set model.attention = 'sdpa' or 'eager'",
    ),
    (lambda a: a.ds.deepcompile, "DeepCompile needs CUDA: drop ds.deepcompile"),
    (lambda a: a.ds.adam_offload, "there is no device to offload from: drop ds.adam_offload"),
    (
        lambda a: a.vllm.sync_backend != "gloo" or a.vllm.sync_with_ray,
        "weights go to vLLM over gloo: set vllm.sync_backend gloo, drop vllm.sync_with_ray",
    ),
    (
        lambda a: a.vllm.enable_sleep or a.ds.enable_sleep,
        "there is no GPU memory to give back: drop vllm.enable_sleep and ds.enable_sleep",
    ),
)


def refuse_unsupported(args: Namespace) -> None:
    """Check OpenRLHF's parsed arguments for what a CPU cannot do.

    Raises:
        ValueError: names every such setting, and what to set instead.
    """
    found = [message for unsupported, message in _UNSUPPORTED if unsupported(args)]
    if found:
        raise ValueError("not possible on a CPU:\n" + "\n".join(f"  - {line}" for line in found))
