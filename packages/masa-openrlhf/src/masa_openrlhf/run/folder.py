"""A run's folder: what is in it, and how it is written so that nothing is lost.

config.json         the resolved configuration, whole
openrlhf.txt        the arguments that OpenRLHF was started with
first-model/        the model it began with, where that was made on the spot
data/               the problems of the run, in the order they were read
events.jsonl        what happened, a line each: phases, checkpoints, checks
metrics.jsonl       a line a step
eval.jsonl          a line an evaluation
calibration.jsonl   predicted and true pass rates and lengths, a line a step and an evaluation
confusion.jsonl     confusion counts of gate and cutoff since the run began, a line a step
versions.json       versions of the packages, and the commit, that it was started with
notions.jsonl       in how many right and wrong solutions each predicted notion stood, a line a step
episodes/           a few episodes a step, whole, to read
checkpoints/        what the run can go on from
model/              the trained model, in Hugging Face form
report/             the run as a page, with its figures
tensorboard/        the same metrics for TensorBoard
wandb/              W&B's own files, with log.wandb
logs/driver.log     all that Ray, vLLM and DeepSpeed print
stop                how the run was asked to end; empty while it was not
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masa_openrlhf.run.files import read_lines, write_atomically
from masa_openrlhf.run.old_names import OLD_FILES, extract_confusion, rename_metrics
from masa_openrlhf.run.versions import collect_versions

if TYPE_CHECKING:
    from masa_control import CalibrationPoints, ConfusionCounts, Episode
    from masa_rewards.notions.rules import NotionCount

    from masa_openrlhf.config.tree import TrainConfig

FORMAT = 2
"""Of ``config.json``; that of 0.1.0 names none."""

MAX_POINTS = 512
"""Calibration points of a kind in a line of calibration.jsonl; of more, some, evenly spread."""

MAX_NOTIONS = 256
"""Notions in a line of notions.jsonl: those that stood in most solutions."""

_TAG = "global_step"  # and the step: the name of a checkpoint
_BY_STEP = ("metrics.jsonl", "eval.jsonl", "calibration.jsonl", "confusion.jsonl", "notions.jsonl")


class StopRequest(Enum):
    """How a run is asked to end before its last step."""

    AFTER_STEP = "after the step"
    """Finish the step at hand, write a checkpoint, end."""
    NOW = "now"
    """Write a checkpoint of the last finished step, end."""


TOLD_TO_END = "told to end"
"""Reason of a ``trained`` event: ``StopRequest.NOW`` was followed, and no model is written."""


class RunFolder:
    """Paths of a run, and the lines that are added to its files.

    Args:
        path: the folder; it need not exist.
        sample_episodes: episodes written out whole, a step.
    """

    def __init__(self, path: Path, sample_episodes: int = 0) -> None:
        self.path = path.resolve()
        self._sample_episodes = sample_episodes

    def __fspath__(self) -> str:
        return str(self.path)

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.path / "config.json"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints, as OpenRLHF lays them out."""
        return self.path / "checkpoints"

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.path / "model"

    @property
    def first_model(self) -> Path:
        """The model a run began with, where that was made on the spot."""
        return self.path / "first-model"

    @property
    def data(self) -> Path:
        """The problems of the run."""
        return self.path / "data"

    @property
    def named_problems(self) -> Path:
        """What was read of the data before there was a folder; gone when ``data`` is written."""
        return self.path / "named-problems.json"

    @property
    def log(self) -> Path:
        """All that the stack prints."""
        return self.path / "logs" / "driver.log"

    @property
    def _stop(self) -> Path:
        return self.path / "stop"

    # -- written by the CLI ------------------------------------------------------------------------

    def create(self, config: TrainConfig) -> None:
        """Make the folder, for this user alone, and write the configuration into it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)
        for folder in (self.data, self.log.parent, self.path / "episodes"):
            folder.mkdir(parents=True, exist_ok=True)
        self.write_config(config)
        write_atomically(
            self.path / "versions.json", json.dumps(collect_versions(), indent=2) + "\n"
        )

    def write_config(self, config: TrainConfig) -> None:
        """Write the configuration."""
        settings = {"format": FORMAT, **config.model_dump(mode="json")}
        text = json.dumps(settings, indent=2, ensure_ascii=False)
        write_atomically(self.config, text + "\n", private=True)

    def request_stop(self, request: StopRequest) -> None:
        """Ask the trainer to end."""
        self._stop.write_text(request.value, encoding="utf-8")

    def clear_stop(self) -> None:
        """Take the request back; the file stays, since on NFS a new one may be seen late."""
        self._stop.write_text("", encoding="utf-8")

    def drop_unfinished_checkpoints(self) -> None:
        """Remove what a kill left half written: checkpoints later than the one to go on from.

        OpenRLHF keeps the newest few by their dates, so a half-written one would push out a whole
        one; and where it is the first there would be nothing to load.
        """
        actor = self.checkpoints / "_actor"
        latest = actor / "latest"  # DeepSpeed's, written when all of a checkpoint is there
        saved = {int(path.name.removeprefix(_TAG)): path for path in actor.glob(f"{_TAG}*")}
        if not latest.exists() or not saved:
            shutil.rmtree(actor, ignore_errors=True)
            return
        if not latest.read_text("utf-8").strip():  # killed as it was written: of the newest
            write_atomically(latest, f"{_TAG}{max(saved)}")
        last = int(latest.read_text("utf-8").strip().removeprefix(_TAG))
        for step in (step for step in saved if step > last):
            shutil.rmtree(saved[step])

    # -- written by the trainer --------------------------------------------------------------------

    def read_stop(self) -> StopRequest | None:
        """Return how the run was asked to end; None where it was not."""
        said = self._stop.read_text("utf-8") if self._stop.exists() else ""
        return next((request for request in StopRequest if request.value == said), None)

    def event(self, name: str, **fields: Any) -> None:
        """Note that something happened."""
        self._append("events.jsonl", {"event": name, "time": time.time(), **fields})

    def write_metrics(self, step: int, metrics: dict[str, float]) -> None:
        """Add the line of a step."""
        self._append("metrics.jsonl", {"step": step, "time": time.time(), **metrics})

    def write_eval(self, step: int, metrics: dict[str, float]) -> None:
        """Add the line of an evaluation."""
        self._append("eval.jsonl", {"step": step, "time": time.time(), **metrics})

    def write_confusion(self, step: int, tallies: Mapping[str, ConfusionCounts]) -> None:
        """Add the confusion counts of gate and cutoff up to a step; nothing before they decide."""
        if tallies:
            row = {name: asdict(tally) for name, tally in tallies.items()}
            self._append("confusion.jsonl", {"step": step, **row})

    def write_calibration(self, step: int, split: str, pairs: CalibrationPoints) -> None:
        """Add the predicted and true values of a step ("train") or an evaluation ("eval")."""
        kinds = {kind: _thin_points(values) for kind, values in pairs._asdict().items()}
        if any(kinds.values()):
            self._append("calibration.jsonl", {"step": step, "split": split, **kinds})

    def write_notions(self, step: int, totals: Mapping[str, NotionCount]) -> None:
        """Add the counts of a step's notions, each [c1, c0, n1, n0]."""
        if totals:
            self._append("notions.jsonl", {"step": step, "notions": totals})

    def write_episodes(self, step: int, episodes: Sequence[Episode]) -> None:
        """Write the first few episodes of a step, to be read by a person."""
        if self._sample_episodes:
            chosen = [describe_episode(episode) for episode in episodes[: self._sample_episodes]]
            text = json.dumps(chosen, ensure_ascii=False, indent=2)
            write_atomically(self.path / "episodes" / f"step-{step:06d}.json", text + "\n")

    def rewind(self, step: int) -> None:
        """Drop the lines of steps after ``step``, all of them for 0: they are written anew.

        Those of a run of 0.1.0 get today's names.
        """
        self._upgrade()
        for name in _BY_STEP:
            file = self.path / name
            kept = [row for row in read_lines(file) if step and row["step"] <= step]
            if file.exists():
                _write_rows(file, kept)

    def _upgrade(self) -> None:
        for new, old in OLD_FILES.items():
            if (self.path / old).exists() and not (self.path / new).exists():
                (self.path / old).replace(self.path / new)
        rows = self.metrics()
        renamed = [rename_metrics(row) for row in rows]
        if renamed != rows:
            _write_rows(self.path / "metrics.jsonl", renamed)
        confusion = [extract_confusion(row) for row in rows]
        if any(len(row) > 1 for row in confusion) and not self.confusion():
            _write_rows(self.path / "confusion.jsonl", [row for row in confusion if len(row) > 1])

    # -- read by anybody ---------------------------------------------------------------------------

    def metrics(self) -> list[dict[str, Any]]:
        """Return the lines of all steps."""
        return list(read_lines(self.path / "metrics.jsonl"))

    def confusion(self) -> list[dict[str, Any]]:
        """Return the confusion counts of all steps in which gate or cutoff had decided."""
        return list(read_lines(self.path / "confusion.jsonl"))

    def evals(self) -> list[dict[str, Any]]:
        """Return the lines of all evaluations."""
        return list(read_lines(self.path / "eval.jsonl"))

    def events(self) -> list[dict[str, Any]]:
        """Return all events."""
        return list(read_lines(self.path / "events.jsonl"))

    def _append(self, name: str, row: dict[str, Any]) -> None:
        with open(self.path / name, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def _thin_points(pairs: Sequence[tuple[float, float]]) -> list[list[float]]:
    """At most so many pairs, evenly spread, with four decimals."""
    apart = max(1.0, len(pairs) / MAX_POINTS)
    kept = (pairs[int(i * apart)] for i in range(min(len(pairs), MAX_POINTS)))
    return [[round(value, 4) for value in pair] for pair in kept]


def _write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    write_atomically(path, "".join(json.dumps(row) + "\n" for row in rows))


def describe_episode(episode: Episode) -> dict[str, Any]:
    """Return an episode as plain data, in the order in which one would read it."""
    return {
        "problem": episode.problem.text,
        "answer": episode.problem.answer,
        "id": episode.problem.id,
        "pass_rate": episode.pass_rate,
        "decided": None if episode.plan is None else episode.plan.explain(),
        "plan": None if episode.plan is None else asdict(episode.plan),
        "meta": [
            {
                "text": m.completion.text,
                "tokens": len(m.completion.token_ids),
                "truncated": m.completion.truncated,
                "prediction": m.prediction.model_dump(mode="json"),
                "reward": None if m.reward is None else m.reward.model_dump(mode="json"),
                "signals": {key: outcome._asdict() for key, outcome in m.signals.items()},
                "total_reward": m.total_reward,
            }
            for m in episode.meta
        ],
        "solutions": [
            {
                "text": s.completion.text,
                "tokens": len(s.completion.token_ids),
                "truncated": s.completion.truncated,
                "cut": s.cut,
                "verdict": s.verdict.model_dump(mode="json"),
                "reward": s.reward,
            }
            for s in episode.solutions
        ],
    }
