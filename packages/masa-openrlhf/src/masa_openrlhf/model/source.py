"""Is there a model of that name? Found out within seconds, before Ray starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from masa_openrlhf.hub import HubUnreachableError, fetch_hub_file
from masa_openrlhf.model.gguf import convert_gguf, is_gguf, require_gguf

_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tekken.json", "vocab.json", "vocab.txt")
_INDICES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


class ModelError(ValueError):
    """There is no such model, or something of it is missing; the message says what."""


def require_model(name: str) -> None:
    """Check that a model is there, with its tokenizer and weights.

    Args:
        name: a folder, a GGUF file, or a name on the hub (``owner/name``). Of a folder all files
            are looked for, of the hub config.json and tokenizer_config.json.

    Raises:
        ModelError: it is not; the message says what is missing and where it was looked for.
        HubUnreachableError: the hub does not answer.
    """
    path = Path(name).expanduser()
    try:
        if is_gguf(name):
            require_gguf(path)
        elif path.is_dir():
            _require_folder(path)
        elif path.exists() or path.is_absolute() or name.startswith(".") or name.count("/") != 1:
            raise ModelError(
                f"{name!r} is no folder of a model, no .gguf file, and no name on the hub "
                "(owner/name)"
            )
        else:
            for file in ("config.json", "tokenizer_config.json"):
                fetch_hub_file(name, file)
    except HubUnreachableError:
        raise
    except ValueError as error:
        raise ModelError(str(error)) from None


def prepare_model(name: str, cache: Path, progress: Callable[[str], None]) -> str:
    """Return the model as the stack takes it: a GGUF file as the folder it is converted into.

    Args:
        name: as in ``require_model``.
        cache: folder in which converted models are kept.
        progress: called with what is being done, where it takes a while.

    Raises:
        ModelError: the file cannot be converted.
    """
    if not is_gguf(name):
        return name
    try:
        return str(convert_gguf(Path(name).expanduser(), cache / "gguf", progress))
    except ValueError as error:
        raise ModelError(str(error)) from error


def _require_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} has no config.json: it is no model's folder")
    if not any((folder / file).is_file() for file in _TOKENIZERS):
        raise ModelError(
            f"{folder} has no tokenizer ({', '.join(_TOKENIZERS[:2])}): copy that of the model it "
            "comes from"
        )
    if not any(next(folder.glob(pattern), None) for pattern in _WEIGHTS):
        raise ModelError(f"{folder} has no weights ({', '.join(_WEIGHTS)})")
    for index in _INDICES:
        if (folder / index).is_file():
            missing = sorted(_list_shards(folder / index) - {f.name for f in folder.iterdir()})
            if missing:
                raise ModelError(
                    f"{folder} lacks {len(missing)} of the files of weights that {index} names, "
                    f"{missing[0]} first: the download was not finished"
                )


def _list_shards(index: Path) -> set[str]:
    try:
        return set(json.loads(index.read_text("utf-8"))["weight_map"].values())
    except (ValueError, KeyError, AttributeError, TypeError):
        raise ModelError(f"{index} is no index of weights") from None
