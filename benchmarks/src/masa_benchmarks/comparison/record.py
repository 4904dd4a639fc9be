"""The runs of the comparison in one small file: what its tables and curves are made of, no more.

A record unpacks into a folder that the command takes for the runs themselves: it prints their
tables, and does not run them again.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from masa_openrlhf.run.files import read_lines

from masa_benchmarks.comparison.arms import Settings
from masa_benchmarks.comparison.running import Job, find_job_folder, is_finished

_METRICS = (
    "step",
    "time",
    "tokens/",
    "solution/pass_rate",
    "solution/no_variance",
    "solution/length",
    "meta/reward",
    "meta/pass_rate_correlation",
    "meta/length_correlation",
    "gate/skipped",
    "cutoff/cut",
    "policy/grad_norm",
    "sampling/drawn",
    "time/step",
)
"""Names of metrics that are kept, or how they begin."""

_CUMULATIVE_METRICS = ("ledger/",)
"""Likewise of the last step of a run: those that count from its beginning."""

_CALIBRATION_KEYS = ("step", "split", "pass_rate")
"""Of what was predicted of held-out problems, and came of it."""

_EVENTS = ("training", "trained", "resumed")


def write_record(jobs: Sequence[Job], home: Path, file: Path) -> int:
    """Write a record of the jobs that are finished, beside what the file holds of others.

    Nothing of the machine is in it: paths are those below ``home``. Figures keep five digits.

    Args:
        jobs: of the comparison.
        home: where their runs are.
        file: to be written, as in "runs.tar.xz".

    Returns:
        How many runs are in it.
    """
    texts = dict(_read_members(file)) if file.exists() else {}
    for job in jobs:
        folder = find_job_folder(job, home)
        if folder is not None and is_finished(folder, job.settings["max_steps"]):
            for name, text in _reduce_run(folder, home).items():
                texts[f"runs/{folder.name}/{name}"] = text
    with tarfile.open(file, "w:xz") as archive:
        for name, text in texts.items():
            member = tarfile.TarInfo(name)
            member.size = len(data := text.encode())
            archive.addfile(member, io.BytesIO(data))
    return len({Path(name).parent for name in texts})


def unpack_record(file: Path, home: Path) -> int:
    """Unpack a record; a run that is there already stays as it is.

    Args:
        file: a record.
        home: where runs are kept.

    Returns:
        How many runs were unpacked.
    """
    there = {path.name for path in (home / "runs").glob("*")}
    new: set[str] = set()
    for member, text in _read_members(file):
        _, run, name = Path(member).parts
        if run in there:
            continue
        new.add(run)
        folder = home / "runs" / run
        folder.mkdir(parents=True, exist_ok=True)
        if name == "config.json":
            text = json.dumps(_move_paths(json.loads(text), lambda path: str(home / path)))
        (folder / name).write_text(text, encoding="utf-8")
    return len(new)


def _read_members(file: Path) -> Iterator[tuple[str, str]]:
    with tarfile.open(file) as archive:
        for member in archive:
            if (data := archive.extractfile(member)) is not None:
                yield member.name, data.read().decode()


def _reduce_run(folder: Path, home: Path) -> dict[str, str]:
    def below(path: str) -> str:
        return str(Path(path).resolve().relative_to(home.resolve()))

    config = json.loads((folder / "config.json").read_text("utf-8"))
    metrics = list(read_lines(folder / "metrics.jsonl"))
    metrics = [
        _select_keys(row, (*_METRICS, *_CUMULATIVE_METRICS) if number == len(metrics) else _METRICS)
        for number, row in enumerate(metrics, 1)
    ]
    events = [row for row in read_lines(folder / "events.jsonl") if row["event"] in _EVENTS]
    pairs = [
        {key: row[key] for key in _CALIBRATION_KEYS if key in row}
        for row in read_lines(folder / "calibration.jsonl")
        if row["split"] == "eval"
    ]
    return {
        "config.json": json.dumps(_move_paths(config, below)),
        "metrics.jsonl": _format_lines(metrics),
        "eval.jsonl": _format_lines(
            _select_keys(row, ("",)) for row in read_lines(folder / "eval.jsonl")
        ),
        "events.jsonl": _format_lines(events),
        "calibration.jsonl": _format_lines(pairs),
    }


def _move_paths(config: Settings, to: Callable[[str], str]) -> Settings:
    """Return a configuration with its paths changed: of the policy, the problems and the runs."""
    model, data = dict(config["model"]), dict(config["data"])
    model["path"] = to(model["path"])
    data |= {split: to(data[split]) for split in ("train", "eval")}
    return {**config, "model": model, "data": data, "runs": to(config["runs"])}


def _select_keys(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {key: _round_value(key, value) for key, value in row.items() if key.startswith(names)}


def _round_value(key: str, value: Any) -> Any:
    if not isinstance(value, float) or value == int(value):
        return value
    return round(value, 2) if key == "time" else float(f"{value:.5g}")


def _format_lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)
