"""Log-probabilities of the next tokens from hidden states, a chunk of tokens at a time.

OpenRLHF keeps the logits of a whole micro-batch in float32, and their gradients beside them: at
16,384 tokens and a vocabulary of 151,936 that is 9.3 GiB each. Here the last layer computes
log-probabilities itself. A chunk's logits live until its numbers are taken, and are computed again
for the gradient; neither logits nor their gradients are ever there for all tokens at once.

    log p_t = z_t[y_t] - logsumexp(z_t),  z_t = W h_t / temperature
    d log p_t / d z_t = onehot(y_t) - softmax(z_t)
    H_t = logsumexp(z_t) - sum(softmax(z_t) z_t)
    d H_t / d z_t = -softmax(z_t) (log softmax(z_t) + H_t)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from masa_openrlhf.plan.activations import CHUNK_BYTES

_REQUEST = "_masa_asked"


class _LogProbs(torch.autograd.Function):
    """(tokens, hidden) and the last layer -> (tokens, 1 or 2): log-probability, entropy if asked.

    Products are in the weight's dtype, as the layer's own would be; everything else in float32, and
    the weight's gradient is summed over chunks in float32.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Any,
        weight: Any,
        bias: Any,
        labels: Any,
        temperature: float,
        entropy: bool,
    ) -> Any:
        found = hidden.new_empty(len(hidden), 1 + entropy, dtype=torch.float32)
        normalisers = hidden.new_empty(len(hidden), 1, dtype=torch.float32)
        for part in _split_tokens(len(hidden), len(weight)):
            logits = _compute_logits(hidden[part], weight, bias, temperature)
            top = logits.amax(-1, keepdim=True)
            above = (logits - top).exp_().sum(-1, keepdim=True).log_()
            normalisers[part] = top + above
            logits -= normalisers[part]  # log softmax
            found[part, :1] = logits.gather(-1, labels[part, None])
            if entropy:
                found[part, 1] = -(logits.exp().mul_(logits)).sum(-1)
        # The weight is a parameter: kept by reference, and under ZeRO-3 gathered anew by then.
        ctx.save_for_backward(hidden, weight, bias, labels, normalisers, found)
        ctx.temperature = temperature
        return found

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        hidden, weight, bias, labels, normalisers, found = ctx.saved_tensors
        wants_hidden, wants_weight, wants_bias = ctx.needs_input_grad[:3]
        of_hidden = torch.empty_like(hidden) if wants_hidden else None
        of_weight = torch.zeros_like(weight, dtype=torch.float32) if wants_weight else None
        of_bias = torch.zeros_like(bias, dtype=torch.float32) if wants_bias else None
        for part in _split_tokens(len(hidden), len(weight)):
            logits = _compute_logits(hidden[part], weight, bias, ctx.temperature)
            logits -= normalisers[part]
            slopes = _compute_logit_gradient(logits, labels[part], gradient[part], found[part])
            slopes = slopes.div_(ctx.temperature).to(weight.dtype)
            del logits
            if of_hidden is not None:
                of_hidden[part] = slopes @ weight
            if of_weight is not None:
                of_weight += slopes.T @ hidden[part]
            if of_bias is not None:
                of_bias += slopes.sum(0, dtype=torch.float32)
        return (
            of_hidden,
            None if of_weight is None else of_weight.to(weight.dtype),
            None if of_bias is None else of_bias.to(bias.dtype),
            None,
            None,
            None,
        )


def _split_tokens(tokens: int, vocabulary: int) -> Iterator[slice]:
    size = max(1, CHUNK_BYTES // (4 * vocabulary))
    for begin in range(0, tokens, size):
        yield slice(begin, begin + size)


def _compute_logits(hidden: Any, weight: Any, bias: Any, temperature: float) -> Any:
    return torch.nn.functional.linear(hidden, weight, bias).float().div_(temperature)


def _compute_logit_gradient(log_softmax: Any, labels: Any, gradient: Any, found: Any) -> Any:
    """Return the gradient with regard to the logits; ``log_softmax`` is used up.

    ``gradient`` and ``found`` are (tokens, 1 or 2): of log-probability, and of entropy.
    """
    pull = gradient[:, :1]
    if gradient.shape[1] == 2:
        pull = (log_softmax + found[:, 1:]).mul_(gradient[:, 1:]).add_(pull)
    slopes = log_softmax.exp_().mul_(pull).neg_()
    return slopes.scatter_add_(1, labels[:, None], gradient[:, :1].contiguous())


def compute_log_probs(
    hidden: Any, weight: Any, bias: Any, labels: Any, *, temperature: float = 1.0, entropy: bool
) -> Any:
    """Return the labels' log-probabilities in float32: (..., 1), or (..., 2) with entropy.

    Args:
        hidden: (..., hidden size), what the last layer is given.
        weight: (vocabulary, hidden size) of the last layer.
        bias: (vocabulary), or none.
        labels: (...), the tokens that followed.
        temperature: logits are divided by it.
        entropy: add the entropy of each token's distribution.
    """
    flat = _LogProbs.apply(
        hidden.flatten(0, -2), weight, bias, labels.flatten(), float(temperature), entropy
    )
    return flat.unflatten(0, labels.shape)


# -- in a model's last layer -----------------------------------------------------------------------


@dataclass(slots=True)
class LogProbRequest:
    """What the last layer is asked for in a pass, and what it answered."""

    labels: Any
    temperature: float
    entropy: bool
    answer: Any = None

    def answered(self, logits: Any) -> bool:
        """Whether what a model returned as logits is the answer, and nothing was done to it."""
        return (
            self.answer is not None
            and logits.shape == self.answer.shape
            and logits.data_ptr() == self.answer.data_ptr()
        )


def prepare_head(model: Any) -> bool:
    """Teach a model's last layer to answer with log-probabilities when it is asked to.

    Returns:
        Whether it can: the layer is a plain linear one.
    """
    head = model.get_output_embeddings()
    if type(head) is not torch.nn.Linear:
        return False
    head.forward = partial(_forward_head, head)
    return True


@contextmanager
def ask_log_probs(
    head: Any, labels: Any, *, temperature: float, entropy: bool
) -> Iterator[LogProbRequest]:
    """Ask a prepared layer for log-probabilities in the passes within the block."""
    asked = LogProbRequest(labels, temperature, entropy)
    setattr(head, _REQUEST, asked)
    try:
        yield asked
    finally:
        delattr(head, _REQUEST)


def _forward_head(head: Any, hidden: Any) -> Any:
    """The layer's forward: logits, or log-probabilities where asked."""
    asked: LogProbRequest | None = getattr(head, _REQUEST, None)
    if asked is None:
        return torch.nn.functional.linear(hidden, head.weight, head.bias)
    asked.answer = compute_log_probs(
        hidden,
        head.weight,
        head.bias,
        asked.labels,
        temperature=asked.temperature,
        entropy=asked.entropy,
    )
    return asked.answer
