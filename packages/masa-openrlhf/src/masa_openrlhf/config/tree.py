"""One tree of settings for a run: the paper's values are the defaults, each with its unit.

It is read from a preset, then a TOML file, then flags; written whole into the run's folder; and
turned into OpenRLHF's own arguments by ``openrlhf_args``. Nothing here imports the stack.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro
from masa_control import (
    HINT_TEMPLATE,
    JUDGEMENTS,
    Alignment,
    AuditedGateSettings,
    CalibratedCutoffSettings,
    ControlSettings,
    EpisodeSettings,
    ExpertSettings,
    HintSettings,
    Judgement,
    LengthCutoff,
    PredictiveGate,
    asked_for,
    load_signals,
)
from masa_rewards import ENGLISH_STOP_WORDS, MetaPrompt, NotionRules
from pydantic import BaseModel, ConfigDict, Field, model_validator

Schedule = Literal[
    "constant",
    "constant_with_warmup",
    "inverse_sqrt",
    "linear",
    "cosine",
    "cosine_with_restarts",
    "cosine_with_min_lr",
    "cosine_warmup_with_min_lr",
    "polynomial",
]
"""Those of transformers that need nothing but a warm-up and a number of steps."""

WITHOUT_END = ("constant", "constant_with_warmup", "inverse_sqrt")
"""Those that are the same however long a run is."""

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
    rewards: tuple[Judgement, ...] = JUDGEMENTS
    """Which of the three are paid; all are measured."""
    signals: tuple[str, ...] = ()
    """Predictions of your own beside the three, as 'package.module:Class'; see docs/signals.md."""
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


class GateConfig(_Section):
    """Mode masa-efficient: which problems are not worth rolling out. See docs/control.md."""

    rule: Literal["static", "audited", "off"] = "static"
    """static (the paper): predictions agree on 0 or 1; audited: limits that follow what audits
    show, so that precision stays above a target."""
    audit: float = Field(default=0.05, ge=0, le=1)
    """Share of what it would skip that is rolled out all the same, to see; 0: the paper's way, and
    nobody knows whether the gate is right."""
    audit_trivial: float | None = Field(default=None, ge=0, le=1)
    """Another share for what it would skip as trivial; unset: the same. Such solutions are short,
    so that looking is cheap; and what a policy always solved it may forget unseen."""
    max_std: float = Field(default=0.1, gt=0)
    """static: predicted pass rates with this standard deviation or more do not agree."""
    tolerance: float = Field(default=0.0, ge=0, lt=0.5)
    """static: how far from 0 or 1 their mean may lie."""
    min_readable: float = Field(default=0.5, gt=0, le=1)
    """With a smaller share of readable predictions nothing is skipped."""
    precision: float = Field(default=0.9, gt=0, lt=1)
    """audited: target share of skipped problems whose solutions would all have agreed."""
    caution: float = Field(default=1.0, ge=0)
    """audited: standard errors by which the estimate must lie above the target."""
    window: int = Field(default=512, ge=1)
    """audited: problems remembered for each end."""
    max_distance: float = Field(default=0.35, gt=0, lt=0.5)
    """audited: predictions that lie farther from 0 or 1 (root mean square) are never enough."""
    count_skipped: bool = True
    """Skipped problems count in the mean that the policy loss is, as groups without variance do:
    a group weighs what it would without a gate. Where not, it weighs more the more are skipped.
    Nothing of a batch that is refilled (refill, or algorithm dapo) is missing: there it is the
    same."""
    refill: bool = False
    """Draw further problems in the places of skipped ones, until the batch is full."""
    refill_limit: int = Field(default=4, ge=1)
    """With refill: at most so many times batch.problems are drawn a step."""


class CutoffConfig(_Section):
    """Mode masa-efficient: when a solution is given up. See docs/control.md."""

    rule: Literal["fixed", "calibrated", "off"] = "fixed"
    """fixed (the paper): at margin times the predicted length; calibrated: the margin follows, so
    that at most cut_share of correct solutions are cut."""
    audit: float = Field(default=0.05, ge=0, le=1)
    """Share of the problems it would cut whose solutions run on all the same, to see."""
    margin: float = Field(default=2.0, gt=0)
    """fixed: times the predicted length."""
    cut_share: float = Field(default=0.05, gt=0, lt=1)
    """calibrated: largest share of correct solutions that may be cut."""
    window: int = Field(default=128, ge=1)
    """calibrated: problems remembered."""
    min_problems: int = Field(default=16, ge=1)
    """calibrated: problems with a correct solution before anything is cut."""
    max_age: int = Field(default=20, ge=1)
    """calibrated: steps for which a problem is remembered; with fewer than min_problems nothing is
    cut."""
    cut_is: Literal["unknown", "wrong"] = "unknown"
    """What a cut solution is that had not stated the right answer: unknown (neither right nor
    wrong: no reward, outside the pass rate) or wrong (the paper)."""


class ExpertsConfig(_Section):
    """Mode masa-efficient: cloning of the best predictions, with true numbers (DAgger)."""

    batch: int = Field(default=32, ge=0)
    """Experts cloned a step; 0: none."""
    weight: float = Field(default=0.1, ge=0)
    """Of the cloning loss, beside 1 for the policy's."""
    number_weight: float = Field(default=8.0, gt=0)
    """Of a token of a true number within it, beside 1 for any other token of a prediction."""
    passes: int = Field(default=2, ge=0)
    """More optimiser steps a step, on experts alone, while predictions decide nothing yet: without
    a token made, predictions agree with the truth sooner. 0: none. See docs/results.md."""
    threshold: float = Field(default=0.0, ge=0, le=1)
    """Only predictions that earned at least this. Where no solution is correct at most a third is
    to be had: with 0.2 a policy is taught to say so only if it says so already."""
    capacity: int = Field(default=1024, ge=1)
    """Experts kept, one a problem."""
    max_age: int = Field(default=20, ge=1)
    """Steps after which one is dropped."""


