"""Attention over packed sequences by torch's own variable-length kernel, where flash-attn is not.

OpenRLHF packs for "flash_attention_2" only, and its parser writes that name over any other;
transformers in turn takes a name with "flash" for a package or a kernel of the hub. So the name
that arrives is exchanged when the model is loaded, for one of our own without "flash" in it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from masa_openrlhf.gpu.padding import is_flash_attn_installed

ATTENTION_NAME = "masa_varlen"
"""What transformers calls it."""


def choose_attention(asked: str, *, packed: bool, flash_attn: bool | None = None) -> str:
    """Return the attention to load a model with.

    Args:
        asked: the attention that OpenRLHF was given.
        packed: sequences lie one after the other in a row, without padding.
        flash_attn: the package is installed; looked up if not given.

    Returns:
        What was asked for, but for "flash_attention_2" without flash-attn: ours for packed
        sequences, "sdpa" for padded ones. All three compute the same.
    """
    there = is_flash_attn_installed() if flash_attn is None else flash_attn
    if asked != "flash_attention_2" or there:
        return asked
    return ATTENTION_NAME if packed else "sdpa"


def register_attention() -> None:
    """Make the attention known to transformers; packed sequences need no mask."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(ATTENTION_NAME, compute_packed_attention)
    AttentionMaskInterface.register(ATTENTION_NAME, lambda *_, **__: None)


class _SequenceStarts:
    """Where the sequences of a row begin; looked for once a forward pass, not once a layer.

    It needs an answer from the GPU. All layers are given the same tensor of positions.
    """

    def __init__(self) -> None:
        self._positions: Any = None
        self._found: tuple[Any, int] | None = None

    def __call__(self, positions: Any) -> tuple[Any, int]:
        import torch

        if self._found is None or self._positions is not positions:
            starts = (positions[0] == 0).nonzero().flatten()
            end = starts.new_tensor([positions.shape[1]])
            edges = torch.cat([starts, end]).to(torch.int32)
            self._positions, self._found = positions, (edges, int(edges.diff().max()))
        return self._found


_starts = _SequenceStarts()


def compute_packed_attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    position_ids: Any = None,
    sliding_window: int | None = None,
    **unused: Any,
) -> tuple[Any, None]:
    """Causal attention within each packed sequence, as transformers calls it.

    Args:
        module: the layer; unused.
        query: (1, heads, tokens, head size).
        key: (1, key heads, tokens, head size).
        value: as ``key``.
        attention_mask: none; a mask is refused.
        scaling: of the scores; unset: 1 / sqrt(head size).
        dropout: none.
        position_ids: (1, tokens); each sequence begins at 0.
        sliding_window: tokens that a token sees, itself included; unset: all before it.
        **unused: what else transformers passes; what would change the result is refused.

    Returns:
        (1, tokens, heads, head size), and no weights.
    """
    _refuse_arguments(attention_mask, dropout, position_ids, unused)
    edges, longest = _starts(position_ids)
    if query.shape[0] != 1 or key.shape[2] != position_ids.shape[1]:
        raise ValueError(f"packed sequences lie in one row, got {tuple(query.shape)}")
    rows = [x[0].transpose(0, 1) for x in (query, key, value)]  # (tokens, heads, head size)
    left = -1 if sliding_window is None else sliding_window - 1
    if query.is_cuda:
        from torch.nn.attention.varlen import varlen_attn

        out = varlen_attn(
            *rows,
            edges,
            edges,
            longest,
            longest,
            scale=scaling,
            window_size=(left, 0),
            enable_gqa=True,
        )
    else:
        out = _attend_by_sequence(rows, edges.tolist(), left, scaling)
    return out[None], None


def _refuse_arguments(mask: Any, dropout: float, positions: Any, others: dict[str, Any]) -> None:
    if positions is None:
        raise ValueError("the model does not pass position_ids to its attention: set cluster.pack")
    if mask is not None or dropout:
        raise ValueError("packed attention takes neither a mask nor dropout")
    for name in ("softcap", "s_aux", "head_mask"):
        if others.get(name) is not None:
            raise ValueError(f"torch's packed attention has no {name}: install flash-attn")
    if others.get("is_causal") is False:
        raise ValueError("packed attention is causal")


def _attend_by_sequence(rows: list[Any], edges: list[int], left: int, scale: float | None) -> Any:
    """The same without the kernel, which is for GPUs alone: a sequence at a time."""
    import torch

    parts = []
    for begin, end in pairwise(edges):
        q, k, v = (x[begin:end].transpose(0, 1)[None] for x in rows)
        place = torch.arange(end - begin, device=q.device)
        distance = place[:, None] - place[None, :]
        seen = (distance >= 0) & (distance <= left if left >= 0 else distance >= 0)
        out = torch.nn.functional.scaled_dot_product_attention(
            q, k, v, attn_mask=seen, scale=scale, enable_gqa=True
        )
        parts.append(out[0].transpose(0, 1))
    return torch.cat(parts)
