"""Variables that every process of a GPU run must see; the user's are left as they are."""

from __future__ import annotations

import os


def environment() -> dict[str, str]:
    """Return the variables of a GPU run, for training and evaluation."""
    return {
        # vLLM's default sampler is compiled by nvcc when an engine starts, where log-probabilities
        # are not asked for after top-k and top-p. Its own, in torch and Triton, needs none.
        "VLLM_USE_FLASHINFER_SAMPLER": os.environ.get("VLLM_USE_FLASHINFER_SAMPLER", "0"),
    }
