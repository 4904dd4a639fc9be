"""Start OpenRLHF's own training script with our classes in the places of its own.

This is the process that everything of a run hangs on: it makes ready what the run needs, brings
Ray up, and hands over. All that it and its children print goes to the run's log; ``supervise``
watches it from outside.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import os
import runpy
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from masa_openrlhf import cpu, gpu
from masa_openrlhf.arguments.build import TRAINING_SCRIPT, build_arguments
from masa_openrlhf.arguments.parse import parse_arguments
from masa_openrlhf.cache import find_cache_home
from masa_openrlhf.config.layers import read_saved_config
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.data.named import take_problems
from masa_openrlhf.gpu.cluster import find_cluster_card, require_gpus
from masa_openrlhf.nodes.join import join_cluster
from masa_openrlhf.nodes.members import place_here
from masa_openrlhf.nodes.variables import collect_secrets
from masa_openrlhf.nodes.watch import NodeWatch, name_lost_nodes
from masa_openrlhf.plan.command import require_fit
from masa_openrlhf.run import loopback
from masa_openrlhf.run.devices import is_on_one_machine, runs_on_cpu
from masa_openrlhf.run.files import write_atomically
from masa_openrlhf.run.folder import TOLD_TO_END, RunFolder
from masa_openrlhf.run.preparation import is_prepared, prepare_named_model, prepare_run
from masa_openrlhf.run.processes import die_with_parent
from masa_openrlhf.run.temporary import RAY_FOLDER
from masa_openrlhf.run.wandb_login import find_run_key


class _ActorWithArguments:
    """A Ray actor class whose instances get more keyword arguments than OpenRLHF knows of.

    Args:
        actor: the class.
        watch: is told of each instance, where there is one.
        **arguments: of every instance.
    """

    def __init__(self, actor: Any, watch: NodeWatch | None = None, **arguments: Any) -> None:
        self._actor, self._watch, self._arguments = actor, watch, arguments

    def __getstate__(self) -> dict[str, Any]:
        """Without the watch: groups of actors travel to the trainer with this in them."""
        return {**self.__dict__, "_watch": None}

    def options(self, **options: Any) -> _ActorWithArguments:
        return _ActorWithArguments(self._actor.options(**options), self._watch, **self._arguments)

    def remote(self, *args: Any, **kwargs: Any) -> Any:
        made = self._actor.remote(*args, **kwargs, **self._arguments)
        if self._watch is not None:
            self._watch.add(made)
        return made


def launch_run(folder: RunFolder, config: TrainConfig, *, resume: bool) -> None:
    """Train, in this process and in those it starts.

    Args:
        folder: the run's folder.
        config: the resolved configuration.
        resume: go on from the last checkpoint in the folder.

    Raises:
        DataError: the problems cannot be used.
        NodeError: a node of the Ray cluster cannot take part.
        NodeLostError: one is gone.
        OpenRLHFArgumentError: OpenRLHF refuses its arguments.
        ResourceError: the Ray cluster has too few GPUs.
        DoesNotFitError: the run cannot fit its GPUs.
        ModelError: a GGUF file cannot be converted.
        ValueError: something is asked for that a CPU cannot do.
    """
    on_cpu, alone = runs_on_cpu(config), is_on_one_machine(config)
    if alone and not loopback.is_active():
        raise RuntimeError("a run is started by `masa-openrlhf train`, which keeps it to loopback")
    if on_cpu:
        threads = cpu.choose_threads(config.model.path, max(config.world_size, config.engines))
        build = cpu.environment if alone else cpu.build_worker_variables
        os.environ.update({**_read_ray_variables(), **build(find_cache_home(), threads)})
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)  # empty, it would hide the paper GPUs
    prepared = resume and is_prepared(folder, config)
    named = {} if prepared else take_problems(folder.named_problems, config.data)
    config = prepare_named_model(folder, config, find_cache_home() if alone else folder.path)
    folder.event("starting", what="Ray")
    if alone:
        _start_ray(config, on_cpu=on_cpu)
        if not on_cpu:
            require_gpus(config, folder)
    else:
        config = _make_model_absolute(config)
        join_cluster(config, folder, _collect_run_variables(on_cpu=on_cpu))
        if not on_cpu and config.cluster.check_memory:
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
    watch = None if alone else NodeWatch(functools.partial(_end_process, folder))
    _place_actors(folder, config, watch)
    folder.event("starting", what="vLLM and DeepSpeed")
    sys.argv = [TRAINING_SCRIPT, *argv]
    with contextlib.nullcontext() if watch is None else name_lost_nodes(watch):
        runpy.run_module(TRAINING_SCRIPT, run_name="__main__", alter_sys=True)
    folder.event("finished")


def _end_process(folder: RunFolder, message: str) -> None:
    """End this process at once, and with it the run's actors on all nodes."""
    folder.event("failed", error="NodeLostError", message=message)
    os._exit(1)


