"""What is planned: a configuration on cards of a kind, and the lengths that are assumed of it."""

from __future__ import annotations

from dataclasses import dataclass

from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.plan.cards import CardSpec
from masa_openrlhf.plan.shapes import ModelShape


@dataclass(frozen=True, slots=True)
class Lengths:
    """Mean lengths that a plan assumes, tokens.

    Attributes:
        prompt: of a prompt.
        solution: of a solution.
        prediction: of a prediction.
    """

    prompt: float
    solution: float
    prediction: float


def assume_lengths(config: TrainConfig) -> Lengths:
    """Return the lengths of the paper's runs, as shares of the longest allowed.

    Solutions 6,251 of 8,192 tokens and predictions 2,293 of 4,096 on average (section 4.4); prompts
    256 tokens.
    """
    return Lengths(
        min(256, config.data.prompt_max_tokens),
        config.solution.max_tokens * 6251 / 8192,
        config.meta.max_tokens * 2293 / 4096,
    )


@dataclass(frozen=True, slots=True)
class Setup:
    """What is planned: a configuration, on cards of a kind.

    Attributes:
        config: the run's.
        shape: the model's sizes.
        card: each GPU.
        lengths: what is assumed of them.
    """

    config: TrainConfig
    shape: ModelShape
    card: CardSpec
    lengths: Lengths

    @property
    def longest_batch(self) -> int:
        """Tokens of the largest micro-batch: a sequence longer than the limit goes alone."""
        batch, cluster = self.config.batch, self.config.cluster
        limit = batch.max_tokens_per_gpu if cluster.pack else 1
        alone = self.config.context_tokens * (1 if cluster.pack else batch.train_micro)
        return max(limit, alone)

    @property
    def adam_on_host(self) -> bool:
        """Whether the optimiser works in the node's memory (OpenRLHF's ``ds.adam_offload``)."""
        return bool(self.config.openrlhf.get("ds.adam_offload"))

    @property
    def gradient_width(self) -> int:
        """Bytes of an element of the gradients that are added up."""
        return 2 if self.config.openrlhf.get("ds.grad_accum_dtype") in ("bf16", "fp16") else 4

    @property
    def step_tokens(self) -> float:
        """Tokens of a step's prompts and responses, predictions that decide nothing counted in."""
        config, lengths = self.config, self.lengths
        solutions = config.solution.rollouts * (lengths.prompt + lengths.solution)
        predictions = config.meta_rollouts * (lengths.prompt + lengths.prediction)
        return config.batch.problems * (solutions + predictions)
