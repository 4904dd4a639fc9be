"""Stock OpenRLHF's training script on a CPU: python -m tests.integrations.openrlhf_steps FLAGS...

Its actors are its own; they only get what `masa_openrlhf.cpu` puts right where there is no GPU.
"""

from __future__ import annotations

import os
import runpy
import sys

from masa_openrlhf import cpu
from masa_openrlhf.arguments.build import TRAINING_SCRIPT
from masa_openrlhf.arguments.parse import parse_arguments
from masa_openrlhf.cache import find_cache_home

os.environ.update(cpu.environment(find_cache_home()), RAY_ENABLE_UV_RUN_RUNTIME_ENV="0")
os.environ.pop("CUDA_VISIBLE_DEVICES", None)


def start_ray():
    import ray

    ray.init(
        address="local",
        num_gpus=2,  # on paper: a policy and an engine
        num_cpus=3,
        object_store_memory=256 << 20,
        include_dashboard=False,
        _system_config={"preload_python_modules": [cpu.PRELOAD_MODULE]},
        _node_ip_address="127.0.0.1",
    )


def make_cpu_actor():
    """Stock's rollout actor, with vLLM's settings for a CPU."""
    import ray
    from openrlhf.trainer.ray.vllm_engine import RolloutRayActor

    stock = RolloutRayActor.__ray_metadata__.modified_class

    class Actor(stock):
        async def __init__(self, *args, **kwargs):
            await super().__init__(*args, **(kwargs | cpu.build_engine_arguments()))

    return ray.remote(Actor)


def main(*arguments):
    start_ray()
    cpu.refuse_unsupported(parse_arguments(list(arguments)))
    cpu.activate()
    import openrlhf.trainer.ray.vllm_engine as module

    module.RolloutRayActor = make_cpu_actor()
    sys.argv = [TRAINING_SCRIPT, *arguments]
    runpy.run_module(TRAINING_SCRIPT, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
