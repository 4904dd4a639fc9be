"""A run's folder, read into one record: as far as it is there, and what is missing."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from masa_openrlhf.config.aliases import upgrade_settings
from masa_openrlhf.report.analysis.curves import Curve
from masa_openrlhf.run.old_names import OLD_FILES, extract_confusion, rename_metrics

_LINES = ("metrics", "eval", "calibration", "confusion", "notions", "events")

Row = Mapping[str, Any]


class ReportError(Exception):
    """A report cannot be made; the message says why, and the way out."""


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What a run's folder holds.

    Attributes:
        path: the folder.
        config: the configuration as it was written, whole.
        metrics: the lines of its steps.
        evals: the lines of its evaluations that have a pass@1.
        calibration: predicted and true values, a line a step and an evaluation.
        confusion: confusion counts of gate and cutoff since the run began, a line a step.
        notions: in how many solutions each predicted notion stood, a line a step.
        events: what happened.
        unreadable: file -> lines that could not be read.
    """

    path: Path
    config: Mapping[str, Any]
    metrics: tuple[Row, ...]
    evals: tuple[Row, ...]
    calibration: tuple[Row, ...]
    confusion: tuple[Row, ...]
    notions: tuple[Row, ...]
    events: tuple[Row, ...]
    unreadable: Mapping[str, int]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def mode(self) -> str:
        """As "masa"."""
        return str(self.config.get("mode", "masa"))

    @property
    def seed(self) -> int:
        """Of the run."""
        return int(self.config.get("seed", 0))

    @property
    def steps(self) -> int:
        """Steps it has taken."""
        return int(self.metrics[-1]["step"]) if self.metrics else 0

    @property
    def planned(self) -> int | None:
        """Steps it was to take; None where it never came to training."""
        planned = [event["steps"] for event in self.events if event.get("event") == "training"]
        return int(planned[-1]) if planned else None

    @property
    def state(self) -> str:
        """How it ended, or that it did not, in words."""
        ends = [e for e in self.events if e.get("event") in ("training", "trained", "failed")]
        last = ends[-1] if ends else {"event": "none"}
        if last["event"] == "trained":
            return "finished" if last.get("reason") == "finished" else "stopped early, on request"
        if last["event"] == "failed":
            return "failed"
        return "still running, or killed" if self.metrics else "has not taken a step"

    @property
    def finished(self) -> bool:
        """Whether it came to its end."""
        return self.state == "finished"


def read_run(path: Path) -> RecordedRun:
    """Read a run's folder.

    Lines that a kill or a full disk left unfinished are counted and passed over, as are those
    without a step.

    Args:
        path: the folder.

    Raises:
        ReportError: it is no run's folder, or its configuration cannot be read.
    """
    config = path / "config.json"
    if not config.is_file():
        raise ReportError(
            f"{path} is not a run's folder: {_explain_folder(path)}{_suggest_runs(path)}"
        )
    try:
        settings = json.loads(config.read_text("utf-8"))
    except (ValueError, OSError) as error:
        raise ReportError(
            f"{config} cannot be read ({error}); take it from a run with the same settings"
        ) from error
    if not isinstance(settings, dict):
        raise ReportError(f"{config} is not a configuration: {str(settings)[:60]!r}")
    lines = {name: list(_read_lines(_find_file(path, name))) for name in _LINES}
    read = {name: [row for row in rows if row is not None] for name, rows in lines.items()}
    stepped = {name: [r for r in read[name] if _has_step(r)] for name in _LINES if name != "events"}
    metrics = _sort_by_step(stepped["metrics"])
    old = [extract_confusion(row) for row in metrics]
    return RecordedRun(
        path=path.resolve(),
        config=upgrade_settings(settings, keep_removed=True),
        metrics=tuple(map(rename_metrics, metrics)),
        evals=tuple(r for r in _sort_by_step(stepped["eval"]) if _is_number(r.get("pass_at_1"))),
        calibration=tuple(stepped["calibration"]),
        confusion=_sort_by_step(stepped["confusion"]) or tuple(row for row in old if len(row) > 1),
        notions=tuple(stepped["notions"]),
        events=tuple(row for row in read["events"] if "event" in row),
        unreadable={
            _find_file(path, name).name: lost
            for name, rows in lines.items()
            if (lost := len(rows) - len(stepped.get(name, read[name])))
        },
    )


