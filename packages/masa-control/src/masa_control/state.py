"""Saved states: pydantic models, so that the types are the format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_State = TypeVar("_State", bound="SavedState")

# Strict: a state is written by this package, so that "3" or True where a number belongs is damage.
Count = Annotated[int, Field(strict=True, ge=0)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Weight = Annotated[float, Field(strict=True, ge=1, allow_inf_nan=False)]


class SavedState(BaseModel):
    """The state of one part of a run, as it stands in a checkpoint.

    Attributes:
        state_of: what it is the state of.
        version: of its format.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    state_of: ClassVar[str]
    version: ClassVar[int] = 1

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, with what it is the state of and its version."""
        content = self.model_dump(mode="json")
        return {"state_of": self.state_of, "version": self.version, **content}

    @classmethod
    def from_dict(cls: type[_State], state: Mapping[str, Any]) -> _State:
        """Read a state that ``to_dict`` wrote.

        Raises:
            ValueError: it is of something else, of another version, or damaged; names what was
                found.
        """
        found = (state.get("state_of"), state.get("version"))
        if found != (cls.state_of, cls.version):
            raise ValueError(
                f"not the state of a {cls.state_of} of version {cls.version}, but of "
                f"{found[0]!r} of version {found[1]!r}; resume with the version of masa-control "
                "that wrote the checkpoint"
            )
        content = {k: v for k, v in state.items() if k not in ("state_of", "version")}
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise ValueError(
                f"the state of the {cls.state_of} is damaged, or not whole: {error}"
            ) from error
