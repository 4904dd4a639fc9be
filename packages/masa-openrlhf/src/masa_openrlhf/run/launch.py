"""Start OpenRLHF's own training script with our classes in the places of its own.

This is the process that everything of a run hangs on: it makes ready what the run needs, brings
Ray up, and hands over. All that it and its children print goes to the run's log; ``supervise``
watches it from outside.
"""

from __future__ import annotations

import argparse
import importlib
import os
import runpy
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from masa_openrlhf import cpu, gpu
from masa_openrlhf.arguments.build import TRAINING_SCRIPT, build_arguments
from masa_openrlhf.arguments.parse import parse_arguments
from masa_openrlhf.cache import find_cache_home
from masa_openrlhf.config.layers import read_saved_config
from masa_openrlhf.config.sections import DataConfig
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.data.problems import (
    LoadedProblems,
    drop_long_problems,
    load_problems,
    write_problems,
)
from masa_openrlhf.gpu.cluster import find_cluster_card, require_gpus
from masa_openrlhf.model.source import prepare_model
from masa_openrlhf.plan.command import require_fit
from masa_openrlhf.run import loopback
from masa_openrlhf.run.devices import is_on_one_machine, runs_on_cpu
from masa_openrlhf.run.folder import TOLD_TO_END, RunFolder, write_atomically
from masa_openrlhf.run.processes import die_with_parent
from masa_openrlhf.run.ray_cluster import refuse_open_cluster
from masa_openrlhf.run.temporary import RAY_FOLDER
from masa_openrlhf.run.wandb_login import find_run_key


class _ActorWithArguments:
    """A Ray actor class whose instances get more keyword arguments than OpenRLHF knows of."""

    def __init__(self, actor: Any, **arguments: Any) -> None:
        self._actor, self._arguments = actor, arguments

    def options(self, **options: Any) -> _ActorWithArguments:
        return _ActorWithArguments(self._actor.options(**options), **self._arguments)

    def remote(self, *args: Any, **kwargs: Any) -> Any:
        return self._actor.remote(*args, **kwargs, **self._arguments)


def launch_run(folder: RunFolder, config: TrainConfig, *, resume: bool) -> None:
    """Train, in this process and in those it starts.

    Args:
        folder: the run's folder.
        config: the resolved configuration.
        resume: go on from the last checkpoint in the folder.

    Raises:
        DataError: the problems cannot be used.
        OpenRLHFArgumentError: OpenRLHF refuses its arguments.
        ResourceError: the Ray cluster has too few GPUs.
        DoesNotFitError: the run cannot fit its GPUs.
        ModelError: a GGUF file cannot be converted.
        ValueError: something is asked for that a CPU cannot do.
    """
    on_cpu = runs_on_cpu(config)
    if is_on_one_machine(config) and not loopback.is_active():
        raise RuntimeError("a run is started by `masa-openrlhf train`, which keeps it to loopback")
    if on_cpu:
        threads = cpu.choose_threads(config.model.path, max(config.world_size, config.engines))
        os.environ.update({**_RAY_VARIABLES, **cpu.environment(find_cache_home(), threads)})
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)  # empty, it would hide the paper GPUs
    named = load_named_problems(config)  # what is wrong with them is said before anything starts
    folder.event("starting", what="Ray")
    _start_ray(config, on_cpu=on_cpu)
    if not on_cpu:
        require_gpus(config, folder)
        if config.cluster.check_memory and not is_on_one_machine(config):
            require_fit(config, find_cluster_card())
    config = prepare_run(folder, config, named, resume=resume)
    outlive_sigterm()  # again: Ray has put its own handler in the place of ours
    if resume:
        folder.drop_unfinished_checkpoints()
    argv = build_arguments(config, folder, cpu=on_cpu, resume=resume)
    command = " \\\n  ".join([TRAINING_SCRIPT, *argv]) + "\n"
    write_atomically(folder.path / "openrlhf.txt", command, private=True)
    if on_cpu:
        cpu.refuse_unsupported(parse_arguments(argv))
    folder.event("starting", what="the stack")
    _place_actors(folder, config)
    folder.event("starting", what="vLLM and DeepSpeed")
    sys.argv = [TRAINING_SCRIPT, *argv]
    runpy.run_module(TRAINING_SCRIPT, run_name="__main__", alter_sys=True)
    folder.event("finished")


