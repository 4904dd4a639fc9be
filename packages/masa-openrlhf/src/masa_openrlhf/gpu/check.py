"""How far does a GPU run get on this machine? ``python -m masa_openrlhf.gpu.check``.

The tiny model is trained the way the large presets are: a GPU that policy and engine share, ZeRO-3,
packed sequences, states taken off the GPU while vLLM generates. With a GPU that is two steps, to
the end. Without one it is everything before the first call of CUDA: all that a run imports,
OpenRLHF's parser on every preset, Ray with GPUs that exist on paper, the policy's and the engine's
actors on them; and then the same command without paper, which must be refused with the number of
GPUs asked for and there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from masa_openrlhf.run.loopback import prepare_run_variables
from masa_openrlhf.run.temporary import RAY_FOLDER, make_temporary_folder

CHECK_FLAGS = (
    "--cluster.device=gpu",
    "--cluster.colocate",
    "--cluster.zero-stage=3",
    "--cluster.pack",
    "--model.attention=flash_attention_2",
    "--batch.max-tokens-per-gpu=2048",
    "--tiny.problems=64",
    "--tiny.held-out=8",
    "--eval.rollouts=2",
    "--max-steps=2",
)
"""Of the run that is tried."""

_PROCESS_IMPORTS = (
    ("weights.worker",),
    ("stack.rollout",),
    ("stack.trainer", "stack.policy", "stack.reference"),
)
"""What a GPU run's processes import first: in one process, the last would prepare it for all."""

_NO_CUDA = "Found no NVIDIA driver on your system"
"""Where a run on paper GPUs ends: torch's words on the first call of CUDA."""

_LIMIT = 300.0  # s a step


def main() -> int:
    """Try, and say how far it went; the exit status is 0 where that is as far as it should go."""
    from masa_openrlhf.gpu import machine

    found = machine.inspect_machine()
    _print_step(f"installed: {_describe_installed()}")
    steps = [("imports", _check_imports), ("OpenRLHF's parser", _check_parser)]
    steps += (
        [("two steps of training", _check_training)]
        if found.cards
        else [("GPUs on paper", _check_paper_gpus)]
    )
    for name, step in steps:
        begun = time.monotonic()
        wrong = step()
        _print_step(f"{name}: {wrong or 'as expected'} ({time.monotonic() - begun:.0f} s)")
        if wrong:
            return 1
    return 0 if found.cards else _check_refusal()


def _print_step(text: str) -> None:
    print(text, flush=True)


def _describe_installed() -> str:
    parts = []
    for package in ("torch", "vllm", "openrlhf", "deepspeed", "ray", "flash-attn"):
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            parts.append(f"no {package}")
    return ", ".join(parts)


def _run_python(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [sys.executable, *command],
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_LIMIT,
        )
    except subprocess.TimeoutExpired as late:
        said = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
        return subprocess.CompletedProcess(command, 124, said + f"\nnot done after {_LIMIT:.0f} s")


def _run_train(runs: str, *flags: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = ("-m", "masa_openrlhf.cli", "train", f"--runs={runs}", *CHECK_FLAGS, *flags)
    return _run_python(*command, **variables)


def _check_imports() -> str:
    for modules in _PROCESS_IMPORTS:
        names = ", ".join(f"masa_openrlhf.{module}" for module in modules)
        done = _run_python("-W", "ignore", "-c", f"import {names}")
        if done.returncode:
            return f"failed: {names}\n{done.stdout[-3000:]}"
    return ""


def _check_parser() -> str:
    from masa_openrlhf.config.presets import list_presets

    for preset in list_presets():
        flags = CHECK_FLAGS if preset == "tiny" else ("--cluster.device=gpu",)
        command = ("-m", "masa_openrlhf.cli", "train", "--preset", preset, *flags, "--dry-run")
        done = _run_python(*command)
        if done.returncode:
            return f"refused {preset}:\n{done.stdout[-3000:]}"
    return ""


def _check_training() -> str:
    with tempfile.TemporaryDirectory(prefix="masa-check-") as runs:
        done = _run_train(runs)
    return "" if done.returncode == 0 else f"failed:\n{done.stdout[-6000:]}"


def _check_paper_gpus() -> str:
    """Start the run in a Ray cluster that has been told of two GPUs.

    Two, since an engine that shares its GPU is waited for, and fails first: the policy's actor then
    goes no further than its imports.
    """
    warnings.simplefilter("ignore", FutureWarning)  # Ray's, of what it will do one day
    with make_temporary_folder() as folder:
        os.environ.update(prepare_run_variables(folder))
        # Started by "uv run", Ray would start its workers by it too.
        os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
        import ray  # reads these variables

        ray.init(
            address="local",
            num_gpus=2,
            num_cpus=4,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="warning",
            _temp_dir=str(folder / RAY_FOLDER),
        )
        try:
            address = ray.get_runtime_context().gcs_address
            done = _run_train(f"{folder}/runs", "--cluster.no-colocate", RAY_ADDRESS=address)
            log = "".join(
                file.read_text(encoding="utf-8", errors="replace")
                for file in Path(folder).glob("runs/*/logs/driver.log")
            )
        finally:
            ray.shutdown()
    reached = _NO_CUDA in log and "init_model_from_pretrained" in log
    return "" if done.returncode == 1 and reached else f"ended otherwise:\n{done.stdout[-6000:]}"


def _check_refusal() -> int:
    with tempfile.TemporaryDirectory(prefix="masa-check-") as runs:
        done = _run_train(runs, RAY_ADDRESS="")
    _print_step(done.stdout.strip())
    asked = "1 GPU was asked for" in done.stdout and "0 are there" in done.stdout
    return 0 if done.returncode == 2 and asked else 1


if __name__ == "__main__":
    sys.exit(main())
