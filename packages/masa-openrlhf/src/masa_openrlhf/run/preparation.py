"""What a run needs in its folder before the stack starts: its model, and its problems.

A tiny model is made where none is named; a GGUF file is converted; problems are written as OpenRLHF
reads them, without those whose prompts are too long.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from masa_openrlhf.cache import find_cache_home
from masa_openrlhf.config.sections import DataConfig
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.data.problems import (
    LoadedProblems,
    drop_long_problems,
    load_problems,
    write_problems,
)
from masa_openrlhf.data.summary import summarise_problems
from masa_openrlhf.model.source import prepare_model
from masa_openrlhf.run.folder import RunFolder


def prepare_run(
    folder: RunFolder, config: TrainConfig, named: dict[str, LoadedProblems], *, resume: bool
) -> TrainConfig:
    """Make the tiny model and its problems where none are named; write the problems.

    A tiny model is copied into the run's folder, and the configuration there names the copy: the
    run can be gone on with whatever has become of the cache, or of the code that made it.

    Returns:
        The configuration, with the model's path filled in.
    """
    if resume and is_prepared(folder, config):
        return config
    problems = dict(named)
    if config.model.path is None or config.data.train is None:
        assets = _prepare_tiny(folder, config)
        if config.model.path is None:
            shutil.copytree(assets.model_dir, folder.first_model, dirs_exist_ok=True)
            model = config.model.model_copy(update={"path": str(folder.first_model)})
            config = config.model_copy(update={"model": model})
            folder.write_config(config)
        if config.data.train is None:
            made = {"train": assets.train_file, "eval": assets.eval_file}
            problems = {s: load_problems(str(f), DataConfig()) for s, f in made.items()} | problems
    folder.event("preparing", what="the problems")
    length = _make_length_function(config)
    for split, loaded in sorted(problems.items()):  # "train" last: with it, all are there
        _write_split(
            folder, split, drop_long_problems(loaded, length, config.data.prompt_max_tokens)
        )
    folder.named_problems.unlink(missing_ok=True)
    return config


def prepare_named_model(folder: RunFolder, config: TrainConfig, cache: Path) -> TrainConfig:
    """Convert a GGUF file into ``cache``; the run's own configuration goes on naming the file.

    On several nodes the run's folder is the cache: they all see it.
    """
    if config.model.path is None:
        return config

    def progress(what: str) -> None:
        folder.event("preparing", what="the model", detail=what)

    path = prepare_model(config.model.path, cache, progress)
    model = config.model.model_copy(update={"path": path})
    return config.model_copy(update={"model": model})


def is_prepared(folder: RunFolder, config: TrainConfig) -> bool:
    """Whether an earlier start came so far that model and problems are in the folder."""
    return (folder.data / "train.jsonl").exists() and config.model.path is not None


def _prepare_tiny(folder: RunFolder, config: TrainConfig) -> Any:
    from masa_openrlhf import tiny

    def progress(share: float, message: str) -> None:
        folder.event("preparing", what="the tiny model", detail=message, share=share)

    return tiny.prepare_assets(
        find_cache_home() / "tiny",
        seed=config.tiny.seed,
        problems=config.tiny.problems,
        held_out=config.tiny.held_out,
        progress=progress,
    )


def _make_length_function(config: TrainConfig) -> Callable[[Any], int]:
    import transformers

    from masa_openrlhf.data.prompts import PromptEncoder

    tokenizer = transformers.AutoTokenizer.from_pretrained(config.model.path)
    return PromptEncoder(tokenizer, config).longest


def _write_split(folder: RunFolder, name: str, loaded: LoadedProblems) -> None:
    write_problems(loaded, folder.data / f"{name}.jsonl")
    folder.event("problems", split=name, **summarise_problems(loaded))