# -- what a run needs ------------------------------------------------------------------------------


def load_named_problems(config: TrainConfig) -> dict[str, LoadedProblems]:
    """Read the problems that the configuration names, by split.

    Raises:
        DataError: they cannot be used.
    """
    sources = {"train": config.data.train, "eval": config.data.eval}
    return {split: load_problems(s, config.data) for split, s in sources.items() if s is not None}


def prepare_run(
    folder: RunFolder, config: TrainConfig, named: dict[str, LoadedProblems], *, resume: bool
) -> TrainConfig:
    """Make the tiny model and its problems where none are named; write the problems.

    A tiny model is copied into the run's folder, and the configuration there names the copy: the
    run can be gone on with whatever has become of the cache, or of the code that made it.

    Returns:
        The configuration, with the model's path filled in.
    """
    config = _prepare_named_model(folder, config)
    if resume and (folder.data / "train.jsonl").exists() and config.model.path is not None:
        return config
    problems = dict(named)
    if config.model.path is None or config.data.train is None:
        assets = _prepare_tiny(folder, config)
        if config.model.path is None:
            shutil.copytree(assets.model_dir, folder.first_model, dirs_exist_ok=True)
            model = config.model.model_copy(update={"path": str(folder.first_model)})
            config = config.model_copy(update={"model": model})
            folder.write_config(config)
        if config.data.train is None:
            made = {"train": assets.train_file, "eval": assets.eval_file}
            problems = {s: load_problems(str(f), DataConfig()) for s, f in made.items()} | problems
    folder.event("preparing", what="the problems")
    length = _make_length_function(config)
    for split, loaded in sorted(problems.items()):  # "train" last: with it, all are there
        _write_split(
            folder, split, drop_long_problems(loaded, length, config.data.prompt_max_tokens)
        )
    return config


def _prepare_named_model(folder: RunFolder, config: TrainConfig) -> TrainConfig:
    """Convert a GGUF file; the run's own configuration goes on naming the file."""
    if config.model.path is None:
        return config

    def progress(what: str) -> None:
        folder.event("preparing", what="the model", detail=what)

    path = prepare_model(config.model.path, find_cache_home(), progress)
    model = config.model.model_copy(update={"path": path})
    return config.model_copy(update={"model": model})


def _prepare_tiny(folder: RunFolder, config: TrainConfig) -> Any:
    from masa_openrlhf import tiny

    def progress(share: float, message: str) -> None:
        folder.event("preparing", what="the tiny model", detail=message, share=share)

    return tiny.prepare_assets(
        find_cache_home() / "tiny",
        seed=config.tiny.seed,
        problems=config.tiny.problems,
        held_out=config.tiny.held_out,
        progress=progress,
    )


def _make_length_function(config: TrainConfig) -> Callable[[Any], int]:
    import transformers

    from masa_openrlhf.data.prompts import PromptEncoder

    tokenizer = transformers.AutoTokenizer.from_pretrained(config.model.path)
    return PromptEncoder(tokenizer, config).longest


def _write_split(folder: RunFolder, name: str, loaded: LoadedProblems) -> None:
    write_problems(loaded.problems, folder.data / f"{name}.jsonl")
    folder.event("problems", split=name, count=len(loaded.problems), left_out=dict(loaded.left_out))


# -- Ray -------------------------------------------------------------------------------------------


# As OpenRLHF's script sets them when it starts Ray itself.
_RAY_VARIABLES = {
    "TOKENIZERS_PARALLELISM": "true",
    "NCCL_DEBUG": "WARN",
    "RAY_ENABLE_ZERO_COPY_TORCH_TENSORS": "1",
}


