"""What a training step needs of a GPU's memory, found without one.

The model's own code, at its real size, is run forward and backward on torch's fake tensors, which
have shapes and no memory; what is alive is added up at each operation. What ZeRO-3 keeps on a rank
is arithmetic. ``python -m masa_openrlhf.gpu.memory`` prints both for the presets' models.

Not found this way, and assumed: the contexts of CUDA and NCCL, and what a sleeping vLLM keeps.
Fragmentation of the allocator is not counted: hence the room that is wanted.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

GIB = 1 << 30
USABLE_BYTES = 79.1 * GIB
"""Of a card of 80 GB, as the driver gives it out."""

WANTED_ROOM = 8 * GIB
"""Room that should be left."""

CONTEXT_BYTES = 3.4 * GIB
"""Assumed: contexts of CUDA and NCCL in policy and engine, an engine's CUDA graphs while asleep."""

_LIVE_PARAMETERS = 10**9  # DeepSpeed's stage3_max_live_parameters
_BUCKET = 5 * 10**8  # its reduce_bucket_size
_SUB_GROUP = 10**9  # its sub_group_size
_NAME = "masa_shapes"


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A dense Qwen3, as its config.json has it."""

    hidden: int
    layers: int
    heads: int
    key_heads: int
    intermediate: int
    vocabulary: int = 151_936
    head: int = 128
    tied: bool = False


QWEN3_8B = ModelShape(4096, 36, 32, 8, 12_288)
QWEN3_14B = ModelShape(5120, 40, 40, 8, 17_408)
SHAPES = {"qwen3-8b": QWEN3_8B, "qwen3-14b": QWEN3_14B}
"""The presets' models."""


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """What a rank needs, in bytes.

    Attributes:
        parameters: of the model, a number.
        states: weights in bfloat16 and float32, Adam's two moments, the gradients added up.
        activations: highest sum of all that a micro-batch's passes hold.
        gathered: other ranks' weights for the layers at work, and gradients on their way.
        update: what Adam's step adds to the states, after the passes.
        leftover: what a resumed run carries along, where it does.
    """

    parameters: int
    states: float
    activations: float
    gathered: float
    update: float
    leftover: float = 0.0

    @property
    def total(self) -> float:
        """The most of a step, contexts included."""
        at_once = max(self.activations + self.gathered, self.update)
        return self.states + self.leftover + at_once + CONTEXT_BYTES

    @property
    def room(self) -> float:
        """What is left of a card of 80 GB."""
        return USABLE_BYTES - self.total


def estimate_memory(
    shape: ModelShape,
    tokens: int,
    *,
    ranks: int = 8,
    chunked: bool = True,
    gradient_bytes: int = 4,
    resumed_moments: bool = False,
) -> MemoryNeed:
    """Return what a training step needs.

    Args:
        shape: the model.
        tokens: of a micro-batch, ``batch.max_tokens_per_gpu``.
        ranks: among which ZeRO-3 divides the states.
        chunked: log-probabilities in chunks; otherwise whole logits in float32, as OpenRLHF with
            flash-attn's cross entropy keeps them.
        gradient_bytes: of an element of the gradients that are added up: 4 in float32.
        resumed_moments: a second copy of Adam's moments stays on the GPU, as DeepSpeed leaves it
            after a checkpoint that was written while they were off it.
    """
    parameters, activations = measure_peak(shape, tokens, chunked=chunked)
    largest = max(_BUCKET, shape.hidden * shape.vocabulary)
    own = parameters / ranks
    return MemoryNeed(
        parameters=parameters,
        states=own * (2 + 4 + 8 + gradient_bytes),
        activations=activations,
        gathered=2 * (min(parameters, _LIVE_PARAMETERS) + _BUCKET + largest),
        update=4 * min(own, _SUB_GROUP),
        leftover=own * 8 if resumed_moments else 0.0,
    )


@lru_cache
def measure_peak(shape: ModelShape, tokens: int, *, chunked: bool) -> tuple[int, float]:
    """Return the model's parameters, and the peak of its passes over a packed micro-batch.

    Weights are not counted; each gradient is dropped as soon as it is whole, as ZeRO-3 does.
    """
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from masa_openrlhf.gpu import log_probs

    with FakeTensorMode(allow_non_fake_inputs=True):
        policy = make_shape_model(shape, _register_attention())
        watched = _make_memory_watch()
        for tensor in [*policy.parameters(), *policy.buffers()]:
            watched.ignore(tensor)
        tokens_1_T = torch.zeros(1, tokens, dtype=torch.long)
        places = torch.zeros(1, tokens, dtype=torch.long)
        head = policy.get_output_embeddings()
        with watched:
            if chunked:
                log_probs.prepare_head(policy)
                with log_probs.ask_log_probs(head, tokens_1_T, temperature=1.0, entropy=False):
                    output = policy(tokens_1_T, attention_mask=None, position_ids=places)
                scores = output["logits"][..., 0]
            else:
                output = policy(tokens_1_T, attention_mask=None, position_ids=places)
                output["logits"] = output["logits"].to(torch.float32)
                flat = output["logits"].reshape(tokens, -1)
                scores = _make_cross_entropy().apply(flat, tokens_1_T.flatten())
            scores.sum().backward()
        return sum(p.numel() for p in policy.parameters()), float(watched.peak)


