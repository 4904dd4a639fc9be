"""One tree of settings for a run: the paper's values are the defaults, each with its unit.

It is read from a preset, then a TOML file, then flags; written whole into the run's folder; and
turned into OpenRLHF's own arguments by ``openrlhf_args``. Nothing here imports the stack.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro
from masa_control import EpisodeSettings
from masa_rewards import ENGLISH_STOP_WORDS, MetaPrompt, NotionRules
from pydantic import BaseModel, ConfigDict, Field, model_validator

OpenRLHFValue = str | int | float | bool | list[str] | list[int] | list[float]

SOLUTION_TEMPLATE = (
    "{problem}\n\nPlease reason step by step, and put your final answer within \\boxed{}."
)


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True
    )


class ModelConfig(_Section):
    """The policy."""

    path: str | None = None
    """Hugging Face name or folder of the model; unset: the tiny model, made on the spot."""
    chat_template: bool = True
    """Put prompts to the model in its tokenizer's chat form."""
    attention: str = "flash_attention_2"
    """Attention of the training side, as transformers names it."""


class DataConfig(_Section):
    """Problems and their gold answers."""

    train: str | None = None
    """File (.parquet, .jsonl, .json) or hub name; unset: the tiny problems, made on the spot."""
    eval: str | None = None
    """Held-out problems, likewise; unset: no evaluation (tiny problems bring their own)."""
    split: str = "train"
    """Split to take where the source has several."""
    problem_key: str | None = None
    """Column of the statement; unset: 'prompt' (chat messages or text), 'problem' or 'question'."""
    answer_key: str | None = None
    """Column of the gold answer, dots for nesting; unset: the verl form, else 'answer'."""
    prompt_max_tokens: int = Field(default=2048, ge=1)
    """Problems with a longer prompt, of either kind, are left out and counted; tokens."""
    max_problems: int | None = Field(default=None, ge=1)
    """Take only so many problems; unset: all."""


class MetaPromptConfig(_Section):
    """How a prediction is asked for: masa_rewards.MetaPrompt, the longest length aside.

    That is solution.max_tokens.
    """

    wording: str = MetaPrompt().wording
    """The prompt, with {problem} once; see masa_rewards.MetaPrompt for the other placeholders."""
    scale: int = 8
    """The pass rate is predicted as an integer from 0 to this."""
    min_length: int = 128
    """Shortest solution length that can be predicted, tokens."""
    pass_rate_key: str = "pass_rate"
    length_key: str = "solution_length"
    notions_key: str = "math_notion"
    opening: str = "<meta>"
    closing: str = "</meta>"


class NotionsConfig(_Section):
    """Which notions count, and when one pays: masa_rewards.NotionRules. See docs/notions.md."""

    counting: Literal["rollout", "rate"] = "rollout"
    """A notion pays that is in more correct than incorrect solutions (rollout, the paper), or in a
    larger share of them (rate)."""
    min_length: int = Field(default=1, ge=1)
    """Fewest letters and digits of a notion that counts."""
    stop_list: Literal["none", "english"] = "none"
    """Leave out notions of nothing but articles, pronouns, prepositions and the like."""
    stop_words: tuple[str, ...] = ()
    """More words of which a notion is left out."""


class MetaConfig(_Section):
    """Meta rollouts: the predictions."""

    rollouts: int = Field(default=8, ge=2)
    """M, predictions a problem."""
    max_tokens: int = Field(default=4096, ge=1)
    """Longest prediction, tokens."""
    weight: float = Field(default=1.0, ge=0)
    """Factor on the advantages of the meta group, beside 1 for the solution group."""
    difficulty_base: float = Field(default=0.01, gt=0, lt=1)
    """b of the difficulty reward b ** |p - p̂|."""
    notions: NotionsConfig = NotionsConfig()
    prompt: MetaPromptConfig = MetaPromptConfig()


class SolutionConfig(_Section):
    """Solution rollouts."""

    rollouts: int = Field(default=16, ge=2)
    """G, solutions a problem."""
    max_tokens: int = Field(default=8192, ge=1)
    """Longest solution, tokens."""
    template: str = SOLUTION_TEMPLATE
    """The prompt; {problem} stands for the statement."""