class HintsConfig(_Section):
    """Mode masa-efficient: predicted notions are put to the problem (paper, second version)."""

    enabled: bool = False
    record: bool = False
    """Only notions that stood in a larger share of correct solutions than of incorrect ones."""
    max_notions: int = Field(default=5, ge=1)
    min_seen: int = Field(default=16, ge=1)
    """Solutions in which a notion must have stood for its record to count."""
    template: str = HINT_TEMPLATE
    """How they are put; holds {problem} and {notions}."""


class ScheduleConfig(_Section):
    """Mode masa-efficient: from when on predictions decide."""

    start: int = Field(default=80, ge=0)
    """The first so many steps are plain MASA; with aligned, at most so many."""
    meta_weight: float | None = Field(default=None, ge=0)
    """meta.weight from the start step on; as before it where not set."""
    clone_weight: float | None = Field(default=None, ge=0)
    """experts.weight from the start step on, likewise: what has been learned needs less to be kept
    up, and every bit of it is taken from the policy's own step."""
    aligned: bool = False
    """Start as soon as the gate, watched while it decides nothing, is as good as this:"""
    precision: float = Field(default=0.8, gt=0, lt=1)
    """the lower end of its precision's interval,"""
    recall: float = Field(default=0.3, ge=0, lt=1)
    """and its recall,"""
    steps: int = Field(default=10, ge=1)
    """over so many steps."""


class SamplingConfig(_Section):
    """How rollouts are sampled."""

    ahead: float = Field(default=1.0, ge=1)
    """Where problems are replaced (algorithm dapo, gate.refill): times as many drawn at once as are
    missing. At 1 each is replaced as soon as it falls out, and the last places wait for several
    episodes in a row; at 2 a batch of which half falls out is full at once, and what is more than
    full is counted with the replaced, and not trained on."""

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
    """Steps over which the learning rate rises to its value, cloning passes of theirs included."""
    schedule: Schedule = "constant_with_warmup"
    """Learning-rate schedule, as transformers names it."""
    max_norm: float = Field(default=1.0, gt=0)
    """Gradient clipping."""
    clip_low: float = Field(default=0.2, gt=0)
    clip_high: float = Field(default=0.28, gt=0)
    """The ratio is clipped to [1 - clip_low, 1 + clip_high]."""
    updates_per_step: int = Field(default=1, ge=1)
    """Optimiser steps a batch of rollouts is split into."""
    apart: bool = False
    """Predictions and experts take an optimiser step of their own after the solutions', with a
    gradient clipping of its own: two steps of the learning rate's schedule where there was one."""
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
    max_tokens_per_gpu: int = Field(default=16384, ge=1)
    """Tokens a GPU trains on at a time, where sequences are packed; a longer one goes alone."""


