"""How copies of the model are started on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from masa_openrlhf import gpu
from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.engine.messages import StartMessage
from masa_openrlhf.eval.engine.model_source import ModelSource
from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.run.loopback import list_loopback_variables


class EngineStart(NamedTuple):
    """What a copy is started with.

    Attributes:
        arguments: of vLLM's EngineArgs.
        environment: variables that it must see before it imports vLLM; one dict a copy.
        asked_as: the configuration prompts are encoded by.
        chat_if_any: put prompts in chat form where the tokenizer has one, whatever that says.
    """

    arguments: dict[str, Any]
    environment: list[dict[str, str]]
    asked_as: dict[str, Any]
    chat_if_any: bool

    def message(self, environment: dict[str, str]) -> StartMessage:
        """Return the message that starts one copy."""
        return StartMessage(**{**self._asdict(), "environment": environment})


def build_engine_start(
    model: ModelSource, config: EvaluationConfig, temporary: Path
) -> EngineStart:
    """Say how the copies are started on this machine.

    Args:
        model: what is evaluated.
        config: the settings.
        temporary: a folder for what vLLM leaves lying about.

    Raises:
        EvalError: more GPUs are wanted than the CPU build has.
        ModuleNotFoundError: no vLLM is installed.
    """
    from masa_openrlhf import cpu
    from masa_openrlhf.cache import find_cache_home
    from masa_openrlhf.run.devices import runs_on_cpu

    asked = model.asked_as.model_dump(mode="json")
    chat_if_any = config.chat_template is None and not model.trained
    arguments: dict[str, Any] = {
        "model": model.path,
        "max_model_len": config.engine.max_model_len,
        "seed": config.seed,
    }
    variables = {**list_loopback_variables(), "TMPDIR": str(temporary)}
    device = {"cluster": {**model.asked_as.cluster.model_dump(), "device": config.engine.device}}
    if runs_on_cpu(model.asked_as.model_copy(update={"cluster": _start_cluster(model, device)})):
        if config.tensor_parallel > 1:
            raise EvalError("tensor parallelism needs GPUs: set tensor_parallel = 1")
        ours = cpu.build_engine_arguments()
        arguments |= {key: ours[key] for key in ("enable_chunked_prefill", "max_num_seqs")}
        arguments["enforce_eager"] = True
        threads = cpu.choose_threads(model.path, config.data_parallel)
        shared = variables | cpu.environment(find_cache_home(), threads)
        environment = [shared] * config.data_parallel
        return EngineStart(arguments, environment, asked, chat_if_any)
    arguments["gpu_memory_utilization"] = config.engine.gpu_memory
    arguments["tensor_parallel_size"] = config.tensor_parallel
    devices = [variables | gpus for gpus in _assign_devices(config, os.environ)]
    return EngineStart(arguments, devices, asked, chat_if_any)


def _start_cluster(model: ModelSource, settings: Mapping[str, Any]) -> Any:
    return type(model.asked_as.cluster).model_validate(settings["cluster"])


def _assign_devices(config: EvaluationConfig, environ: Mapping[str, str]) -> list[dict[str, str]]:
    """Deal the visible GPUs out, ``tensor_parallel`` a copy.

    Raises:
        EvalError: CUDA_VISIBLE_DEVICES names fewer than are wanted.
    """
    wanted = config.data_parallel * config.tensor_parallel
    given = environ.get("CUDA_VISIBLE_DEVICES")
    visible = [str(i) for i in range(wanted)] if given is None else given.split(",")
    if len(visible) < wanted:
        raise EvalError(
            f"data_parallel {config.data_parallel} x tensor_parallel {config.tensor_parallel} "
            f"wants {wanted} GPUs, and CUDA_VISIBLE_DEVICES is {given!r}: lower one of them"
        )
    size = config.tensor_parallel
    return [
        {
            **gpu.environment(),
            "CUDA_VISIBLE_DEVICES": ",".join(visible[copy * size : (copy + 1) * size]),
        }
        for copy in range(config.data_parallel)
    ]