class SamplingConfig(_Section):
    """How rollouts are sampled."""

    temperature: float = Field(default=1.0, gt=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seeded: bool = False
    """Give every request a seed of its own, so that a resumed run samples what it would have; this
    costs some speed on a GPU."""


class OptimConfig(_Section):
    """The policy step."""

    lr: float = Field(default=1e-6, gt=0)
    weight_decay: float = Field(default=0.1, ge=0)
    betas: tuple[float, float] = (0.9, 0.95)
    warmup_steps: int = Field(default=20, ge=0)
    """Optimiser steps over which the learning rate rises to its value."""
    schedule: str = "constant_with_warmup"
    """Learning-rate schedule, as transformers names it."""
    max_norm: float = Field(default=1.0, gt=0)
    """Gradient clipping."""
    clip_low: float = Field(default=0.2, gt=0)
    clip_high: float = Field(default=0.28, gt=0)
    """The ratio is clipped to [1 - clip_low, 1 + clip_high]."""
    updates_per_step: int = Field(default=1, ge=1)
    """Optimiser steps a batch of rollouts is split into."""
    mismatch_correction: Literal["off", "token", "seq"] = "token"
    """Importance-sampling correction of the gap between vLLM's and the trainer's probabilities."""


class BatchConfig(_Section):
    """Sizes of a step."""

    problems: int = Field(default=128, ge=1)
    """Problems a step."""
    train_micro: int = Field(default=1, ge=1)
    """Sequences a rank trains on at a time, where packing does not decide it."""
    forward_micro: int = Field(default=4, ge=1)
    """Sequences a rank scores at a time, likewise."""
    max_tokens_per_gpu: int = Field(default=32768, ge=1)
    """Tokens a GPU trains on at a time, where sequences are packed."""


class ClusterConfig(_Section):
    """Machines, and how the models lie on them."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    """auto: what the installed vLLM is built for."""
    nodes: int = Field(default=1, ge=1)
    gpus_per_node: int = Field(default=8, ge=1)
    """Ranks of the policy, a node."""
    engines: int = Field(default=8, ge=1)
    """vLLM engines."""
    tensor_parallel: int = Field(default=1, ge=1)
    """GPUs an engine spans."""
    colocate: bool = True
    """Policy and engines share the GPUs and take turns on them."""
    zero_stage: Literal[1, 2, 3] = 2
    pack: bool = True
    """Pack sequences of different length into micro-batches (needs flash-attn)."""
    gradient_checkpointing: bool = True
    gpu_memory: float = Field(default=0.7, gt=0, le=1)
    """Share of a GPU's memory that an engine takes while it generates."""
    check_weights: int = Field(default=2, ge=0)
    """For so many first steps, compare the weights in vLLM with the policy's, and stop if they
    differ. Two, since warm-up may leave them where they are in the first."""


class VerifierConfig(_Section):
    """The judge of answers: worker processes beside each engine."""

    workers: int = Field(default=4, ge=1)
    timeout: float = Field(default=5.0, gt=0)
    """Longest a case may take, seconds."""
    memory_mb: int = Field(default=2048, ge=256)
    """Memory a worker may take, MiB."""


class CheckpointConfig(_Section):
    """What a run can go on from."""

    every: int = Field(default=10, ge=1)
    """Steps from one checkpoint to the next."""
    keep: int = Field(default=2, ge=2)
    """Checkpoints kept. At least 2: the older one goes before the newer one is whole."""


class EvalConfig(_Section):
    """Evaluation on the held-out problems while training."""

    every: int = Field(default=20, ge=1)
    """Steps from one evaluation to the next; one is made after the last step too."""
    rollouts: int = Field(default=4, ge=1)
    """Solutions a problem."""
    temperature: float = Field(default=0.6, gt=0)


class LogConfig(_Section):
    """What a run writes beside its metrics."""

    episodes: int = Field(default=2, ge=0)
    """Episodes written out whole, a step."""
    tensorboard: bool = True


class TinyConfig(_Section):
    """The embedded default, used where no model or no data is named."""

    problems: int = Field(default=1024, ge=8)
    """Problems made for training."""
    held_out: int = Field(default=64, ge=1)
    """Problems made for evaluation."""
    seed: int = 0
    """Of the problems, the model and its warm-up."""


class TrainConfig(_Section):
    """A training run."""

    mode: Literal["masa", "grpo"] = "masa"
    """masa: solutions and predictions; grpo: solutions alone, the baseline."""
    algorithm: Literal["grpo", "dr_grpo", "dapo"] = "grpo"
    """dapo adds to grpo: dynamic sampling (problems whose solutions all agree are replaced), the
    penalty on overlong solutions. dr_grpo: advantages are not divided by the group's spread."""
    name: str = "masa"
    """Begins the name of the run's folder."""
    runs: Path = Path("runs")
    """Where run folders are made."""
    seed: int = 0
    epochs: int = Field(default=1, ge=1)
    """Passes over the problems."""
    max_steps: int | None = Field(default=None, ge=1)
    """Stop after so many steps; unset: when the epochs are over."""
    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    meta: MetaConfig = MetaConfig()
    solution: SolutionConfig = SolutionConfig()
    sampling: SamplingConfig = SamplingConfig()
    optim: OptimConfig = OptimConfig()
    batch: BatchConfig = BatchConfig()
    cluster: ClusterConfig = ClusterConfig()
    verifier: VerifierConfig = VerifierConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    eval: EvalConfig = EvalConfig()
    log: LogConfig = LogConfig()
    tiny: TinyConfig = TinyConfig()
    openrlhf: Annotated[dict[str, OpenRLHFValue], tyro.conf.Suppress] = Field(default_factory=dict)
    """Any of OpenRLHF's own flags, by name without the dashes."""

    @model_validator(mode="after")
    def _check(self) -> TrainConfig:
        if self.solution.template.count("{problem}") != 1:
            raise ValueError(
                "solution.template must hold {problem} exactly once, got "
                f"{self.solution.template!r}"
            )
        if self.meta.prompt.min_length >= self.solution.max_tokens:
            raise ValueError(
                f"meta.prompt.min_length ({self.meta.prompt.min_length}) must be below "
                f"solution.max_tokens ({self.solution.max_tokens}): predicted lengths lie between"
            )
        self.meta_prompt()  # its own checks, now rather than on a cluster's node
        return self

    @property
    def meta_rollouts(self) -> int:
        """M as it is played: 0 in the baseline."""
        return self.meta.rollouts if self.mode == "masa" else 0

    @property
    def context_tokens(self) -> int:
        """Longest sequence, prompt and response, tokens."""
        return self.data.prompt_max_tokens + max(self.solution.max_tokens, self.meta.max_tokens)

    @property
    def world_size(self) -> int:
        """Ranks of the policy."""
        return self.cluster.nodes * self.cluster.gpus_per_node

    def meta_prompt(self) -> MetaPrompt:
        """Return the meta prompt of this run."""
        return MetaPrompt(**self.meta.prompt.model_dump(), max_length=self.solution.max_tokens)

    def notion_rules(self) -> NotionRules:
        """Return which notions count in this run."""
        notions = self.meta.notions
        listed = ENGLISH_STOP_WORDS if notions.stop_list == "english" else frozenset()
        return NotionRules(
            counting=notions.counting,
            min_length=notions.min_length,
            stop_words=listed.union(notions.stop_words),
        )

    def episode_settings(self, *, solution_rollouts: int | None = None) -> EpisodeSettings:
        """Return what an episode needs, with another G where one is given."""
        return EpisodeSettings(
            meta_rollouts=self.meta_rollouts,
            solution_rollouts=solution_rollouts or self.solution.rollouts,
            meta_max_tokens=self.meta.max_tokens,
            solution_max_tokens=self.solution.max_tokens,
            meta_prompt=self.meta_prompt(),
            solution_template=self.solution.template,
            difficulty_base=self.meta.difficulty_base,
            notion_rules=self.notion_rules(),
        )
