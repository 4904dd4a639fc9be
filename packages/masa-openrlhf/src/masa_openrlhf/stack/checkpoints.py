"""Loading a DeepSpeed checkpoint without running what lies in it.

A checkpoint is a pickle, and DeepSpeed loads it with ``weights_only=False``: whoever can put a file
there runs code in every process that loads it. Here torch builds tensors and plain data, and of
classes only those that DeepSpeed itself writes.
"""

from __future__ import annotations

import pickle
from typing import Any

# What a checkpoint of DeepSpeed 0.19 holds beside tensors and plain data, in all ZeRO stages.
_DEEPSPEED_CLASSES = (
    ("deepspeed.runtime.fp16.loss_scaler", "LossScaler"),
    ("deepspeed.runtime.fp16.loss_scaler", "DynamicLossScaler"),
    ("deepspeed.runtime.zero.config", "ZeroStageEnum"),
    ("deepspeed.utils.tensor_fragment", "fragment_address"),
)


class UnsafeCheckpointError(RuntimeError):
    """A checkpoint holds what DeepSpeed does not write."""


def load_weights_only(path: str, map_location: Any = None) -> Any:
    """Load a file of a checkpoint: tensors, plain data, and DeepSpeed's own few classes.

    Raises:
        UnsafeCheckpointError: it holds anything else; nothing of it has been run.
    """
    from importlib import import_module

    import torch

    classes = [getattr(import_module(module), name) for module, name in _DEEPSPEED_CLASSES]
    try:
        with torch.serialization.safe_globals(classes):
            return torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        raise UnsafeCheckpointError(
            f"{path} holds more than a checkpoint does, and was not loaded: loading it could run "
            f"code. {_first_sentences(str(error))}"
        ) from None


def _first_sentences(message: str) -> str:
    """Leave out torch's advice on how to load it all the same."""
    named = [line.strip() for line in message.splitlines() if "GLOBAL" in line or "global" in line]
    return (named[0] if named else message)[:300]


def use_weights_only_loading() -> None:
    """Have DeepSpeed load its checkpoints by ``load_weights_only``, in this process."""
    from deepspeed.runtime.checkpoint_engine.torch_checkpoint_engine import TorchCheckpointEngine

    def load(self: Any, path: str, map_location: Any = None) -> Any:
        return load_weights_only(path, map_location)

    TorchCheckpointEngine.load = load
