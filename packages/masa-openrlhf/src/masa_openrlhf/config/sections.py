"""The sections of a run's settings that are this package's own: model, data, stack, machines.

Those of predictions and of what they decide are masa-control's and masa-rewards'.
"""

from __future__ import annotations

from typing import Literal

from masa_control import Settings
from pydantic import Field

LearningRateSchedule = Literal[
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

ENDLESS_SCHEDULES = ("constant", "constant_with_warmup", "inverse_sqrt")
"""Those that are the same however long a run is."""


class ModelConfig(Settings):
    """The policy."""

    path: str | None = None
    """Hugging Face name or folder of the model; unset: the tiny model, made on the spot."""
    chat_template: bool = True
    """Put prompts to the model in its tokenizer's chat form."""
    attention: str = "flash_attention_2"
    """Attention of the training side, as transformers names it."""


class ReasoningGymConfig(Settings):
    """Problems made by the library reasoning-gym, where data.train names its tasks."""

    problems: int = Field(default=2000, ge=1, le=1_000_000)
    """Problems made for training, the tasks in turn."""
    held_out: int = Field(default=200, ge=1, le=1_000_000)
    """Problems made for data.eval; none of them is a problem of the same tasks for training."""
    seed: int = Field(default=0, ge=0, le=400)
    """Seed of the problems: every one gives others."""
    level: int | None = Field(default=None, ge=0)
    """Difficulty, a level of the library's curriculum of each task, 0 the easiest; unset: each
    task's own defaults. What is given with a task, as in chain_sum(max_terms=3), goes over both."""


class DataConfig(Settings):
    """Problems and their gold answers."""

    train: str | None = None
    """A file (.parquet, .jsonl, .json, .csv; text also as .gz), a folder of such or of
    save_to_disk, a hub name, or reasoning_gym:TASK,...; unset: the tiny problems, made on the
    spot."""
    eval: str | None = None
    """Held-out problems, named as data.train is; unset: no evaluation (the tiny problems bring
    their own)."""
    split: str = "train"
    """Split to take where the source has several."""
    subset: str | None = None
    """Subset (configuration) of a hub's data set; unset: the usual one of a known data set, else
    the hub's default."""
    problem_key: str | None = None
    """Column of the statement, dots for nesting; unset: that of the known form the data have, else
    'prompt' (chat messages or text), 'problem' or 'question'."""
    answer_key: str | None = None
    """Column of the gold answer, dots for nesting; unset: that of the known form the data have,
    else the verl form, else 'answer'."""
    id_key: str | None = None
    """Column of the id, which two problems may not share; unset: that of the known form, else
    'id'; empty: the number of the row, from 0."""
    instruction: str | None = None
    """What the data put around each problem, with {problem} in its place: it is taken off. Those of
    DAPO-17k, verl and Qwen are known without it."""
    prompt_max_tokens: int = Field(default=2048, ge=1)
    """Longest prompt, tokens. Problems with a longer meta or solution prompt are left out and
    counted."""
    max_problems: int | None = Field(default=None, ge=1)
    """Number of problems taken from the start of the data; unset: all."""
    max_unmatchable: float = Field(default=0.3, ge=0, le=1)
    """Largest share of gold answers that no answer, or only the same text, can match ("proof", a
    rationale, damaged LaTeX); with more the data are refused."""
    reasoning_gym: ReasoningGymConfig = ReasoningGymConfig()


class SamplingConfig(Settings):
    """How rollouts are sampled."""

    ahead: float = Field(default=1.0, ge=1)
    """Where problems are replaced (algorithm dapo, gate.refill): this many times the missing
    problems are drawn at once. At 1 each is replaced as soon as it falls out, and the last places
    wait for several episodes in a row; at 2 a batch of which half falls out is full at once. What
    is more than full is counted with the replaced, and not trained on."""
    temperature: float = Field(default=1.0, gt=0)
    """Temperature of all training rollouts."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Nucleus sampling: the smallest set of tokens with this probability is sampled from."""
    seeded: bool = False
    """Give every request a seed of its own, so that a resumed run samples what it would have; this
    costs some speed on a GPU."""


class OptimConfig(Settings):
    """The optimiser step of the policy."""

    lr: float = Field(default=1e-6, gt=0)
    """Learning rate, at its highest."""
    weight_decay: float = Field(default=0.1, ge=0)
    """Weight decay of AdamW."""
    betas: tuple[float, float] = (0.9, 0.95)
    """Betas of AdamW."""
    warmup_steps: int = Field(default=20, ge=0)
    """Steps over which the learning rate rises to optim.lr; their cloning passes (experts.passes)
    are part of them."""
    schedule: LearningRateSchedule = "constant_with_warmup"
    """Learning-rate schedule, as transformers names it."""
    max_norm: float = Field(default=1.0, gt=0)
    """Gradient norm above which the gradient is clipped."""
    clip_low: float = Field(default=0.2, gt=0)
    """The probability ratio is clipped from below at 1 - optim.clip_low."""
    clip_high: float = Field(default=0.28, gt=0)
    """The probability ratio is clipped from above at 1 + optim.clip_high."""
    updates_per_step: int = Field(default=1, ge=1)
    """Optimiser steps a batch of rollouts is split into."""
    mismatch_correction: Literal["off", "token", "seq"] = "token"
    """Importance-sampling correction of the gap between vLLM's and the trainer's probabilities:
    off, by token or by sequence."""


class BatchConfig(Settings):
    """Sizes of a step."""

    problems: int = Field(default=128, ge=1)
    """Problems a step."""
    train_micro: int = Field(default=1, ge=1)
    """Sequences a rank trains on at a time, where sequences are not packed (cluster.pack)."""
    forward_micro: int = Field(default=4, ge=1)
    """Sequences a rank scores at a time, where sequences are not packed (cluster.pack)."""
    max_tokens_per_gpu: int = Field(default=16384, ge=1)
    """Tokens a GPU trains on at a time, where sequences are packed (cluster.pack); a longer
    sequence goes alone."""


class ClusterConfig(Settings):
    """Machines, and how the models are placed on them."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Where the run computes; auto: what the installed vLLM is built for."""
    nodes: int = Field(default=1, ge=1)
    """Machines of the run."""
    gpus_per_node: int = Field(default=8, ge=1)
    """Policy GPUs per node, one rank each."""
    engines: int | None = Field(default=None, ge=1)
    """vLLM engines; unset: as many as nodes x gpus_per_node hold, each of cluster.tensor_parallel
    GPUs. Another number is possible only where they do not share the policy's GPUs
    (cluster.colocate)."""
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
    """Recompute activations in the backward pass instead of keeping them: less memory, about a
    third more computation."""
    gpu_memory: float = Field(default=0.85, gt=0, le=1)
    """Share of a GPU's memory that an engine takes while it generates, in (0, 1]. The policy leaves
    the rest empty meanwhile, but for its weights' shard and what CUDA and NCCL hold: some 5 to
    7 GiB."""
    engine_sequences: int = Field(default=512, ge=1)
    """Sequences an engine works on at a time, at most (vLLM's max_num_seqs); on GPUs."""
    engine_tokens: int = Field(default=8192, ge=1)
    """Tokens an engine takes in one pass, at most (vLLM's max_num_batched_tokens); on GPUs."""
    check_memory: bool = True
    """Refuse a run that cannot fit its GPUs by what `masa-openrlhf plan` works out; `train --force`
    starts it all the same."""
    open_ray: bool = False
    """Join the Ray cluster that RAY_ADDRESS names although it asks for no token: whoever reaches
    its ports runs commands on it. See SECURITY.md."""
    send_variables: tuple[str, ...] = ()
    """Further variables of this environment that a run takes to all nodes of a Ray cluster: a name,
    the beginning of names (MY_*), or NAME=VALUE. HF_*, TRANSFORMERS_*, MASA_CACHE, WANDB_*, VLLM_*,
    NCCL_*, TORCH_NCCL_*, UCX_*, FI_*, CUDA_HOME, GLOO_SOCKET_IFNAME and the like go by themselves,
    where they are set. Secrets are not sent; HF_TOKEN and the key of W&B reach all nodes in memory
    alone."""
    keep_variables: tuple[str, ...] = ()
    """Variables that are not sent, since every node has its own of them, as NCCL_SOCKET_IFNAME
    where interfaces have different names: a name, or the beginning of names (NCCL_IB_*)."""
    check_weights: int = Field(default=2, ge=0)
    """Number of first steps after which the weights in vLLM are compared with the policy's, and the
    run stops if they differ. Two, since warm-up may leave them where they are in the first."""


class VerifierConfig(Settings):
    """Verification of answers: worker processes beside each engine."""

    workers: int = Field(default=4, ge=1)
    """Worker processes, at most; also how many answers are verified at a time."""
    timeout: float = Field(default=5.0, gt=0)
    """Longest that verifying one answer may take, seconds."""
    memory_mb: int = Field(default=2048, ge=256)
    """Memory a worker may take, MiB."""
    extraction: Literal["boxed", "anchored"] = "boxed"
    """What states an answer: boxed, a box only; anchored, "the answer is ..." too, where nothing is
    boxed."""


class CheckpointConfig(Settings):
    """What a run can go on from."""

    every: int = Field(default=10, ge=1)
    """Steps from one checkpoint to the next."""
    keep: int = Field(default=2, ge=2)
    """Checkpoints kept. At least 2: the older one goes before the newer one is whole."""


class HeldOutConfig(Settings):
    """Evaluation on the held-out problems while training."""

    every: int = Field(default=20, ge=1)
    """Steps from one evaluation to the next; one is made after the last step too."""
    rollouts: int = Field(default=4, ge=1)
    """Solutions a held-out problem."""
    temperature: float = Field(default=0.6, gt=0)
    """Temperature of the evaluation's rollouts."""


class LogConfig(Settings):
    """What a run writes beside its metrics."""

    episodes: int = Field(default=2, ge=0)
    """Episodes written out whole, a step."""
    tensorboard: bool = True
    """Write TensorBoard's files into the run's folder."""
    wandb: str | None = None
    """Project on Weights & Biases to log to; its key is that of WANDB_API_KEY or of `wandb login`,
    and is written nowhere."""


class TinyConfig(Settings):
    """The embedded default, used where no model or no data is named."""

    problems: int = Field(default=1024, ge=8)
    """Tiny problems made for training."""
    held_out: int = Field(default=64, ge=1)
    """Tiny problems made for evaluation."""
    seed: int = 0
    """Seed of the tiny problems, of the tiny model and of its warm-up."""


class WarmupConfig(Settings):
    """The supervised warm-up of `masa-openrlhf warmup`; train takes nothing from it."""

    problems: int = Field(default=200, ge=8)
    """Problems that demonstrations are made of, drawn from data.train; fewer where it has fewer."""
    held_out: int = Field(default=32, ge=2)
    """Problems kept apart: in no demonstration, asked before the warm-up and after it."""
    solution_key: str | None = None
    """Column of the worked solution, dots for nesting; unset: 'solution', or what stands before
    '####' in 'answer' (GSM8K). Without one the demonstration is a sentence with the answer."""
    epochs: int = Field(default=3, ge=1)
    """Passes over the demonstrations of each of the two stages."""
    lr: float | None = Field(default=None, gt=0)
    """Learning rate at its highest; unset: 1.2 / sqrt(parameters), 1e-4 for 0.14 B and 1.3e-5 for
    8 B."""
    batch_tokens: int = Field(default=2048, ge=1)
    """Tokens of an optimiser step, padding counted, at most; a longer demonstration goes alone."""
    rollouts: int = Field(default=4, ge=2)
    """Solutions sampled a problem, for the pass rates and lengths that predictions are shown with;
    of a held-out problem so many solutions and predictions."""
    spread: float = Field(default=0.1, ge=0, le=1)
    """Share of the demonstrated pass rates and lengths that are drawn evenly from the range instead
    of from what was observed, so that every value stays possible."""
    aim: float = Field(default=0.95, gt=0, le=1)
    """Share of answers and of prediction parts that should be readable afterwards."""
    seed: int = 0
    """Seed of the warm-up: which problems, which values, order of the batches, samples."""
