"""What all settings of this package have in common."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Discriminator


class Settings(BaseModel):
    """Settings that are declared here once, for the library and for every trainer that uses it.

    They are frozen, refuse names that they do not know, and check their defaults too. The docstring
    below a field is the field's description, and a trainer's help line.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True
    )


def discriminate_by_rule(default: str) -> Discriminator:
    """Tell alternatives apart by their ``rule``; one that names none has the default's.

    Args:
        default: the rule of a section without one.
    """

    def find_rule(value: object) -> str:
        if isinstance(value, Mapping):
            return str(value.get("rule", default))
        return str(getattr(value, "rule", None))

    return Discriminator(find_rule)
