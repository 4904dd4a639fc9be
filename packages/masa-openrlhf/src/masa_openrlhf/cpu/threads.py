"""Threads of a CPU run: one for a tiny model, every core for a real one."""

from __future__ import annotations

import os
from pathlib import Path

_TINY = 10**7  # parameters; below, handing work to a second thread takes longer than doing it


def count_cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose_threads(model: str | None, processes: int) -> int:
    """Return the threads of each process that computes.

    ``OMP_NUM_THREADS`` is taken where it is set. Rollouts and training take turns, so that each has
    all cores.

    Args:
        model: the model's folder or name; None: the tiny one.
        processes: policy ranks, or engines, whichever are more; they share the cores.
    """
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    if model is None or _is_tiny(model):
        return 1
    return max(1, count_cores() // processes)


def _is_tiny(model: str) -> bool:
    """Whether a folder holds a model of a few million parameters, by the size of its weights."""
    files = list(Path(model).expanduser().glob("*.safetensors"))
    return bool(files) and sum(file.stat().st_size for file in files) < 2 * _TINY
