"""What the passes of a dense decoder hold at their peak, in closed form.

The terms were read off the model's own code, run on torch's fake tensors: a list of the tensors
that are alive at the highest point (``masa_openrlhf.gpu.memory`` measures it, and a test compares
the two within 5 % at real sizes). Letters: T tokens of a micro-batch, L layers, H hidden, Q and K
widths of all query and key heads, I intermediate, V vocabulary, D width of a head, C bytes of a
chunk of logits. Bytes of bfloat16 are 2, of float32 4.
"""

from __future__ import annotations

from dataclasses import dataclass

from masa_openrlhf.plan.shapes import ModelShape

CHUNK_BYTES = 1 << 29
"""Of a chunk of logits in float32, as ``masa_openrlhf.gpu.log_probs`` makes them."""


@dataclass(frozen=True, slots=True)
class PassMemory:
    """The peak of a pass, bytes.

    Attributes:
        activations: what layers hold.
        logits: what the last layer holds: a chunk of logits, and the gradient of its weight.
    """

    activations: float
    logits: float

    @property
    def total(self) -> float:
        """Both."""
        return self.activations + self.logits


def compute_training_peak(
    shape: ModelShape, tokens: int, *, checkpointing: bool = True, chunked: bool = True
) -> PassMemory:
    """Return what forward and backward hold at their peak, weights and their gradients left out.

    With checkpointing each layer keeps its input, 2H a token, and makes the rest again; the peak is
    the higher of the MLP's gradient in a layer, and of the last layer's. Without it every layer
    keeps what its gradient needs.

    Args:
        shape: the model.
        tokens: of the micro-batch.
        checkpointing: ``cluster.gradient_checkpointing``.
        chunked: log-probabilities in chunks; otherwise whole logits in float32, as OpenRLHF with
            flash-attn's cross entropy keeps them.
    """
    kept = 2 * shape.hidden if checkpointing else _layer_bytes(shape) + 8 * shape.intermediate
    stored = tokens * (shape.layers * kept + 4 * shape.head)
    # Inside a layer, at the MLP's gradient: what attention and both norms keep, the incoming
    # gradient (2H), and six tensors of the MLP: gate, its silu, up, two products, a gradient.
    layer = tokens * (_layer_bytes(shape) + 2 * shape.hidden + 12 * shape.intermediate)
    if shape.tied:  # the last layer's gradient (bfloat16) waits for the embedding's
        layer += 2 * shape.vocabulary * shape.hidden
    if not checkpointing:
        layer = tokens * 24 * shape.hidden  # the last norm's gradient, before any layer's is freed
    at_head = stored + tokens * 12 * shape.hidden
    logits = _head_bytes(shape, tokens) if chunked else _whole_logit_bytes(shape, tokens)
    if stored + layer >= at_head + logits:
        return PassMemory(stored + layer, 0.0)
    return PassMemory(at_head, logits)


def _layer_bytes(shape: ModelShape) -> int:
    """Bytes a token that attention and the two norms of a layer keep for their gradients.

    A norm keeps its input in float32, the normalised input and its product with the weight: 8H.
    Attention keeps rotated queries (2Q) and keys (2K), values (2K), and its output (2Q); norms of
    queries and keys (Qwen3) keep 6Q and 6K more.
    """
    of_heads = 10 if shape.qk_norm else 4
    sums = 4 * (shape.heads + 2)  # attention's log-sum-exp, and the norms' factors, in float32
    return 16 * shape.hidden + of_heads * (shape.queries + shape.keys) + sums


def _head_bytes(shape: ModelShape, tokens: int) -> float:
    """Bytes that log-probabilities in chunks hold in the backward pass.

    The gradient of the weight is added up in float32 (4VH). Beside it are a chunk in bfloat16
    (C / 2) and either that chunk made again (bfloat16 and float32, 3C / 2) or its share of the
    weight's gradient (2VH). The forward pass holds two and a half chunks, and no gradient.
    """
    weight = shape.vocabulary * shape.hidden
    chunk = min(CHUNK_BYTES, 4 * tokens * shape.vocabulary)
    return max(4 * weight + chunk / 2 + max(2 * weight, 1.5 * chunk), 2.5 * chunk)


def _whole_logit_bytes(shape: ModelShape, tokens: int) -> float:
    """Bytes of logits in float32, their gradient in float32, and that in bfloat16."""
    return 10 * tokens * shape.vocabulary


def compute_scoring_peak(shape: ModelShape, tokens: int, *, chunked: bool = True) -> PassMemory:
    """Return what a forward pass without gradients holds at its peak.

    Embedding, a layer's input, the sum after attention and its norm (8H a token), and three tensors
    of the MLP (6I); or the last norm (2H) and two and a half chunks of logits.
    """
    layer = tokens * (8 * shape.hidden + 6 * shape.intermediate + 4 * shape.head)
    head = tokens * 2 * shape.hidden
    chunk = min(CHUNK_BYTES, 4 * tokens * shape.vocabulary)
    logits = 2.5 * chunk if chunked else 6 * tokens * shape.vocabulary
    if layer >= head + logits:
        return PassMemory(layer, 0.0)
    return PassMemory(head, logits)
