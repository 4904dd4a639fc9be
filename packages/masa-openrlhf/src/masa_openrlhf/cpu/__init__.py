"""The whole stack on a machine without a GPU.

OpenRLHF, Ray, vLLM and DeepSpeed run here as published, no file of theirs is touched. What they
take for granted of CUDA is put right in each process of a run, and only there:

- ``variables``: those that every process must see before it imports torch, vllm or deepspeed;
- ``patches``: what ``activate`` puts right, called before our Ray actors import OpenRLHF;
- ``threads``: how many each process computes with;
- ``bfloat16``: products in float32 where the CPU has no instructions for bfloat16;
- ``linear``: products with weights that change, inside vLLM;
- ``sampling``: how vLLM draws tokens of a large vocabulary;
- ``preload``: what Ray's workers import while the driver is busy;
- ``worker``: the extension that receives weights inside a vLLM worker;
- ``limits``: what a CPU cannot do, refused before anything starts.

Ray is told of as many GPUs as the run has ranks and engines; they exist on paper only.
"""

from masa_openrlhf.cpu.bfloat16 import widen_products
from masa_openrlhf.cpu.limits import refuse_unsupported
from masa_openrlhf.cpu.patches import activate, is_active
from masa_openrlhf.cpu.sampling import install_sampler
from masa_openrlhf.cpu.threads import choose_threads, count_cores
from masa_openrlhf.cpu.variables import (
    build_engine_arguments,
    build_worker_variables,
    environment,
)

PRELOAD_MODULE = "masa_openrlhf.cpu.preload"
"""What Ray's workers import ahead."""

__all__ = [
    "PRELOAD_MODULE",
    "activate",
    "build_engine_arguments",
    "build_worker_variables",
    "choose_threads",
    "count_cores",
    "environment",
    "install_sampler",
    "is_active",
    "refuse_unsupported",
    "widen_products",
]
