"""Adam's moments around checkpoints: what must not be written, and what must not be there twice.

``offload_states`` copies each moment into a CPU buffer, which it keeps as one more entry of the
optimiser's state. A checkpoint written meanwhile would hold it; and on loading, torch moves every
entry to where its parameter is: onto the GPU. From then on DeepSpeed would find its buffer there
and take the moments "off" the GPU into the GPU's own memory: 8 bytes a parameter, over all ranks,
missing in every rollout after a resume.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SUFFIX = "_offload_buffer"


def drop_offload_buffers(optimizer: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Take the buffers out of the states of DeepSpeed's optimiser; the next offload makes new ones.

    Args:
        optimizer: DeepSpeed's, of any ZeRO stage.

    Returns:
        Each parameter's state, with the buffers that were taken out of it.
    """
    taken = []
    for state in optimizer.optimizer.state.values():
        names = [name for name in state if isinstance(name, str) and name.endswith(_SUFFIX)]
        if names:
            taken.append((state, {name: state.pop(name) for name in names}))
    return taken


@contextmanager
def without_offload_buffers(optimizer: Any) -> Iterator[None]:
    """Take the buffers out of the states for the time of the block, and put them back.

    Args:
        optimizer: likewise.
    """
    taken = drop_offload_buffers(optimizer)
    try:
        yield
    finally:
        for state, buffers in taken:
            state.update(buffers)


def free_moments(optimizer: Any) -> None:
    """Give back Adam's moments before a checkpoint's are loaded.

    DeepSpeed makes them when it starts, and torch makes those of the checkpoint on the GPU before
    it lets go of them: 8 bytes a parameter, over all ranks, twice.

    Args:
        optimizer: DeepSpeed's, of any ZeRO stage; its state is filled by loading.
    """
    for state in optimizer.optimizer.state.values():
        for name in ("exp_avg", "exp_avg_sq"):
            state.pop(name, None)
