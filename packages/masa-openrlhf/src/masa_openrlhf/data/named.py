"""The problems that a configuration names: read before a run has a folder, and handed on to it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from masa_control import Problem

from masa_openrlhf.config.sections import DataConfig
from masa_openrlhf.data.problems import LoadedProblems, load_problems
from masa_openrlhf.run.files import write_atomically


def load_named_problems(config: DataConfig) -> dict[str, LoadedProblems]:
    """Read the problems that a configuration names, by split: "train", "eval".

    Raises:
        DataError: they cannot be used.
    """
    sources = {"train": config.train, "eval": config.eval}
    return {
        split: load_problems(source, config, held_out=split == "eval")
        for split, source in sources.items()
        if source is not None
    }


def hand_on_problems(named: dict[str, LoadedProblems], path: Path) -> None:
    """Write what was read to ``path``, for `take_problems` in the process of the run."""
    rows = {
        split: {**asdict(loaded), "problems": [p.model_dump() for p in loaded.problems]}
        for split, loaded in named.items()
    }
    write_atomically(path, json.dumps(rows))


def take_problems(path: Path, config: DataConfig) -> dict[str, LoadedProblems]:
    """Return what was handed on, and read anew what was not.

    Raises:
        DataError: as `load_named_problems`.
    """
    if not path.exists():
        return load_named_problems(config)
    rows = json.loads(path.read_text("utf-8"))
    return {
        split: LoadedProblems(
            **{**loaded, "problems": [Problem(**problem) for problem in loaded["problems"]]}
        )
        for split, loaded in rows.items()
    }
