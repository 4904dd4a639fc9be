"""A JSON schema of the settings, by which an editor completes and checks a TOML file."""

from __future__ import annotations

import json
from typing import Any

from masa_openrlhf.config.rules import list_alternatives
from masa_openrlhf.config.tree import TrainConfig

SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def render_schema() -> str:
    """Return the schema of a TOML file of settings, as JSON."""
    schema: dict[str, Any] = TrainConfig.model_json_schema()
    for section in TrainConfig.model_fields:
        # What names no rule is of the first one: the others have to be named.
        for model in list(list_alternatives(section).values())[1:]:
            schema["$defs"][model.__name__]["required"] = ["rule"]
    # TOML has no null: what is unset is left out.
    return json.dumps({"$schema": SCHEMA_DIALECT, **schema}, indent=2) + "\n"
