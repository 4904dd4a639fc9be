"""Sizes of a model, read from its config.json: enough to count parameters, caches and passes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masa_openrlhf.hub import HubError, fetch_hub_file
from masa_openrlhf.model.gguf import is_gguf, read_gguf_config

_FAMILIES = ("llama", "mistral", "qwen2", "qwen3", "smollm3")
"""Dense decoders whose layers are those of ``activations``, by model_type."""


class ShapeError(ValueError):
    """The model's sizes cannot be read, or it is of a kind that is not planned."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A dense decoder, as its config.json has it.

    Attributes:
        hidden: width of the residual stream.
        layers: decoder layers.
        heads: query heads.
        key_heads: key and value heads.
        intermediate: width of the MLP.
        vocabulary: rows of the embedding.
        head: width of a head.
        tied: the last layer's weight is the embedding's.
        qk_norm: queries and keys are normalised (Qwen3).
        qkv_bias: projections of queries, keys and values have biases (Qwen2).
        out_bias: attention's last projection has one too (``attention_bias``).
        positions: longest context that it was made for, tokens; None: not said.
    """

    hidden: int
    layers: int
    heads: int
    key_heads: int
    intermediate: int
    vocabulary: int = 151_936
    head: int = 128
    tied: bool = False
    qk_norm: bool = True
    qkv_bias: bool = False
    out_bias: bool = False
    positions: int | None = None

    @property
    def queries(self) -> int:
        """Width of all query heads."""
        return self.heads * self.head

    @property
    def keys(self) -> int:
        """Width of all key heads; the values' too."""
        return self.key_heads * self.head

    @property
    def parameters(self) -> int:
        """All parameters; a tied embedding counts once."""
        attention = 2 * self.hidden * (self.queries + self.keys)
        biases = self.qkv_bias * (self.queries + 2 * self.keys) + self.out_bias * self.hidden
        norms = 2 * self.hidden + self.qk_norm * 2 * self.head
        layer = attention + biases + norms + 3 * self.hidden * self.intermediate
        embeddings = (1 if self.tied else 2) * self.vocabulary * self.hidden
        return self.layers * layer + embeddings + self.hidden

    @property
    def cache_bytes(self) -> int:
        """Keys and values of one token in bfloat16, all layers."""
        return 2 * 2 * self.layers * self.keys


def _make_qwen3(
    hidden: int, layers: int, heads: int, intermediate: int, *, tied: bool = False
) -> ModelShape:
    return ModelShape(hidden, layers, heads, 8, intermediate, tied=tied, positions=40_960)


SHAPES: dict[str, ModelShape] = {
    "Qwen/Qwen3-0.6B": _make_qwen3(1024, 28, 16, 3072, tied=True),
    "Qwen/Qwen3-1.7B": _make_qwen3(2048, 28, 16, 6144, tied=True),
    "Qwen/Qwen3-4B": _make_qwen3(2560, 36, 32, 9728, tied=True),
    "Qwen/Qwen3-8B": _make_qwen3(4096, 36, 32, 12_288),
    "Qwen/Qwen3-14B": _make_qwen3(5120, 40, 40, 17_408),
}
"""The Qwen3 family, known without a hub; ``-Base`` has the same sizes (and 32,768 positions)."""


def find_shape(model: str) -> ModelShape:
    """Return a model's sizes.

    Args:
        model: a folder with a config.json, a config.json, a GGUF file, a name of ``SHAPES``
            (``-Base`` or not), or a name on the hub, of which the config.json alone is fetched.

    Raises:
        ShapeError: there is no config.json, it cannot be read, or the model is of another kind.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        path = path / "config.json"
    if path.is_file():
        return _read_gguf_shape(path) if is_gguf(model) else read_shape(path)
    if (known := SHAPES.get(model.removesuffix("-Base"))) is not None:
        return known
    try:
        return read_shape(fetch_hub_file(model, "config.json"))
    except HubError as error:
        raise ShapeError(f"{error}. Name a folder with the model's config.json") from None


def _read_gguf_shape(path: Path) -> ModelShape:
    try:
        return parse_shape(read_gguf_config(path))
    except (ValueError, ModuleNotFoundError) as error:
        raise ShapeError(f"{path}: {error}") from None


def read_shape(path: Path) -> ModelShape:
    """Read a config.json.

    Raises:
        ShapeError: it cannot be read, or the model is of a kind that is not planned.
    """
    try:
        config = json.loads(path.read_text("utf-8"))
        if not isinstance(config, dict):
            raise ShapeError("no JSON object")
        return parse_shape(config)
    except (OSError, ValueError) as error:
        raise ShapeError(f"{path}: {error}") from None


def parse_shape(config: Mapping[str, Any]) -> ModelShape:
    """Return the sizes that a config.json holds.

    Raises:
        ShapeError: a size is missing or no positive number, or the model is of another kind.
    """
    family = config.get("model_type")
    if family not in _FAMILIES:
        raise ShapeError(
            f"model_type {family!r} is not planned: the plan knows dense decoders "
            f"({', '.join(_FAMILIES)}), whose memory it can work out"
        )
    heads = _read_size(config, "num_attention_heads")
    hidden = _read_size(config, "hidden_size")
    biased = bool(config.get("attention_bias", False)) and family != "qwen2"
    return ModelShape(
        hidden=hidden,
        layers=_read_size(config, "num_hidden_layers"),
        heads=heads,
        key_heads=_read_size(config, "num_key_value_heads", heads),
        intermediate=_read_size(config, "intermediate_size"),
        vocabulary=_read_size(config, "vocab_size"),
        head=_read_size(config, "head_dim", hidden // heads),
        tied=bool(config.get("tie_word_embeddings", False)),
        qk_norm=family == "qwen3",
        qkv_bias=biased or family == "qwen2",
        out_bias=biased,
        positions=_read_size(config, "max_position_embeddings", 0) or None,
    )


def _read_size(config: Mapping[str, Any], key: str, default: int | None = None) -> int:
    value = config.get(key)
    value = default if value is None else value
    if value is None:
        raise ShapeError(f"{key} is missing")
    if type(value) is not int or value < (0 if default == 0 else 1):
        raise ShapeError(f"{key} is {value!r}, which is no size")
    return value