class ClusterConfig(_Section):
    """Machines, and how the models lie on them."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    """auto: what the installed vLLM is built for."""
    nodes: int = Field(default=1, ge=1)
    gpus_per_node: int = Field(default=8, ge=1)
    """Ranks of the policy, a node."""
    engines: int | None = Field(default=None, ge=1)
    """vLLM engines; unset: as many as nodes x gpus_per_node hold, each of tensor_parallel GPUs.
    Other than that only where they do not share the policy's GPUs (colocate)."""
    tensor_parallel: int = Field(default=1, ge=1)
    """GPUs an engine spans."""
    colocate: bool = True
    """Policy and engines share the GPUs and take turns on them."""
    zero_stage: Literal[1, 2, 3] = 3
    """What DeepSpeed shards over the ranks: 1 the optimiser's states, 2 gradients too, 3 weights
    too. The gradient is the same."""
    pack: bool = True
    """Pack sequences of different length into micro-batches (on GPUs)."""
    gradient_checkpointing: bool = True
    gpu_memory: float = Field(default=0.85, gt=0, le=1)
    """Share of a GPU's memory that an engine takes while it generates. The policy leaves the rest
    empty meanwhile, but for its weights' shard and what CUDA and NCCL hold: some 5 to 7 GiB."""
    engine_sequences: int = Field(default=512, ge=1)
    """Sequences an engine works on at a time, at most (vLLM's max_num_seqs); on GPUs."""
    engine_tokens: int = Field(default=8192, ge=1)
    """Tokens an engine takes in one pass, at most (its max_num_batched_tokens); on GPUs."""
    open_ray: bool = False
    """Join the Ray cluster that RAY_ADDRESS names although it asks for no token: whoever reaches
    its ports runs commands on it. See SECURITY.md."""
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
    wandb: str | None = None
    """Project on Weights & Biases to log to; its key is that of WANDB_API_KEY or of `wandb login`,
    and is written nowhere."""
    timeline: bool = False
    """Write when each request to vLLM began and ended, a line each, to timeline.jsonl."""


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

    mode: Literal["masa", "masa-efficient", "grpo"] = "masa"
    """masa: solutions and predictions; masa-efficient: predictions first, from the start step on,
    and they decide what is rolled out; grpo: solutions alone, the baseline."""
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
    """Stop after so many steps; unset: when the epochs are over. Where problems are replaced
    (algorithm dapo, gate.refill) a pass has fewer steps than problems make batches, and nobody
    knows how many: so many steps are then taken, over as many passes as they need."""
    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    meta: MetaConfig = MetaConfig()
    solution: SolutionConfig = SolutionConfig()
    gate: GateConfig = GateConfig()
    cutoff: CutoffConfig = CutoffConfig()
    experts: ExpertsConfig = ExpertsConfig()
    hints: HintsConfig = HintsConfig()
    schedule: ScheduleConfig = ScheduleConfig()
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
        for part in ("{problem}", "{notions}"):
            if self.hints.template.count(part) != 1:
                raise ValueError(
                    f"hints.template must hold {part} exactly once, got {self.hints.template!r}"
                )
        if self.cluster.engines is None and self.world_size % self.cluster.tensor_parallel:
            raise ValueError(
                f"cluster.nodes x cluster.gpus_per_node ({self.cluster.nodes} x "
                f"{self.cluster.gpus_per_node}) GPUs are no whole engines of "
                f"cluster.tensor_parallel ({self.cluster.tensor_parallel}) GPUs"
            )
        self.control_settings()
        self.episode_settings()  # its own checks, now rather than on a cluster's node
        return self

    @property
    def meta_rollouts(self) -> int:
        """M as it is played: 0 in the baseline."""
        return 0 if self.mode == "grpo" else self.meta.rollouts

    @property
    def clones(self) -> int:
        """Experts cloned a step; 0 where nothing is cloned."""
        return self.experts.batch if self.mode == "masa-efficient" else 0

    @property
    def counts_skipped(self) -> bool:
        """Whether skipped problems count in the loss: where nothing is drawn in their places."""
        refilled = self.gate.refill or self.algorithm == "dapo"
        return self.mode == "masa-efficient" and self.gate.count_skipped and not refilled

    @property
    def replaces(self) -> bool:
        """Whether a step may draw more problems than its batch has: how many varies."""
        refilled = self.mode == "masa-efficient" and self.gate.refill
        return refilled or self.algorithm == "dapo"

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

    @property
    def clone_passes(self) -> int:
        """Optimiser steps on experts alone before the start step; 0 where nothing is cloned."""
        return self.experts.passes if self.clones else 0

    def meta_weight(self, decides: bool) -> float:
        """Return the weight of the meta groups: another one, where set, once predictions decide."""
        later = self.schedule.meta_weight
        return self.meta.weight if later is None or not decides else later

    def clone_weight(self, decides: bool) -> float:
        """Return the weight of the cloning loss, likewise."""
        later = self.schedule.clone_weight
        return self.experts.weight if later is None or not decides else later

    @property
    def updates(self) -> int:
        """Optimiser steps a step, those of `experts.passes` aside."""
        parts = 2 if self.optim.apart and self.meta_rollouts else 1
        return parts * self.optim.updates_per_step

    def optimiser_steps(self, steps: int) -> int:
        """Return how many optimiser steps the first ``steps`` steps take, clones included."""
        return steps * self.updates + min(steps, self.schedule.start) * self.clone_passes

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

    def meta_prompt(self) -> MetaPrompt:
        """Return the meta prompt of this run."""
        prompt = MetaPrompt(**self.meta.prompt.model_dump(), max_length=self.solution.max_tokens)
        return asked_for(prompt, load_signals(self.meta.signals))

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
            signals=load_signals(self.meta.signals),
            judgements=self.meta.rewards,
            cut_is=self.cutoff.cut_is,
            hint_template=self.hints.template,
            prompt_max_tokens=self.data.prompt_max_tokens,
            count_notions=self.mode != "grpo",
        )

    def control_settings(self) -> ControlSettings | None:
        """Return what predictions decide; None in the modes in which they decide nothing."""
        if self.mode != "masa-efficient":
            return None
        hints, schedule = self.hints, self.schedule
        return ControlSettings(
            gate=self._gate(),
            gate_audit=self.gate.audit,
            gate_audit_trivial=self.gate.audit_trivial,
            cutoff=self._cutoff(),
            cutoff_audit=self.cutoff.audit,
            experts=ExpertSettings(
                threshold=self.experts.threshold,
                capacity=self.experts.capacity,
                max_age=self.experts.max_age,
            )
            if self.clones
            else None,
            clones=self.clones,
            hints=HintSettings(
                max_notions=hints.max_notions, record=hints.record, min_seen=hints.min_seen
            )
            if hints.enabled
            else None,
            start=schedule.start,
            aligned=Alignment(schedule.precision, schedule.recall, schedule.steps)
            if schedule.aligned
            else None,
        )

    def _gate(self) -> PredictiveGate | AuditedGateSettings | None:
        gate = self.gate
        if gate.rule == "static":
            return PredictiveGate(gate.max_std, gate.tolerance, gate.min_readable)
        if gate.rule == "off":
            return None
        return AuditedGateSettings(
            precision=gate.precision,
            caution=gate.caution,
            window=gate.window,
            max_distance=gate.max_distance,
            min_readable=gate.min_readable,
        )

    def _cutoff(self) -> LengthCutoff | CalibratedCutoffSettings | None:
        cutoff = self.cutoff
        if cutoff.rule == "fixed":
            return LengthCutoff(cutoff.margin)
        if cutoff.rule == "off":
            return None
        return CalibratedCutoffSettings(
            cutoff.cut_share, cutoff.window, cutoff.min_problems, cutoff.max_age
        )
