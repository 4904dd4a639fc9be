"""OpenRLHF's model wrapper on a GPU: an attention that is there, log-probabilities in chunks.

Both are put on OpenRLHF's ``Actor`` itself, since the policy, the reference and DeepSpeed's
strategy each look it up in another place. A pass of which log-probabilities are wanted goes through
``forward`` below; any other, and any model whose last layer is not a plain linear one, through
OpenRLHF's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from masa_openrlhf.gpu import attention, log_probs

_PREPARED = "_masa_prepared"


def install_actor() -> None:
    """Put ours on OpenRLHF's class; a second call does nothing."""
    from openrlhf.models.actor import Actor

    if getattr(Actor, "_masa_installed", False):
        return
    Actor._masa_installed = True
    Actor.__init__ = _wrap_loading(Actor.__init__)
    Actor.forward = _wrap_scoring(Actor.forward)


def _wrap_loading(stock: Callable[..., None]) -> Callable[..., None]:
    """Load with the attention that is there, and prepare the last layer."""

    def __init__(self: Any, pretrain_or_model: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        kwargs["attn_implementation"] = attention.choose_attention(
            kwargs.get("attn_implementation", "flash_attention_2"),
            packed=kwargs.get("packing_samples", False),
        )
        stock(self, pretrain_or_model, *args, **kwargs)
        prepared = not kwargs.get("use_liger_kernel", False) and log_probs.prepare_head(self.model)
        setattr(self, _PREPARED, prepared)

    return __init__


def _wrap_scoring(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Take log-probabilities, and entropy, from the last layer where it can give them."""

    def forward(
        self: Any,
        sequences: Any,
        action_mask: Any = None,
        attention_mask: Any = None,
        return_output: bool = False,
        allgather_logits: bool = False,
        return_logprobs: bool = False,
        ring_attn_group: Any = None,
        packed_seq_lens: Any = None,
        return_entropy: bool = False,
        **images: Any,
    ) -> Any:
        own = getattr(self, _PREPARED, False) and not getattr(self, "is_vlm", False)
        if own and action_mask is not None and ring_attn_group is None and not images:
            output = _run_model(self, sequences, attention_mask, entropy=return_entropy)
            if output is not None:
                scores = output["logits"][..., 0][:, :-1]
                scores = scores[:, -action_mask.shape[1] :] * action_mask.float()
                if return_entropy:
                    output.entropy = output["logits"][..., 1][:, :-1]
                return (scores, output) if return_output else scores
        return stock(
            self,
            sequences,
            action_mask,
            attention_mask,
            return_output,
            allgather_logits,
            return_logprobs,
            ring_attn_group,
            packed_seq_lens,
            return_entropy,
            **images,
        )

    return forward


def _run_model(actor: Any, sequences: Any, attention_mask: Any, *, entropy: bool) -> Any:
    """Run the model; its "logits" are (batch, length, 1 or 2) of log-probability and entropy.

    Returns:
        The model's output; None, once and for all, from a model that does something to its logits.
    """
    import torch
    from openrlhf.models.ring_attn_utils import gather_and_pad_tensor, unpad_and_slice_tensor

    batch, length = sequences.shape
    if actor.packing_samples:
        tokens, positions, labels, _, indices = unpad_and_slice_tensor(
            sequences, attention_mask, None
        )
        mask = None
    else:
        tokens, mask, labels = sequences, attention_mask, sequences.roll(-1, dims=1)
        positions = attention_mask.long().cumsum(-1) - 1
        positions.masked_fill_(attention_mask == 0, 1)
    head = getattr(actor.model, "module", actor.model).get_output_embeddings()
    with log_probs.ask_log_probs(
        head, labels, temperature=actor.temperature, entropy=entropy
    ) as asked:
        output = actor.model(tokens, attention_mask=mask, position_ids=positions)
    found = output["logits"]
    if not asked.answered(found):
        print("this model changes its logits after the last layer: they are kept whole, in float32")
        setattr(actor, _PREPARED, False)
        return None
    if actor.packing_samples:
        columns = [
            gather_and_pad_tensor(column, None, 0, indices, batch, length)
            for column in found.unbind(-1)
        ]
        output["logits"] = torch.stack(columns, dim=-1)
    return output