def make_shape_model(shape: ModelShape, attention: str) -> Any:
    """Make a model of a shape, in bfloat16, with checkpoints and gradients that are dropped."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_heads,
        head_dim=shape.head,
        tie_word_embeddings=shape.tied,
        max_position_embeddings=40_960,
        use_cache=False,
        attn_implementation=attention,
    )
    with _use_default_dtype(torch.bfloat16):
        made = Qwen3ForCausalLM(config).train()
    made.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    for parameter in made.parameters():
        parameter.register_post_accumulate_grad_hook(lambda p: setattr(p, "grad", None))
    return made


def _register_attention() -> str:
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(_NAME, _fake_attention)
    AttentionMaskInterface.register(_NAME, lambda *_, **__: None)
    return _NAME


def _fake_attention(
    module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: Any = None, **_: Any
) -> tuple[Any, None]:
    """Ours, with edges that a fake tensor cannot be asked for."""
    import torch
    from torch.nn.attention.varlen import varlen_attn

    length = query.shape[2]
    edges = torch.zeros(5, dtype=torch.int32)
    rows = (x[0].transpose(0, 1) for x in (query, key, value))
    out = varlen_attn(
        *rows,
        edges,
        edges,
        length,
        length,
        scale=scaling,
        window_size=(-1, 0),
        enable_gqa=True,
    )
    return out[None], None


@contextmanager
def _use_default_dtype(dtype: Any) -> Iterator[None]:
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _make_cross_entropy() -> Any:
    """Memory of flash-attn 2.8.3's cross entropy: a gradient beside the logits, in float32."""
    import torch

    class CrossEntropy(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, logits: Any, labels: Any) -> Any:
            losses = logits.new_empty(len(logits))
            ctx.save_for_backward(logits, torch.empty_like(losses), labels)
            return losses

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return torch.empty_like(ctx.saved_tensors[0]), None

    return CrossEntropy


def _make_memory_watch() -> Any:
    """Return a mode that adds up the storages that are alive."""
    import torch
    from torch.utils import _pytree
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watch(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.peak = self._now = 0
            self._live: dict[int, int] = {}
            self._ignored: set[int] = set()

        def ignore(self, tensor: Any) -> None:
            self._ignored.add(tensor.untyped_storage()._cdata)

        def _add(self, tensor: Any) -> None:
            storage = tensor.untyped_storage()
            key = storage._cdata
            if key in self._live or key in self._ignored:
                return
            self._live[key] = storage.nbytes()
            self._now += self._live[key]
            self.peak = max(self.peak, self._now)
            weakref.finalize(storage, self._drop, key)

        def _drop(self, key: int) -> None:
            self._now -= self._live.pop(key, 0)

        def __torch_dispatch__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            out = function(*args, **(kwargs or {}))
            for leaf in _pytree.tree_leaves(out):
                if isinstance(leaf, torch.Tensor):
                    self._add(leaf)
            return out

    return Watch()


# -- as a table ------------------------------------------------------------------------------------

_CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("whole logits, gradients in bfloat16", {"chunked": False, "gradient_bytes": 2}),
    ("whole logits, gradients in float32", {"chunked": False}),
    ("in chunks, gradients in float32", {}),
    ("the same, Adam's moments left by a resume", {"resumed_moments": True}),
)


def render_memory_table(tokens: Sequence[int] = (16_384, 32_768), ranks: int = 8) -> str:
    """Return what the presets' models need, as Markdown; GiB a GPU."""
    lines = [
        "| model | tokens | log-probabilities | states | passes | gathered | sum | room of 79.1 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, shape in SHAPES.items():
        for size in tokens:
            for case, settings in _CASES:
                found = estimate_memory(shape, size, ranks=ranks, **settings)
                numbers = (
                    found.states + found.leftover,
                    found.activations,
                    found.gathered,
                    found.total,
                    found.room,
                )
                cells = " | ".join(f"{number / GIB:.1f}" for number in numbers)
                lines.append(f"| {name} | {size:,} | {case} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(render_memory_table(tuple(map(int, sys.argv[1:])) or (16_384, 32_768)))
