"""Every setting of a tree, those of all rules too."""

from __future__ import annotations

from collections.abc import Iterator

from masa_openrlhf.config.help import list_models
from masa_openrlhf.config.rules import list_alternatives
from pydantic import BaseModel
from pydantic.fields import FieldInfo


def list_settings(config: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in config.model_fields.items():
        models = list(list_alternatives(prefix + name).values()) or list_models(field.annotation)
        if not models and name not in ("openrlhf", "rule"):
            yield prefix + name, field
        for model in models:
            yield from list_settings(model, f"{prefix}{name}.")
