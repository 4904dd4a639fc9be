"""The four small things that OpenRLHF takes of flash-attn to pack sequences, in torch.

flash-attn is published as source and needs nvcc to build; what OpenRLHF imports of it at once is
pure indexing. ``replace_flash_attn`` lends it this module's functions under flash-attn's names
while the one file that asks for them is loaded.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from masa_openrlhf.arguments.installed import load_source_file

_FLASH_ATTN_USER = "openrlhf/models/ring_attn_utils.py"


def is_flash_attn_installed() -> bool:
    """Whether the flash-attn package is there."""
    return importlib.util.find_spec("flash_attn") is not None


def load_flash_attn_user() -> None:
    """Load the file of OpenRLHF that imports flash-attn, with ours where there is none."""
    if is_flash_attn_installed():
        return
    with replace_flash_attn():
        load_source_file(_FLASH_ATTN_USER)


@contextmanager
def replace_flash_attn() -> Iterator[None]:
    """Put our functions where flash-attn's are imported from, for the time of the block.

    Whoever asks for flash_attn later finds none, and takes another path.
    """
    from einops import rearrange

    functions: dict[str, dict[str, Any]] = {
        "flash_attn": {},
        "flash_attn.bert_padding": {
            "index_first_axis": index_first_axis,
            "pad_input": pad_input,
            "rearrange": rearrange,
            "unpad_input": unpad_input,
        },
        "flash_attn.utils": {},
        "flash_attn.utils.distributed": {"all_gather": all_gather},
    }
    for name, members in functions.items():
        module = ModuleType(name)
        module.__path__ = []
        vars(module).update(members)
        sys.modules[name] = module
    try:
        yield
    finally:
        for name in functions:
            del sys.modules[name]


def unpad_input(values: Any, mask: Any) -> tuple[Any, Any, Any, int, Any]:
    """Take the tokens that are not padding, one sequence after the other.

    Args:
        values: (batch, length, ...).
        mask: (batch, length), 1 for a token, 0 for padding.

    Returns:
        The tokens (tokens, ...), their indices in the flat batch, where each sequence begins and
        the last one ends (batch + 1, int32), the longest sequence, and each one's length.
    """
    import torch

    lengths = mask.sum(dim=-1, dtype=torch.int32)
    indices = mask.flatten().nonzero().flatten()
    starts = torch.nn.functional.pad(lengths.cumsum(0, dtype=torch.int32), (1, 0))
    return values.flatten(0, 1)[indices], indices, starts, int(lengths.max()), lengths


def pad_input(values: Any, indices: Any, batch: int, length: int) -> Any:
    """Put tokens back where they were taken, zeros elsewhere: (batch, length, ...)."""
    flat = values.new_zeros(batch * length, *values.shape[1:])
    return flat.index_copy(0, indices, values).unflatten(0, (batch, length))


def index_first_axis(values: Any, indices: Any) -> Any:
    """Return ``values[indices]``."""
    return values[indices]


def all_gather(values: Any, group: Any) -> Any:
    """Ring attention alone asks for it, and that is flash-attn's in any case."""
    raise RuntimeError("ring attention needs flash-attn: drop ds.ring_attn_size")
