"""The peak of a model's passes, measured without a GPU: what ``masa_openrlhf.plan`` is checked by.

The model's own code, at its real size, is run forward and backward on torch's fake tensors, which
have shapes and no memory; what is alive is added up at each operation.
``python -m masa_openrlhf.gpu.memory`` prints it beside the plan's closed form.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from masa_openrlhf.plan.activations import compute_training_peak
from masa_openrlhf.plan.cards import GIB
from masa_openrlhf.plan.shapes import SHAPES, ModelShape

_NAME = "masa_shapes"


@lru_cache
def measure_peak(
    shape: ModelShape,
    tokens: int,
    *,
    chunked: bool = True,
    checkpointing: bool = True,
    gradients: bool = True,
) -> tuple[int, float]:
    """Return the model's parameters, and the peak of its passes over a packed micro-batch, bytes.

    Weights are not counted; each gradient is dropped as soon as it is whole, as ZeRO-3 does.

    Args:
        shape: the model, of the Qwen3 family.
        tokens: of the micro-batch.
        chunked: log-probabilities in chunks; otherwise whole logits in float32, as OpenRLHF with
            flash-attn's cross entropy keeps them.
        checkpointing: layers are recomputed in the backward pass.
        gradients: forward and backward; otherwise a forward pass alone.
    """
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from masa_openrlhf.gpu import log_probs

    with FakeTensorMode(allow_non_fake_inputs=True):
        policy = make_shape_model(shape, _register_attention(), checkpointing=checkpointing)
        watched = _make_memory_watch()
        for tensor in [*policy.parameters(), *policy.buffers()]:
            watched.ignore(tensor)
        tokens_1_T = torch.zeros(1, tokens, dtype=torch.long)
        places = torch.zeros(1, tokens, dtype=torch.long)
        head = policy.get_output_embeddings()
        with watched, torch.set_grad_enabled(gradients):
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
            if gradients:
                scores.sum().backward()
        return sum(p.numel() for p in policy.parameters()), float(watched.peak)


def make_shape_model(shape: ModelShape, attention: str, *, checkpointing: bool = True) -> Any:
    """Make a Qwen3 of a shape, in bfloat16; each gradient is dropped as soon as it is whole."""
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
    if checkpointing:
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


def render_memory_table(
    tokens: Sequence[int] = (16_384, 32_768),
    models: Sequence[str] = ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-8B", "Qwen/Qwen3-14B"),
) -> str:
    """Return the peak of a training step's passes as Markdown, GiB, beside the plan's."""
    lines = [
        "| model | tokens | whole logits | log-probabilities in chunks | the plan's closed form |",
        "|---|---|---|---|---|",
    ]
    for name in models:
        for size in tokens:
            whole = measure_peak(SHAPES[name], size, chunked=False)[1] / GIB
            chunked = measure_peak(SHAPES[name], size)[1] / GIB
            planned = compute_training_peak(SHAPES[name], size).total / GIB
            lines.append(
                f"| {name} | {size:,} | {whole:.2f} | {chunked:.2f} | {planned:.2f} "
                f"({planned / chunked - 1:+.1%}) |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    print(render_memory_table(tuple(map(int, sys.argv[1:])) or (16_384, 32_768)))
