"""Every setting of a tree, those of all rules too."""

from __future__ import annotations

from collections.abc import Iterator

from masa_openrlhf.config.help import _models
from masa_openrlhf.config.rules import alternatives
from pydantic import BaseModel
from pydantic.fields import FieldInfo


def list_settings(config: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in config.model_fields.items():
        models = list(alternatives(prefix + name).values()) or _models(field.annotation)
        if not models and name not in ("openrlhf", "rule"):
            yield prefix + name, field
        for model in models:
            yield from list_settings(model, f"{prefix}{name}.")
