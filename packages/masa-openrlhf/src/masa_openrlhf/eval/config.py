"""The settings of an evaluation: the paper's values are the defaults, each with its unit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro
from masa_control import Settings
from pydantic import Field, model_validator

from masa_openrlhf.config.sections import DataConfig, VerifierConfig
from masa_openrlhf.eval.sandbox.limits import Limits

DEFAULT_LIMITS = Limits()


UNTRAINED_LIMIT = 4096
"""Longest prediction of a model of which nothing says how it is asked, tokens."""


class PredictionConfig(Settings):
    """With --meta: what the model is asked to foresee of its own answers."""

    rollouts: int = Field(default=8, ge=1)
    """Number of predictions a question (M)."""
    temperature: float = Field(default=1.0, ge=0)
    """Temperature of the predictions: 1, as they are sampled in training."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Longest prediction, tokens; unset: meta.max_tokens of the run, the warm-up or what --like
    names, else 4096."""
    gate_max_std: float = Field(default=0.1, gt=0)
    """The gate skips a question where the predicted pass rates spread by less than this, and their
    mean says always or never solved."""

    @property
    def limit(self) -> int:
        """Longest prediction, tokens; `UNTRAINED_LIMIT` where nothing says one."""
        return UNTRAINED_LIMIT if self.max_tokens is None else self.max_tokens


class EngineConfig(Settings):
    """vLLM."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Where the model runs; auto: what the installed vLLM is built for."""
    gpu_memory: float = Field(default=0.9, gt=0, le=1)
    """Share of a GPU's memory that a copy of the model takes."""
    max_model_len: int | None = Field(default=None, ge=2)
    """Longest prompt and answer together, tokens; unset: what the model was made for."""
    questions_in_flight: int = Field(default=64, ge=1)
    """Questions that a copy of the model works on at a time."""
    start_seconds: float = Field(default=1800.0, gt=0)
    """Longest a copy of the model may take to start, seconds."""


class SandboxConfig(Settings):
    """Limits of code that a model wrote, for one answer."""

    seconds: float = Field(default=DEFAULT_LIMITS.seconds, gt=0)
    """Longest that all tests of an answer may take, seconds of the clock."""
    case_seconds: float = Field(default=6.0, gt=0)
    """Longest that one test with its own input may take, seconds of the clock."""
    memory_mb: int = Field(default=DEFAULT_LIMITS.memory_mb, ge=128)
    """Memory that a process, and all processes together, may take, MiB."""
    processes: int = Field(default=DEFAULT_LIMITS.processes, ge=4)
    """Processes and threads that may run at a time."""
    file_mb: int = Field(default=DEFAULT_LIMITS.file_mb, ge=1)
    """Largest file, MiB; all files together may be twice that."""
    output_mb: int = Field(default=DEFAULT_LIMITS.output_mb, ge=1)
    """Most that is read of what it writes, MiB."""
    at_a_time: int = Field(default=2, ge=1)
    """Answers that are tested at a time."""


class AnswerVerifierConfig(VerifierConfig):
    """Verification of mathematical answers: masa_rewards.AnswerVerifier."""

    workers: int = Field(default=2, ge=1)
    """Worker processes, at most; also how many answers are verified at a time."""
    memory_mb: int = Field(default=1024, ge=256)
    """Memory a worker may take, MiB."""


class EvaluationConfig(Settings):
    """An evaluation."""

    model: Annotated[str, tyro.conf.Suppress] = Field(default="", min_length=0)
    """Hub name, folder of a model, folder of a run (its model/ is taken), or tiny."""
    benchmarks: str | None = None
    """Benchmarks, names with commas between: single ones, maths, logic, science, code, all, own, or
    tiny. Unset: own where problems are named, else maths."""
    problems: str | None = None
    """Problems of your own, the benchmark own: what data.train takes, a file, a folder, a hub name
    or reasoning_gym:TASK,... (of that, problems that a run with these settings does not train on).
    """
    like: str | None = None
    """Ask as this preset or TOML file of train would: prompts, keys, chat form, longest length that
    can be predicted. Unset: as the run or the warm-up did that the model comes of, else in the
    default wording."""
    data: Path | None = None
    """Folder of local files, each in its hub's form; what is not there comes from the hub."""
    samples: int = Field(default=32, ge=1)
    """Number of answers a question (n)."""
    temperature: float = Field(default=0.6, ge=0)
    """Temperature of the answers; 0: the most probable token each time."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Nucleus sampling: the smallest set of tokens with this probability is sampled from."""
    max_tokens: int = Field(default=16384, ge=1)
    """Longest answer, tokens; less where the model's context is shorter."""
    pass_at: tuple[int, ...] = (1, 8, 32)
    """Values of k in Pass@k; those above the number of samples are left out."""
    seed: int = 0
    """Seed of the samples, and of the order of choices."""
    max_questions: int | None = Field(default=None, ge=1)
    """Number of questions taken from the start of each benchmark; unset: all."""
    meta: bool = False
    """Ask for predictions first, and report how good they are."""
    chat_template: bool | None = None
    """Put prompts in the tokenizer's chat form; unset: as the run trained, else where there is
    one."""
    solution_template: str | None = None
    """Prompt of the maths benchmarks, with {problem}; unset: as the run trained, else the
    paper's."""
    tensor_parallel: int = Field(default=1, ge=1)
    """GPUs a copy of the model spans."""
    data_parallel: int = Field(default=1, ge=1)
    """Copies of the model, each with its share of the questions."""
    evals: Path = Path("evals")
    """Folder in which the folders of evaluations are made."""
    prediction: PredictionConfig = PredictionConfig()
    engine: EngineConfig = EngineConfig()
    reading: DataConfig = DataConfig()
    sandbox: SandboxConfig = SandboxConfig()
    verifier: AnswerVerifierConfig = AnswerVerifierConfig()

    @model_validator(mode="after")
    def _check(self) -> EvaluationConfig:
        if any(k < 1 for k in self.pass_at):
            raise ValueError(f"pass_at holds numbers from 1 up, got {list(self.pass_at)}")
        template = self.solution_template
        if template is not None and template.count("{problem}") != 1:
            raise ValueError(
                f"solution_template must hold {{problem}} exactly once, got {template!r}"
            )
        if self.samples > 1 and self.temperature == 0:
            raise ValueError(
                f"at temperature 0 all {self.samples} samples are the same: set samples = 1, or a "
                "temperature above 0"
            )
        return self

    @property
    def chosen(self) -> str:
        """The benchmarks' names."""
        return self.benchmarks or ("maths" if self.problems is None else "own")

    @property
    def ks(self) -> tuple[int, ...]:
        """The k of Pass@k that so many samples allow, in order, once each."""
        return tuple(sorted({k for k in self.pass_at if k <= self.samples}))
