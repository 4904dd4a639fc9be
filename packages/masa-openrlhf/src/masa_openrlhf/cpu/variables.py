"""Variables that every process of a CPU run must see before it imports the stack."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from masa_openrlhf.run.loopback import list_loopback_variables

CPU_VARIABLE = "MASA_OPENRLHF_CPU"


def environment(cache: Path, threads: int = 1) -> dict[str, str]:
    """Return the variables of a CPU run on this machine alone.

    Args:
        cache, threads: as in ``build_worker_variables``.
    """
    return {
        **build_worker_variables(cache, threads),
        **list_loopback_variables(),
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")]),
        # All workers are started ahead, at once, and kept until they are wanted.
        "RAY_worker_maximum_startup_concurrency": "64",
        "RAY_idle_worker_killing_time_threshold_ms": "3600000",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DISABLE_DOCKER_CPU_WARNING": "1",
    }


def build_worker_variables(cache: Path, threads: int = 1) -> dict[str, str]:
    """Return those of a worker on any machine.

    Args:
        cache: folder under which compiled leftovers go.
        threads: of each process that computes (``choose_threads``).
    """
    return {
        CPU_VARIABLE: "1",
        "OMP_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
        "DS_ACCELERATOR": "cpu",
        # Compiling for one small model takes longer than running it.
        "TORCHDYNAMO_DISABLE": "1",
        "TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor"),
        "TRITON_CACHE_DIR": str(cache / "triton"),
        "VLLM_CACHE_ROOT": str(cache / "vllm"),
        "VLLM_TARGET_DEVICE": "cpu",
        "VLLM_CPU_KVCACHE_SPACE": os.environ.get("VLLM_CPU_KVCACHE_SPACE", "1"),  # GiB
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        # Keeps vLLM's single-process executor, as OpenRLHF asks for it.
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "RAY_DEDUP_LOGS": "0",
    }


def build_engine_arguments(tensor_parallel: int = 1) -> dict[str, Any]:
    """Return vLLM's arguments of a CPU run, over those OpenRLHF gives it.

    Args:
        tensor_parallel: workers of the engine, at least 1.
    """
    # The workers of a tensor-parallel engine are its children: vLLM has Ray place none on CPUs.
    workers = {"distributed_executor_backend": "mp"} if tensor_parallel > 1 else {}
    return {
        **workers,
        "worker_extension_cls": "masa_openrlhf.cpu.worker.CpuWorker",
        # A seeded request whose prompt is read in pieces fails here: vLLM winds the generator back,
        # and a CPU's cannot be.
        "enable_chunked_prefill": False,
        # A step's overhead is much larger than its arithmetic: fewer, larger batches.
        "max_num_seqs": 512,
    }
