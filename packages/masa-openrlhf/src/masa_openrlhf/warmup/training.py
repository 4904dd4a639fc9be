"""A supervised stage, as the command starts it: a process, its progress, its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from masa_openrlhf import cpu, gpu
from masa_openrlhf.cache import find_cache_home
from masa_openrlhf.run.supervision import read_failure_lines
from masa_openrlhf.warmup.worker import TrainingJob

Progress = Callable[[int, int, float], None]
"""Called with the step, the number of steps and the loss."""


class TrainingFailedError(RuntimeError):
    """The training process died; the message has its last words."""


def train_stage(job: TrainingJob, file: Path, log: Path, progress: Progress) -> None:
    """Train by a job, in a process of its own.

    Args:
        job: what is to be trained.
        file: gets the job.
        log: gets all that the process prints.
        progress: told of every step.

    Raises:
        TrainingFailedError: it ended with an error.
    """
    file.write_text(job.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", "masa_openrlhf.warmup.worker", str(file)]
    with (
        open(log, "ab") as said,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, env=_build_environment(job), text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                told = json.loads(line)
                progress(told["step"], told["steps"], told["loss"])
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        said_last = "\n  ".join(read_failure_lines(log))
        raise TrainingFailedError(
            f"the training ended with status {process.returncode}; all it said: {log}\n  "
            f"{said_last}"
        )


def _build_environment(job: TrainingJob) -> dict[str, str]:
    """Return the variables of the process: all cores, or one GPU."""
    if job.on_cpu:
        threads = cpu.choose_threads(job.model, 1)
        return {**os.environ, **cpu.environment(find_cache_home(), threads)}
    visible = os.environ.get("CUDA_VISIBLE_DEVICES") or "0"
    first = {"CUDA_VISIBLE_DEVICES": visible.partition(",")[0]}
    return {**os.environ, **gpu.environment(), **first}