def _start_ray(config: TrainConfig, *, on_cpu: bool) -> None:
    """Join the cluster that RAY_ADDRESS names, or start Ray on this machine.

    What it writes goes into this process's temporary folder, which ``supervise`` made for it. Ray
    opens its own folder to everybody: it is one within, so that nobody gets there.
    """
    import ray

    variables = {name: os.environ.get(name, value) for name, value in _RAY_VARIABLES.items()}
    variables |= gpu.environment()
    if not is_on_one_machine(config):
        ray.init(runtime_env={"env_vars": variables})
        if not config.cluster.open_ray:
            refuse_open_cluster(ray.get_runtime_context().gcs_address)
        return
    local: dict[str, Any] = {
        "address": "local",
        "include_dashboard": False,
        "_temp_dir": os.path.join(tempfile.gettempdir(), RAY_FOLDER),
    }
    if not on_cpu:
        hook = "masa_openrlhf.run.loopback.bind_stores"
        ray.init(runtime_env={"env_vars": variables, "worker_process_setup_hook": hook}, **local)
        return
    ranks = config.world_size + config.engines
    ray.init(
        num_gpus=ranks,  # on paper: OpenRLHF places its actors by GPUs
        num_cpus=ranks + 1,  # as many workers are started ahead: those, and the trainer
        object_store_memory=256 << 20,
        # The variables are in this process's environment, which Ray's processes inherit: with a
        # runtime_env, no worker would be started ahead.
        _system_config={"preload_python_modules": [cpu.PRELOAD_MODULE]},
        **local,
    )


def _place_actors(folder: RunFolder, config: TrainConfig) -> None:
    """Put our actor classes where OpenRLHF's script, and its helpers, look its own up."""
    importlib.import_module("masa_openrlhf.stack")  # makes the process ready, before OpenRLHF

    import openrlhf.trainer.ppo_trainer as trainer
    import openrlhf.trainer.ray.launcher as reference
    import openrlhf.trainer.ray.ppo_actor as policy
    import openrlhf.trainer.ray.vllm_engine as engine

    from masa_openrlhf.stack.policy import PolicyRayActor
    from masa_openrlhf.stack.reference import ReferenceRayActor
    from masa_openrlhf.stack.rollout import RolloutActor
    from masa_openrlhf.stack.trainer import TrainerRayActor

    trainer.PPOTrainer = _ActorWithArguments(
        TrainerRayActor, masa=config, folder=folder, wandb_key=find_run_key(config)
    )
    policy.PolicyModelActor = _ActorWithArguments(PolicyRayActor, masa=config)
    engine.RolloutRayActor = _ActorWithArguments(RolloutActor, masa=config)
    reference.ReferenceModelActor = ReferenceRayActor


def _has_ended_as_told(folder: RunFolder) -> bool:
    """Whether the trainer has left OpenRLHF's script, its checkpoint written, as it was told to."""
    last = folder.events()[-1:]
    return [(e["event"], e.get("reason")) for e in last] == [("trained", TOLD_TO_END)]


def outlive_sigterm() -> None:
    """End by SIGTERM only where the parent, who supervises the run, is gone.

    Whoever ends a job may send it to every process of it (``ray job stop`` does), and the parent
    asks the trainer for a checkpoint then, which needs this process. It ends this one by SIGINT.
    """
    parent = os.getppid()
    signal.signal(signal.SIGTERM, lambda *_: None if os.getppid() == parent else sys.exit(143))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(143))  # a shell's background job ignores it
    die_with_parent()


def main(argv: list[str] | None = None) -> None:
    """Entry point of the process that ``supervise`` starts."""
    parser = argparse.ArgumentParser(prog="python -m masa_openrlhf.run.launch")
    parser.add_argument("folder", type=Path, help="a run's folder, with its config.json")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args(argv)
    outlive_sigterm()
    config = read_saved_config((options.folder / "config.json").read_text("utf-8"))
    folder = RunFolder(options.folder, sample_episodes=config.log.episodes)
    try:
        launch_run(folder, config, resume=options.resume)
    except Exception as error:
        if _has_ended_as_told(folder):
            return
        folder.event("failed", error=type(error).__name__, message=str(error)[-2000:])
        raise


if __name__ == "__main__":
    main()
