"""One tree of settings for a run: the paper's values are the defaults, each with its unit.

It is read from a preset, then a TOML file, then flags (``layers``); written whole into the run's
folder; and turned into OpenRLHF's own arguments by ``arguments``. A setting is declared once, where
it is used: those of predictions and decisions in masa-control and masa-rewards, those of the stack
in ``sections``. Nothing here imports the stack.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

import tyro
from masa_control import (
    ControlSettings,
    EpisodeSettings,
    GateOff,
    MetaSettings,
    SolutionSettings,
    StepWeights,
    WaveSettings,
    choose_step_weights,
    load_signals,
)
from masa_rewards import MetaPrompt
from pydantic import Field, model_validator

from masa_openrlhf.config.control_rules import allows_few_predictions, check_control
from masa_openrlhf.config.sections import (
    BatchConfig,
    CheckpointConfig,
    ClusterConfig,
    DataConfig,
    HeldOutConfig,
    LogConfig,
    ModelConfig,
    OptimConfig,
    SamplingConfig,
    TinyConfig,
    VerifierConfig,
    WarmupConfig,
)

OpenRLHFValue = str | int | float | bool | list[str] | list[int] | list[float]


class TrainConfig(ControlSettings):
    """A training run."""

    mode: Literal["masa", "masa-efficient", "grpo"] = "masa"
    """masa: solutions and predictions. masa-efficient: predictions come first, from the start step
    on, and decide what is rolled out; or another reader decides (reader.rule), and with
    meta.rollouts = 0 there are none. grpo: solutions alone, the baseline."""
    algorithm: Literal["grpo", "dr_grpo", "dapo"] = "grpo"
    """dapo adds to grpo dynamic sampling (problems whose solutions all agree are replaced) and the
    penalty on overlong solutions. dr_grpo: advantages are not divided by the group's standard
    deviation."""
    name: str = "masa"
    """Begins the name of the run's folder."""
    runs: Path = Path("runs")
    """Folder in which run folders are made."""
    seed: int = 0
    """Seed of the run: order of problems, sampling, audits, experts."""
    epochs: int = Field(default=1, ge=1)
    """Passes over the problems."""
    max_steps: int | None = Field(default=None, ge=1)
    """Steps of the run, at most; unset: until the epochs are over. Where problems are replaced
    (algorithm dapo, gate.refill) the number of steps in an epoch is not known beforehand: exactly
    max_steps are then taken, over as many passes as they need."""
    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    meta: MetaSettings = MetaSettings()
    solution: SolutionSettings = SolutionSettings()
    sampling: SamplingConfig = SamplingConfig()
    optim: OptimConfig = OptimConfig()
    batch: BatchConfig = BatchConfig()
    cluster: ClusterConfig = ClusterConfig()
    verifier: VerifierConfig = VerifierConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    eval: HeldOutConfig = HeldOutConfig()
    log: LogConfig = LogConfig()
    tiny: TinyConfig = TinyConfig()
    warmup: WarmupConfig = WarmupConfig()
    openrlhf: Annotated[dict[str, OpenRLHFValue], tyro.conf.Suppress] = Field(default_factory=dict)
    """Any of OpenRLHF's own flags, by name without the dashes."""

    @model_validator(mode="after")
    def _check(self) -> TrainConfig:
        for kind in ("meta", "solution"):
            rollouts = getattr(self, kind).rollouts
            if rollouts < 2 and not (kind == "meta" and allows_few_predictions(self)):
                raise ValueError(
                    f"{kind}.rollouts must be at least 2, got {rollouts!r}: advantages are taken "
                    "within a group"
                )
        if self.control is not None:
            check_control(self)
        if self.cluster.engines is None and self.world_size % self.cluster.tensor_parallel:
            raise ValueError(
                f"cluster.nodes x cluster.gpus_per_node ({self.cluster.nodes} x "
                f"{self.cluster.gpus_per_node}) GPUs are no whole engines of "
                f"cluster.tensor_parallel ({self.cluster.tensor_parallel}) GPUs"
            )
        self.episode_settings()  # its own checks, now rather than on a cluster's node
        return self

    # -- the method --------------------------------------------------------------------------------

    @property
    def control(self) -> ControlSettings | None:
        """What predictions decide; None in the modes in which they decide nothing."""
        return self if self.mode == "masa-efficient" else None

    @property
    def meta_rollouts(self) -> int:
        """M as it is sampled: 0 in the baseline."""
        return 0 if self.mode == "grpo" else self.meta.rollouts

    def episode_settings(self) -> EpisodeSettings:
        """Return what an episode needs to know."""
        return EpisodeSettings(
            meta=self.meta.model_copy(update={"rollouts": self.meta_rollouts}),
            solution=self.solution,
            signals=load_signals(self.meta.signals),
            prompt_max_tokens=self.data.prompt_max_tokens,
            count_notions=self.mode != "grpo",
        )

    @property
    def meta_prompt(self) -> MetaPrompt:
        """The meta prompt of this run."""
        return self.episode_settings().meta_prompt

    @property
    def clones(self) -> int:
        """Experts cloned a step; 0 where nothing is cloned."""
        return self.experts.batch if self.control else 0

    @property
    def clone_passes(self) -> int:
        """Optimiser steps on experts alone before the start step; 0 where nothing is cloned."""
        return self.experts.passes if self.clones else 0

    def step_weights(self, decides: bool) -> StepWeights:
        """Return the weights of the loss's parts, before or after predictions decide."""
        return choose_step_weights(self.meta, self.experts, self.schedule, decides=decides)

    @property
    def refill_problems(self) -> int | None:
        """Problems drawn a step, at most, where skipped ones are replaced; None: they are not."""
        gate = self.gate
        if self.control is None or isinstance(gate, GateOff) or gate.most_drawn is None:
            return None
        return math.ceil(gate.most_drawn * self.batch.problems)

    @property
    def counts_skipped(self) -> bool:
        """Whether skipped problems count in the loss: where nothing is drawn in their places."""
        return self.control is not None and not self.replaces

    @property
    def counts_unmade(self) -> bool:
        """Whether solutions that were not made, since a group was stopped, count in the loss."""
        return self.control is not None and isinstance(self.allocation, WaveSettings)

    @property
    def replaces(self) -> bool:
        """Whether a step may draw more problems than its batch has: how many varies."""
        return self.refill_problems is not None or self.algorithm == "dapo"

    # -- its length --------------------------------------------------------------------------------

    @property
    def passes(self) -> int:
        """Passes over the problems, at most; each makes a step at least."""
        open_ended = self.replaces and self.max_steps is not None
        return max(self.epochs, self.max_steps or 1) if open_ended else self.epochs

    def steps(self, problems: int) -> int:
        """Return the steps of a run over so many problems; at most, where problems are replaced.

        That is exact with ``max_steps`` there too. The last batch of a pass may be smaller.
        """
        total = -(-problems // self.batch.problems) * self.passes
        return min(total, self.max_steps or total)

    def is_last_step(self, step: int, drawn: int, problems: int) -> bool:
        """Whether no step follows: all are taken, or all passes over the problems are over.

        Args:
            step: the step just taken.
            drawn: problems drawn in the whole run.
            problems: of the run's data.
        """
        return step >= self.steps(problems) or drawn >= self.passes * problems

    def optimiser_steps(self, steps: int) -> int:
        """Return how many optimiser steps the first ``steps`` steps take, clones included."""
        passes = min(steps, self.schedule.start) * self.clone_passes
        return steps * self.optim.updates_per_step + passes

    # -- the machines ------------------------------------------------------------------------------

    @property
    def context_tokens(self) -> int:
        """Longest sequence, prompt and response, tokens."""
        return self.data.prompt_max_tokens + max(self.solution.max_tokens, self.meta.max_tokens)

    @property
    def world_size(self) -> int:
        """Ranks of the policy."""
        return self.cluster.nodes * self.cluster.gpus_per_node

    @property
    def engines(self) -> int:
        """Engines of vLLM: as many as are set, or as the policy's GPUs hold."""
        return self.cluster.engines or self.world_size // self.cluster.tensor_parallel
