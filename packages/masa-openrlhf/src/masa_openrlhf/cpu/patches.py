"""Put right what OpenRLHF and DeepSpeed take for granted of CUDA, in this process.

Each line below stands for one such assumption; ``tests/masa_openrlhf/test_contract.py`` fails with
its name when a version of the stack moves it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

from masa_openrlhf.cpu import bfloat16
from masa_openrlhf.cpu.variables import CPU_VARIABLE
from masa_openrlhf.gpu.padding import load_flash_attn_user
from masa_openrlhf.run import loopback

_done = False


def is_active() -> bool:
    """Whether this process belongs to a CPU run."""
    return os.environ.get(CPU_VARIABLE) == "1"


def activate() -> None:
    """Make OpenRLHF importable and usable without a GPU; nothing outside a CPU run.

    Call before the first import of ``openrlhf.models`` or ``openrlhf.trainer``. A second call does
    nothing.
    """
    global _done
    if _done or not is_active():
        return
    _done = True
    bfloat16.widen_products()
    _patch_devices()
    load_flash_attn_user()
    loopback.bind_stores()
    _patch_device_mesh()
    _patch_optimizer()
    _patch_weight_sync()


class _CpuDevice(str):
    """Says "cpu" wherever a device is wanted, "0" inside ``f"cuda:{...}"``."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return "0"


def _patch_devices() -> None:
    """``torch.cuda.current_device()`` and its like are called without asking for a GPU first."""
    import torch

    torch.cuda.current_device = lambda: _CpuDevice("cpu")
    for name in ("set_device", "synchronize", "empty_cache", "current_stream"):
        setattr(torch.cuda, name, _make_noop())


def _make_noop() -> Callable[..., None]:
    """A new function each time: torch keeps one rule a function object."""
    return lambda *_, **__: None


def _patch_device_mesh() -> None:
    """The strategy builds its mesh on "cuda", by name."""
    import openrlhf.utils.deepspeed.deepspeed as strategy

    build = strategy.init_device_mesh
    strategy.init_device_mesh = lambda _, *args, **kwargs: build("cpu", *args, **kwargs)


def _patch_optimizer() -> None:
    """DeepSpeed would compile its Adam, and a shared-memory op, with a C++ compiler.

    torch's AdamW takes the same arguments and needs none.
    """
    from openrlhf.utils.deepspeed import DeepspeedStrategy

    # Not "import deepspeed.comm.torch as comm": deepspeed.comm holds torch itself by that name.
    comm = import_module("deepspeed.comm.torch")

    configure = DeepspeedStrategy.get_ds_train_config

    def with_torch_adam(
        self: Any, optim_dict: dict[str, Any] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        if optim_dict and optim_dict["type"] == "AdamW":
            optim_dict["params"]["torch_adam"] = True
        return configure(self, optim_dict, **kwargs)

    DeepspeedStrategy.get_ds_train_config = with_torch_adam
    comm.build_shm_op = lambda: None  # type: ignore[attr-defined]


def _patch_weight_sync() -> None:
    """Weights go to vLLM over NCCL; here over a private gloo group."""
    import openrlhf.trainer.ray.ppo_actor as actor

    from masa_openrlhf.cpu.gloo import GlooBroadcast

    def over_gloo(address: str, port: int, rank: int, world_size: int, _: Any) -> GlooBroadcast:
        return GlooBroadcast(address, port, rank, world_size)

    actor.stateless_init_process_group = over_gloo
