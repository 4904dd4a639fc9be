"""What was trained on what, with which settings: the first thing a reader asks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from masa_openrlhf.config.layers import flatten_settings
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.report.formatting import format_count, join_words
from masa_openrlhf.report.groups import RunGroup
from masa_openrlhf.report.runs import RecordedRun

_MADE = "made on the spot"
_MOST = 60


class RunFact(NamedTuple):
    """A fact about all runs of a page.

    Attributes:
        name: what it is of.
        value: of all runs; several, where they differ.
    """

    name: str
    value: str


def list_facts(groups: Sequence[RunGroup]) -> list[RunFact]:
    """Return model, problems and the settings that matter most, of all runs together.

    Where runs differ, their values stand beside each other. What a mode does not use (predictions,
    the baseline) is left out of its runs.
    """
    runs = [run for group in groups for run in group.runs]
    settings = {run.path: _read_settings(run) for run in runs}
    facts = [
        RunFact(name, _join_values(values))
        for name, values in _collect_values([settings[run.path] for run in runs])
    ]
    seeds = sorted({run.seed for run in runs})
    facts.append(
        RunFact(
            "Runs",
            f"{format_count(len(runs), 'run')}, seed{'s' if len(seeds) > 1 else ''} "
            f"{', '.join(map(str, seeds))}",
        )
    )
    commits = {commit for run in runs if (commit := _read_commit(run))}
    if commits:
        facts.append(RunFact("Commit", _join_values([commit[:12] for commit in sorted(commits)])))
    return facts


def _collect_values(
    settings: Sequence[Mapping[str, object]],
) -> Iterator[tuple[str, list[str]]]:
    yield "Model", [_name_model(one) for one in settings]
    yield "Problems", [_name_problems(one, "data.train") for one in settings]
    yield "Held out", [_name_problems(one, "data.eval") for one in settings]
    yield "Mode", [f"{one['mode']} ({one['algorithm']})" for one in settings]
    yield "A problem", [_describe_rollouts(one) for one in settings]
    yield "A step", [f"{one['batch.problems']} problems" for one in settings]
    yield "Longest", [_describe_lengths(one) for one in settings]
    yield "Learning rate", [f"{one['optim.lr']:g}" for one in settings]
    yield "Computed on", [_describe_machine(one) for one in settings]


def _read_settings(run: RecordedRun) -> dict[str, object]:
    # An older run lacks what came since: it had it at its default.
    base = flatten_settings(TrainConfig().model_dump(mode="json"))
    return {**base, **flatten_settings(run.config)}


def _name_model(settings: Mapping[str, object]) -> str:
    path = settings["model.path"]
    if path is None or str(path).endswith("first-model"):
        return f"the tiny model, {_MADE}"
    return _shorten_path(str(path))


def _name_problems(settings: Mapping[str, object], key: str) -> str:
    source = settings[key]
    if source is not None:
        return _shorten_path(str(source))
    if settings["data.train"] is None:
        return f"tiny problems, {_MADE}"
    return "none"


def _shorten_path(path: str) -> str:
    """The end of a path that is a file's; a name on the hub as it is."""
    if path.startswith(("/", "~", ".")):
        path = "/".join(path.rstrip("/").split("/")[-2:])
    return path if len(path) <= _MOST else f"…{path[-_MOST + 1 :]}"


def _describe_rollouts(settings: Mapping[str, object]) -> str:
    solutions = f"{settings['solution.rollouts']} solutions"
    if settings["mode"] == "grpo":
        return solutions
    return f"{solutions}, {settings['meta.rollouts']} predictions"


def _describe_lengths(settings: Mapping[str, object]) -> str:
    solutions = f"{settings['solution.max_tokens']:,} tokens of a solution"
    if settings["mode"] == "grpo":
        return solutions
    return f"{solutions}, {settings['meta.max_tokens']:,} of a prediction"


def _describe_machine(settings: Mapping[str, object]) -> str:
    if settings["cluster.device"] == "cpu":
        return "a CPU"
    nodes, gpus = settings["cluster.nodes"], settings["cluster.gpus_per_node"]
    return f"{nodes} x {gpus} GPUs" if settings["cluster.device"] == "gpu" else "auto"


def _read_commit(run: RecordedRun) -> str | None:
    try:
        found = json.loads((run.path / "versions.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    commit = found.get("commit") if isinstance(found, dict) else None
    return commit if isinstance(commit, str) else None


def _join_values(values: Sequence[str]) -> str:
    different = list(dict.fromkeys(values))
    return (
        "; ".join(different) if any("," in value for value in different) else join_words(different)
    )
