"""A GGUF file as a Hugging Face folder: transformers reads it, and it is converted once.

Weights of a GGUF file are quantised; they become bfloat16, which is what is trained.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from masa_openrlhf.cache import fill_once

_MAGIC = b"GGUF"
_CHUNK = 1 << 24
_SIZES = {
    "hidden_size": "embedding_length",
    "num_hidden_layers": "block_count",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "head_dim": "attention.key_length",
    "intermediate_size": "feed_forward_length",
    "max_position_embeddings": "context_length",
}
"""Name in a config.json -> name in a GGUF file, after the architecture's."""


def is_gguf(name: str) -> bool:
    """Whether a model's name is that of a GGUF file."""
    return name.lower().endswith(".gguf")


def require_gguf(file: Path) -> None:
    """Check that a file is a whole model in GGUF form.

    Raises:
        ValueError: there is none, it is something else, or it is one part of several.
    """
    try:
        with file.open("rb") as stream:
            magic = stream.read(len(_MAGIC))
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
    if magic != _MAGIC:
        raise ValueError(f"{file} is no GGUF file: it does not begin with {_MAGIC.decode()}")
    if "-of-" in file.stem and not file.stem.endswith("-00001-of-00001"):
        raise ValueError(f"{file} is a part of a model: join the parts first (gguf-split --merge)")


def read_gguf_config(file: Path) -> dict[str, Any]:
    """Return a model's sizes by the names of a config.json; seconds, weights are not read.

    Raises:
        ValueError: it is no GGUF file, or says nothing of its sizes.
        ModuleNotFoundError: the package gguf is not installed.
    """
    require_gguf(file)
    _require_reader(file)
    import gguf

    reader = gguf.GGUFReader(file)
    family = _read_field(reader, "general.architecture")
    sizes = {name: _read_field(reader, f"{family}.{key}") for name, key in _SIZES.items()}
    tokens = reader.fields.get("tokenizer.ggml.tokens")
    return {
        **{name: value for name, value in sizes.items() if value is not None},
        "model_type": family,
        "vocab_size": None if tokens is None else len(tokens.data),
        "tie_word_embeddings": all(tensor.name != "output.weight" for tensor in reader.tensors),
    }


def _read_field(reader: Any, name: str) -> Any:
    field = reader.fields.get(name)
    return None if field is None else field.contents()


def _require_reader(file: Path) -> None:
    if importlib.util.find_spec("gguf") is None:
        raise ModuleNotFoundError(f"{file.name} is a GGUF file: pip install gguf, which reads it")


def convert_gguf(file: Path, folder: Path, progress: Callable[[str], None]) -> Path:
    """Return a Hugging Face folder of a GGUF file, converted unless it was before.

    Args:
        file: the model.
        folder: where converted models are kept, each under its name and a digest of its content.
        progress: called once with what is being done, where it has to be done.

    Raises:
        ValueError: no such file, or transformers cannot read this kind of model.
        ModuleNotFoundError: the package gguf is not installed.
    """
    require_gguf(file)
    target = folder / f"{file.stem}-{_digest_file(file)}"
    if target.exists():
        return target
    progress(f"converting {file.name}: some minutes, once")
    return fill_once(target, lambda making: _convert_file(file, making))


def _digest_file(file: Path) -> str:
    digest = hashlib.blake2b(digest_size=6)
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _convert_file(file: Path, folder: Path) -> None:
    _require_reader(file)
    import torch
    import transformers

    place = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(**place)
        model = transformers.AutoModelForCausalLM.from_pretrained(**place, dtype=torch.bfloat16)
    except (ValueError, KeyError, NotImplementedError, OSError) as error:
        raise ValueError(f"{file} cannot be converted: {error}") from error
    _set_special_tokens(tokenizer, model.generation_config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _set_special_tokens(tokenizer: Any, generation: Any) -> None:
    """Give the tokenizer the special tokens of the file.

    transformers 5 gives a Llama's tokenizer the beginning of the sequence as its end as well: no
    answer would ever be over.
    """
    for kind in ("bos", "eos", "pad"):
        number = getattr(generation, f"{kind}_token_id")
        if isinstance(number, int):
            setattr(tokenizer, f"{kind}_token", tokenizer.convert_ids_to_tokens(number))
