"""Are the weights in vLLM those of the policy? A sum and an absolute sum a parameter tell.

A weight update that is silently lost leaves the engine sampling from an old policy, and nothing
else in a run says so: the loss goes on looking reasonable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

# vLLM keeps these Hugging Face weights as one.
_FUSED = {
    "qkv_proj": ("q_proj", "k_proj", "v_proj"),
    "gate_up_proj": ("gate_proj", "up_proj"),
}
_TOLERANCE = 1e-6
_PIECE_SIZE = 1 << 22
"""Elements added up at a time."""


class ParameterDigest(NamedTuple):
    """Of one parameter: sum of its elements, and of their absolute values, in float64."""

    total: float
    absolute: float


class WeightComparison(NamedTuple):
    """How two models compare.

    Attributes:
        compared: parameters that stand in both.
        differing: names, as vLLM has them, whose digests differ.
        unmatched: names, as vLLM has them, that the policy lacks.
    """

    compared: int
    differing: tuple[str, ...]
    unmatched: tuple[str, ...]


def digest_tensor(parameter: Any) -> ParameterDigest:
    """Return the digest of a tensor, piece by piece.

    In float64 a large embedding takes four times what it takes in bfloat16, and as much again for
    its absolute values: gigabytes. ``sum(dtype=torch.float64)`` makes that copy too.
    """
    import torch

    values = parameter.detach()
    rows = values if values.dim() else values[None]
    many = max(1, _PIECE_SIZE // max(1, rows[0].numel())) if len(rows) else 1
    total = torch.zeros(2, dtype=torch.float64, device=values.device)
    for piece in rows.split(many):
        wide = piece.double()
        total[0] += wide.sum()
        total[1] += wide.abs().sum()
    return ParameterDigest(*total.tolist())


def compare_weights(
    policy: Mapping[str, ParameterDigest], engine: Mapping[str, ParameterDigest]
) -> WeightComparison:
    """Compare the policy's parameters (Hugging Face names) with an engine's (vLLM names)."""
    differing, unmatched = [], []
    for name, theirs in engine.items():
        parts = _split_fused_name(name)
        if not all(part in policy for part in parts):
            unmatched.append(name)
            continue
        ours = ParameterDigest(
            *(sum(column) for column in zip(*(policy[p] for p in parts), strict=True))
        )
        scale = max(ours.absolute, theirs.absolute, 1e-30)
        if max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) > _TOLERANCE * scale:
            differing.append(name)
    return WeightComparison(len(engine) - len(unmatched), tuple(differing), tuple(unmatched))


def _split_fused_name(name: str) -> list[str]:
    for fused, parts in _FUSED.items():
        if fused in name:
            return [name.replace(fused, part) for part in parts]
    return [name]