# -- Ray -------------------------------------------------------------------------------------------


# As OpenRLHF's script sets them when it starts Ray itself.
_RAY_VARIABLES = {
    "TOKENIZERS_PARALLELISM": "true",
    "NCCL_DEBUG": "WARN",
    "RAY_ENABLE_ZERO_COPY_TORCH_TENSORS": "1",
}


def _read_ray_variables() -> dict[str, str]:
    """Return those of ``_RAY_VARIABLES``, the user's where they are set."""
    return {name: os.environ.get(name, value) for name, value in _RAY_VARIABLES.items()}


def _collect_run_variables(*, on_cpu: bool) -> dict[str, str]:
    """Return the variables that every process of a run has; on a CPU this process has them."""
    if not on_cpu:
        return _read_ray_variables() | gpu.environment()
    own = cpu.build_worker_variables(find_cache_home())
    return {name: os.environ[name] for name in (*_RAY_VARIABLES, *own)}


def _make_model_absolute(config: TrainConfig) -> TrainConfig:
    """Return the configuration with a model's folder named so that other nodes find it too."""
    path = config.model.path
    if path is None or not Path(path).is_dir():
        return config
    model = config.model.model_copy(update={"path": str(Path(path).resolve())})
    return config.model_copy(update={"model": model})


def _start_ray(config: TrainConfig, *, on_cpu: bool) -> None:
    """Start Ray on this machine.

    What it writes goes into this process's temporary folder, which ``supervise`` made for it. Ray
    opens its own folder to everybody: it is one within, so that nobody gets there.
    """
    import ray

    local: dict[str, Any] = {
        "address": "local",
        "include_dashboard": False,
        "_temp_dir": os.path.join(tempfile.gettempdir(), RAY_FOLDER),
    }
    if not on_cpu:
        variables = _collect_run_variables(on_cpu=False)
        hook = "masa_openrlhf.run.loopback.bind_stores"
        ray.init(runtime_env={"env_vars": variables, "worker_process_setup_hook": hook}, **local)
        return
    ranks = config.world_size + config.engines * config.cluster.tensor_parallel
    ray.init(
        num_gpus=ranks,  # on paper: OpenRLHF places its actors by GPUs
        num_cpus=ranks + 1,  # as many workers are started ahead: those, and the trainer
        object_store_memory=256 << 20,
        # The variables are in this process's environment, which Ray's processes inherit: with a
        # runtime_env, no worker would be started ahead.
        _system_config={"preload_python_modules": [cpu.PRELOAD_MODULE]},
        **local,
    )


def _place_actors(folder: RunFolder, config: TrainConfig, watch: NodeWatch | None = None) -> None:
    """Put our actor classes where OpenRLHF's script, and its helpers, look its own up.

    On several nodes the trainer is beside this process: it writes what is read here, and looks for
    what is written here.
    """
    importlib.import_module("masa_openrlhf.stack")  # makes the process ready, before OpenRLHF

    import openrlhf.trainer.ppo_trainer as trainer
    import openrlhf.trainer.ray.launcher as reference
    import openrlhf.trainer.ray.ppo_actor as policy
    import openrlhf.trainer.ray.vllm_engine as engine

    from masa_openrlhf.stack.policy import PolicyRayActor
    from masa_openrlhf.stack.reference import ReferenceRayActor
    from masa_openrlhf.stack.rollout import RolloutActor
    from masa_openrlhf.stack.trainer import TrainerRayActor

    secrets = {} if watch is None else collect_secrets(os.environ)
    trainer.PPOTrainer = _ActorWithArguments(
        TrainerRayActor if watch is None else TrainerRayActor.options(**place_here()),
        watch,
        masa=config,
        folder=folder,
        wandb_key=find_run_key(config),
    )
    policy.PolicyModelActor = _ActorWithArguments(
        PolicyRayActor, watch, masa=config, secrets=secrets
    )
    engine.RolloutRayActor = _ActorWithArguments(RolloutActor, watch, masa=config, secrets=secrets)
    reference.ReferenceModelActor = _ActorWithArguments(ReferenceRayActor, watch, secrets=secrets)


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
