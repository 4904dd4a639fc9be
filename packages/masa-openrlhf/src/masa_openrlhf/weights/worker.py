"""What OpenRLHF's extension of the vLLM worker does, quietly, and a digest of the weights."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from openrlhf.trainer.ray.vllm_worker_wrap import WorkerWrap

from masa_openrlhf.weights.digest import ParameterDigest
from masa_openrlhf.weights.shards import digest_shard


class GpuWorker(WorkerWrap):
    """Runs inside each vLLM worker process, on a GPU.

    OpenRLHF prints a line a parameter and engine each time weights are sent: a million lines of a
    run's log. They are dropped; an error goes up as ever.
    """

    model_runner: Any

    def update_weight(self, *args: Any, **kwargs: Any) -> None:
        """Receive a parameter over NCCL."""
        with contextlib.redirect_stdout(io.StringIO()):
            super().update_weight(*args, **kwargs)

    def update_weight_cuda_ipc(self, *args: Any, **kwargs: Any) -> None:
        """Take a parameter from the policy's memory on the same GPU."""
        with contextlib.redirect_stdout(io.StringIO()):
            super().update_weight_cuda_ipc(*args, **kwargs)

    def weight_digest(self) -> dict[str, ParameterDigest]:
        """Return this worker's share of every parameter's digest, by vLLM's names."""
        return digest_shard(self.model_runner.model)
