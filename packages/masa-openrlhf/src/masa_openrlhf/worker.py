"""What OpenRLHF's extension of the vLLM worker does, and a digest of the weights beside it."""

from __future__ import annotations

from typing import Any

from openrlhf.trainer.ray.vllm_worker_wrap import WorkerWrap

from masa_openrlhf.digest import Digest, digest


class Worker(WorkerWrap):
    """Runs inside each vLLM worker process, on a GPU."""

    model_runner: Any

    def weight_digest(self) -> dict[str, Digest]:
        """Return the digest of every parameter, by vLLM's names."""
        return {name: digest(p) for name, p in self.model_runner.model.named_parameters()}