def _find_file(folder: Path, name: str) -> Path:
    """A file of lines; a run of 0.1.0 may have it under another name."""
    file = folder / f"{name}.jsonl"
    old = OLD_FILES.get(file.name)
    return file if old is None or file.exists() else folder / old


def held_out_curve(run: RecordedRun) -> Curve:
    """Return held-out accuracy over what the run had spent; without a point where it has none.

    An evaluation after a step of which there is no line stands where the last step before it does.
    """
    evals = [row for row in run.evals if row["step"] == 0 or run.metrics]
    tokens, seconds = cumulative_cost(run.metrics)
    places = [_find_last_before(run.metrics, row["step"]) for row in evals]
    ends = all(
        _is_number(r.get("pass_at_1_low")) and _is_number(r.get("pass_at_1_high")) for r in evals
    )
    return Curve(
        tokens=tuple(0.0 if i is None else tokens[i] for i in places),
        steps=tuple(float(row["step"]) for row in evals),
        seconds=tuple(0.0 if i is None else seconds[i] for i in places),
        accuracy=tuple(float(row["pass_at_1"]) for row in evals),
        low=tuple(float(row["pass_at_1_low"]) for row in evals) if ends else (),
        high=tuple(float(row["pass_at_1_high"]) for row in evals) if ends else (),
    )


def training_curve(run: RecordedRun) -> Curve:
    """Return the pass rate of the training problems that were rolled out, a point a step."""
    tokens, seconds = cumulative_cost(run.metrics)
    known = [i for i, row in enumerate(run.metrics) if _is_number(row.get("solution/pass_rate"))]
    return Curve(
        tokens=tuple(tokens[i] for i in known),
        steps=tuple(float(run.metrics[i]["step"]) for i in known),
        seconds=tuple(seconds[i] for i in known),
        accuracy=tuple(float(run.metrics[i]["solution/pass_rate"]) for i in known),
    )


def cumulative_cost(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """Return tokens made (predictions and solutions) and seconds spent in steps, up to each line.

    Evaluations, checkpoints and the time between a stop and a resume are not in it. Tokens are the
    ledger's, which counts across lines that were lost.
    """
    tokens, seconds = [0.0], [0.0]
    for row in rows:
        made = [row.get(f"ledger/{kind}_tokens") for kind in ("meta", "solution")]
        counted = sum(value for value in made if _is_number(value))
        step = sum(float(row.get(f"tokens/{kind}", 0.0)) for kind in ("meta", "solution"))
        tokens.append(max(tokens[-1], counted if any(map(_is_number, made)) else tokens[-1] + step))
        seconds.append(seconds[-1] + max(0.0, float(row.get("time/step", 0.0))))
    return tokens[1:], seconds[1:]


def _find_last_before(rows: Sequence[Row], step: int) -> int | None:
    before = [i for i, row in enumerate(rows) if row["step"] <= step]
    return before[-1] if before else None


def _sort_by_step(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The last line of each step, by step: a run that was killed may have written one twice."""
    return tuple(row for _, row in sorted({row["step"]: row for row in rows}.items()))


def _read_lines(path: Path) -> Iterator[Row | None]:
    if not path.is_file():
        return
    with open(path, "rb") as file:
        for line in file:
            if line.strip():
                try:
                    row = json.loads(line)
                except ValueError:  # a character cut in two is one as well
                    row = None
                yield _drop_non_finite(row) if isinstance(row, dict) else None


def _drop_non_finite(row: Row) -> Row:
    """The row without what is not a number, as a loss that ran away: nothing can be drawn of it."""
    return {k: v for k, v in row.items() if not (isinstance(v, float) and not math.isfinite(v))}


def _has_step(row: Row) -> bool:
    return isinstance(row.get("step"), int)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _explain_folder(path: Path) -> str:
    if not path.exists():
        return "there is nothing of that name"
    return "it has no config.json" if path.is_dir() else "it is a file"


def _suggest_runs(path: Path) -> str:
    for folder in (path, path.parent):
        found = (
            sorted(str(p.parent) for p in folder.glob("*/config.json")) if folder.is_dir() else []
        )
        if found:
            return f". Name one of these: {', '.join(found[-5:])}"
    return ". A run's folder is named when masa-openrlhf train begins, as runs/tiny-DATE-TIME"
