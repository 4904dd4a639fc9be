"""Receives weights inside a vLLM worker on a CPU: the calls of OpenRLHF's extension, over gloo.

Importing this module (vLLM does, by name, before it loads a model) also has linear layers keep
their weights: see ``linear``.
"""

from __future__ import annotations

from typing import Any

import torch
import vllm.model_executor.layers.utils as layers

from masa_openrlhf.cpu import bfloat16
from masa_openrlhf.cpu.gloo import GlooBroadcast
from masa_openrlhf.cpu.linear import forget_packed, keep_weights
from masa_openrlhf.cpu.sampling import install_sampler
from masa_openrlhf.weights.digest import ParameterDigest
from masa_openrlhf.weights.shards import digest_shard

bfloat16.widen_products()
install_sampler()
layers.dispatch_cpu_unquantized_gemm = keep_weights


class CpuWorker:
    """Runs inside each vLLM worker process, on a CPU."""

    model_runner: Any
    model_config: Any

    def init_process_group(
        self,
        master_address: str,
        master_port: int,
        rank_offset: int,
        world_size: int,
        group_name: str,
        backend: str = "gloo",
        use_ray: bool = False,
    ) -> None:
        """Join the group over which weights come."""
        rank = torch.distributed.get_rank() + rank_offset
        self._weights = GlooBroadcast(master_address, master_port, rank, world_size)

    def update_weight(
        self, name: str, dtype: torch.dtype, shape: torch.Size, empty_cache: bool = False
    ) -> None:
        """Receive one parameter and load it.

        Raises:
            TypeError: the policy's dtype is not the engine's.
        """
        if dtype != self.model_config.dtype:
            raise TypeError(f"{name} comes as {dtype}, the engine holds {self.model_config.dtype}")
        weight = torch.empty(shape, dtype=dtype)
        self._weights.broadcast(weight)
        model = self.model_runner.model
        model.load_weights(weights=[(name, weight)])
        forget_packed(model)

    def weight_digest(self) -> dict[str, ParameterDigest]:
        """Return this worker's share of every parameter's digest, by vLLM's names."""
        return digest_shard(self.model_runner.model)
