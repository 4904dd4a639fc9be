"""The folder of an evaluation.

settings.json          everything it was asked with; what it goes on by
records/NAME.jsonl     a line a question, with all answers
results.json           the figures, settings, versions and seed
results.html           the same as a self-contained part of a page
engine.log             all that vLLM prints
unlimited.txt          with --allow-unsandboxed: the limits that did not hold while programs ran
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pydantic

from masa_openrlhf.config.layers import flatten_settings
from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.eval.results.records import RecordFile
from masa_openrlhf.run.files import write_atomically

# What may differ when an evaluation goes on: none of it changes what an answer is or is worth.
RESUMABLE_SETTINGS = {
    "benchmarks",
    "data",  # what was asked of a question must be what would be asked now: see ``list_open_tasks``
    "max_questions",
    "pass_at",
    "tensor_parallel",
    "data_parallel",
    "evals",
    "engine.device",
    "engine.gpu_memory",
    "engine.questions_in_flight",
    "engine.start_seconds",
    "prediction.gate_max_std",
    "verifier.workers",
    "sandbox.at_a_time",
}


class EvalFolder:
    """Paths of an evaluation.

    Args:
        path: the folder; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def settings(self) -> Path:
        """The settings."""
        return self.path / "settings.json"

    @property
    def results(self) -> Path:
        """The figures."""
        return self.path / "results.json"

    @property
    def fragment(self) -> Path:
        """The figures as a part of a page."""
        return self.path / "results.html"

    @property
    def log(self) -> Path:
        """All that vLLM prints."""
        return self.path / "engine.log"

    def records(self, benchmark: str) -> RecordFile:
        """The lines of a benchmark."""
        return RecordFile(self.path / "records" / f"{benchmark}.jsonl")

    def make(self) -> None:
        """Make the folder, where it is not there yet."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)
        (self.path / "records").mkdir(exist_ok=True)

    def create(self, config: EvaluationConfig) -> None:
        """Make the folder, and write the settings into it."""
        self.make()
        write_atomically(self.settings, config.model_dump_json(indent=2) + "\n")

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep any other process from writing into the folder, until the end of the block.

        Raises:
            EvalError: another one is at it.
        """
        place = os.open(self.path / "records", os.O_RDONLY)
        try:
            try:
                fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EvalError(
                    f"another process is at the evaluation {self.path}: wait for its end, or stop "
                    "it"
                ) from None
            yield
        finally:
            os.close(place)

    def note_unlimited(self, lines: Sequence[str]) -> None:
        """Keep which limits did not hold while programs ran, for whenever results are made."""
        if lines:
            known = dict.fromkeys((*self.unlimited(), *lines))
            write_atomically(self.path / "unlimited.txt", "".join(f"{line}\n" for line in known))

    def unlimited(self) -> tuple[str, ...]:
        """Return the limits that did not hold at some time; empty where all always did."""
        file = self.path / "unlimited.txt"
        return tuple(file.read_text("utf-8").splitlines()) if file.exists() else ()

    def read_settings(self) -> EvaluationConfig:
        """Return the settings of an evaluation that was begun.

        Raises:
            EvalError: it is no such folder, or they cannot be read.
        """
        if not self.settings.is_file():
            raise EvalError(f"{self.path} is not an evaluation's folder: it has no settings.json")
        try:
            return EvaluationConfig.model_validate_json(self.settings.read_text("utf-8"))
        except (pydantic.ValidationError, OSError) as error:
            raise EvalError(f"{self.settings} cannot be read: {error}") from error

    def write_results(self, results: dict[str, Any], fragment: str) -> None:
        """Write the figures."""
        text = json.dumps(results, ensure_ascii=False, indent=2)
        write_atomically(self.results, text + "\n")
        write_atomically(self.fragment, fragment)


def name_new_folder(config: EvaluationConfig, model: str) -> EvalFolder:
    """Name a folder that does not exist yet."""
    path = config.evals / f"{model}-{time.strftime('%Y%m%d-%H%M%S')}"
    return EvalFolder(path if not path.exists() else Path(f"{path}-{os.getpid()}"))


def check_resumable(before: EvaluationConfig, now: EvaluationConfig, path: Path) -> None:
    """Refuse to go on with settings by which other answers would come, or be judged.

    Raises:
        EvalError: names each of them, with both values.
    """
    old, new = (flatten_settings(one.model_dump(mode="json")) for one in (before, now))
    changed = [
        f"{name} (was {old[name]!r}, now {new[name]!r})"
        for name in old
        if name not in RESUMABLE_SETTINGS and old[name] != new[name]
    ]
    if changed:
        raise EvalError(
            f"{path} was begun with other settings: {'; '.join(changed)}. Leave them as they were, "
            "or begin anew without --resume"
        )
