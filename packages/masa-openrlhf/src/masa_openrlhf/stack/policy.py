"""The policy actor: OpenRLHF's, with a training loop of ours, and a state that can be resumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import deepspeed
import numpy as np
import openrlhf.trainer.ray.ppo_actor as stock
import ray
import torch
import transformers
from numpy.typing import NDArray
from openrlhf.trainer.ray.ppo_actor import PolicyModelActor

from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.nodes.variables import export_secrets
from masa_openrlhf.reading.hidden_states import (
    MAX_TOKENS,
    batch_prompts,
    pad_prompts,
    pool_hidden_states,
)
from masa_openrlhf.run.wandb_login import Secret
from masa_openrlhf.stack.checkpoints import use_weights_only_loading
from masa_openrlhf.stack.offload_buffers import (
    drop_offload_buffers,
    free_moments,
    without_offload_buffers,
)
from masa_openrlhf.stack.policy_trainer import PolicyTrainer
from masa_openrlhf.stack.stopping import StopWatcher
from masa_openrlhf.weights.digest import ParameterDigest, digest_tensor


class PolicyActor(PolicyModelActor.__ray_metadata__.modified_class):
    """OpenRLHF's policy actor.

    Args:
        masa: the run's configuration.
        secrets: for this process's environment.
        *args: OpenRLHF's own.
        **kwargs: OpenRLHF's own.
    """

    def __init__(
        self,
        *args: Any,
        masa: TrainConfig,
        secrets: Mapping[str, Secret] | None = None,
        **kwargs: Any,
    ) -> None:
        export_secrets(secrets or {})
        super().__init__(*args, **kwargs)
        self.masa = masa
        use_weights_only_loading()

    def init_model_from_pretrained(
        self, strategy: Any, pretrain: str, max_steps: int, vllm_engines: Any = None
    ) -> None:
        """Load the model and build its engine; warm-up is a number of steps here, not a share."""
        warmup = self.masa.optimiser_steps(self.masa.optim.warmup_steps)
        ratio = min(1.0, warmup / max(1, max_steps))
        strategy.args.actor.lr_warmup_ratio = ratio
        strategy.load_ckpt = _load_moments_once(strategy.load_ckpt)
        stock.ActorPPOTrainer = PolicyTrainer  # looked up by the method that is called now
        super().init_model_from_pretrained(strategy, pretrain, max_steps, vllm_engines)

    def save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """Write a checkpoint, without what sleep keeps beside the optimiser's state."""
        with without_offload_buffers(self.actor.model.optimizer):
            super().save_checkpoint(*args, **kwargs)

    def fit(self, kl_ctl: float = 0) -> dict[str, float]:
        """Train on the samples at hand; their order depends on the seed and the step alone."""
        transformers.set_seed((self.masa.seed * 1_000_003 + self.actor.model.global_steps) % 2**32)
        status: dict[str, float] = super().fit(kl_ctl)
        return status

    def read_hidden(
        self, prompts: Sequence[Sequence[int]], depths: Sequence[float]
    ) -> dict[int, NDArray[np.float32]]:
        """Read prompts, and return what the policy makes of them; call it on every rank.

        Args:
            prompts: token ids of each.
            depths: which layers, as shares of the model's.

        Returns:
            Position -> features, of this rank's share of the prompts.
        """
        ds = self.strategy.args.ds
        split = ds.ring_attn_size == ds.tensor_parallel_size == 1
        ranks = torch.distributed.get_world_size() if split else 1
        batches = batch_prompts(list(map(len, prompts)), MAX_TOKENS, ranks)
        mine = batches[torch.distributed.get_rank() % ranks :: ranks]
        self.actor.eval()
        found: dict[int, NDArray[np.float32]] = {}
        with torch.no_grad():
            for batch in mine:
                pooled = self._read_batch([prompts[position] for position in batch], depths)
                found |= dict(zip(batch, pooled, strict=True))
        self.actor.train()
        return found

    def _read_batch(
        self, prompts: Sequence[Sequence[int]], depths: Sequence[float]
    ) -> NDArray[np.float32]:
        tokens, mask = pad_prompts(prompts, self.tokenizer.pad_token_id)
        device = next(self.actor.model.module.parameters()).device
        tokens, mask = tokens.to(device), mask.to(device)
        places = (mask.cumsum(dim=-1) - 1).clamp(min=0)
        # The whole model, since that is what DeepSpeed gathers weights for; of one token's logits.
        output = self.actor.model(
            tokens,
            attention_mask=mask,
            position_ids=places,
            output_hidden_states=True,
            use_cache=False,
            logits_to_keep=1,
        )
        return pool_hidden_states(output.hidden_states, mask, depths)

    def watch_stops(self, stops: StopWatcher, step: int) -> None:
        """Give the next update, the first of a step, up where the run is told to end in time."""
        self.trainer.watch_stops(stops, step)

    def weight_digest(self) -> dict[str, ParameterDigest]:
        """Return the digest of every parameter, by Hugging Face names; call it on every rank."""
        gathered = self.strategy.args.ds.zero_stage == 3
        found = {}
        for name, parameter in self.actor.model.module.named_parameters():
            with deepspeed.zero.GatheredParameters([parameter], enabled=gathered):
                found[name] = digest_tensor(parameter)
        torch.cuda.empty_cache()  # what was gathered is not to lie there while vLLM generates
        return found


def _load_moments_once(load: Callable[..., Any]) -> Callable[..., Any]:
    """Have what loads a checkpoint make room for its moments, and leave buffers out.

    An earlier version wrote the buffers into its checkpoints.
    """

    def load_ckpt(model: Any, *args: Any, **kwargs: Any) -> Any:
        free_moments(model.optimizer)
        found = load(model, *args, **kwargs)
        drop_offload_buffers(model.optimizer)
        return found

    return load_ckpt


PolicyRayActor = ray.remote(num_gpus=1)(PolicyActor)
