"""What MODEL names: the tiny model, a run's or a model's folder, a GGUF file, a name on the hub."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masa_openrlhf.cache import find_cache_home
from masa_openrlhf.command.invocation import format_command
from masa_openrlhf.config.layers import (
    ConfigError,
    build_config,
    read_preset,
    read_saved_config,
    read_toml,
)
from masa_openrlhf.config.presets import list_presets
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.model.gguf import is_gguf
from masa_openrlhf.model.source import ModelError, prepare_model

TINY = "tiny"


@dataclass(frozen=True)
class ModelSource:
    """A model, and how it is spoken to.

    Attributes:
        name: for people and for the folder's name.
        path: folder or hub name, as vLLM takes it.
        asked_as: the wording and the chat form it was trained with, or is to be asked in; defaults
            where nothing says.
        trained: whether something says: a run, a warm-up, or the evaluation's ``like``.
        tiny_file: the tiny model's held-out problems; None for any other.
    """

    name: str
    path: str
    asked_as: TrainConfig
    trained: bool
    tiny_file: Path | None = None


def find_model(config: EvaluationConfig) -> ModelSource:
    """Find what ``config.model`` names.

    Raises:
        EvalError: nothing of that name, or a run that has no model yet.
    """
    given = config.model
    if not given:
        raise EvalError("no MODEL is named: give a hub name, a folder, a run's folder, or tiny")
    if given == TINY and not Path(given).exists():
        return _make_tiny_source(config)
    if is_gguf(given):
        return _convert_gguf_model(given, config)
    folder = Path(given)
    if (folder / "config.json").is_file() and _is_run_folder(folder):
        return _find_run_model(folder, config)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise EvalError(
                f"{given} is neither a model's folder nor a run's: it has no config.json"
            )
        return _make_source(folder.resolve().name, str(folder), config, _find_warmup(folder))
    if folder.is_absolute() or given.startswith(".") or given.count("/") > 1:
        raise EvalError(f"there is no folder {given!r}, and no hub name looks like that")
    return _make_source(given.replace("/", "--"), given, config)


def _convert_gguf_model(file: str, config: EvaluationConfig) -> ModelSource:
    try:
        path = prepare_model(file, find_cache_home(), lambda what: print(what, file=sys.stderr))
    except ModelError as error:
        raise EvalError(str(error)) from None
    return _make_source(Path(file).stem, path, config)


def _make_source(
    name: str, path: str, config: EvaluationConfig, before: TrainConfig | None = None
) -> ModelSource:
    """A model that is of no run: asked as the evaluation says, else as its warm-up did."""
    said = before if config.like is None else read_likeness(config.like)
    asked = _apply_wording(said or TrainConfig(), config)
    return ModelSource(name, path, asked, said is not None)


def read_likeness(like: str) -> TrainConfig:
    """Return the configuration of a preset or of a TOML file, by which a model is to be asked.

    Raises:
        EvalError: there is no such preset, and no such file; or it is none of train.
    """
    try:
        if like in list_presets():
            return build_config(read_preset(like))
        if not Path(like).is_file():
            raise EvalError(
                f"--like {like!r} is no file, and no preset: {', '.join(list_presets())}"
            )
        return build_config(read_toml(Path(like)))
    except ConfigError as error:
        raise EvalError(str(error)) from error


def _find_warmup(folder: Path) -> TrainConfig | None:
    """The settings of the warm-up that a model's folder comes of; None where it does not."""
    file = folder / "warmup.json"
    if not file.is_file():
        return None
    try:
        return TrainConfig.model_validate(json.loads(file.read_text("utf-8"))["settings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvalError(
            f"{file} is not what this version of `masa-openrlhf warmup` writes: {error}"
        ) from error


def _make_tiny_source(config: EvaluationConfig) -> ModelSource:
    from masa_openrlhf import tiny

    preset = build_config(read_preset(TINY))
    assets = tiny.prepare_assets(
        find_cache_home() / "tiny",
        seed=preset.tiny.seed,
        problems=preset.tiny.problems,
        held_out=preset.tiny.held_out,
    )
    asked = _apply_wording(preset, config)
    return ModelSource(TINY, str(assets.model_dir), asked, True, assets.eval_file)


def _is_run_folder(folder: Path) -> bool:
    """A run's config.json is a configuration of ours; a model's says what it consists of."""
    try:
        found: Any = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EvalError(f"{folder / 'config.json'} cannot be read: {error}") from error
    return isinstance(found, dict) and {"solution", "algorithm", "meta"} <= found.keys()


def _find_run_model(folder: Path, config: EvaluationConfig) -> ModelSource:
    model = folder / "model"
    if not (model / "config.json").is_file():
        raise EvalError(
            f"the run {folder} has no model yet: finish it with "
            f"{format_command('train', '--resume', folder)}, or name a model's folder"
        )
    trained = _read_configuration(folder)
    held_out = folder / "data" / "eval.jsonl"
    on_tiny = trained.data.train is None and trained.data.eval is None
    tiny_file = held_out if on_tiny and held_out.is_file() else None
    said = trained if config.like is None else read_likeness(config.like)
    asked = _apply_wording(said, config)
    return ModelSource(folder.resolve().name, str(model), asked, True, tiny_file)


def _read_configuration(folder: Path) -> TrainConfig:
    file = folder / "config.json"
    try:
        return read_saved_config(file.read_text("utf-8"))
    except ConfigError as error:
        raise EvalError(
            f"{file} is of another version of masa-openrlhf:\n{error}\n"
            f"Name {folder / 'model'} to ask its model in the default wording"
        ) from error


def _apply_wording(trained: TrainConfig, config: EvaluationConfig) -> TrainConfig:
    """Put what the evaluation says of wording over how it was trained."""
    settings = trained.model_dump()
    if config.solution_template is not None:
        settings["solution"]["template"] = config.solution_template
    if config.chat_template is not None:
        settings["model"]["chat_template"] = config.chat_template
    return TrainConfig.model_validate(settings)
