"""Saved states: plain data that says what it is of, and is refused where it does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def saved(what: str, version: int, **content: Any) -> dict[str, Any]:
    """Return a state: its kind, its version and its content, all plain data."""
    return {"state_of": what, "version": version, **content}


def restored(what: str, version: int, state: Mapping[str, Any], *names: str) -> list[Any]:
    """Return the content of a state by name.

    Raises:
        ValueError: it is of something else, of another version, or not whole; names what was found.
    """
    found = (state.get("state_of"), state.get("version"))
    if found != (what, version):
        raise ValueError(
            f"not the state of a {what} of version {version}, but of {found[0]!r} of version "
            f"{found[1]!r}; resume with the version of masa-control that wrote the checkpoint"
        )
    if missing := [name for name in names if name not in state]:
        raise ValueError(f"the state of the {what} lacks {missing!r}; the checkpoint is not whole")
    if extra := sorted(set(state) - {"state_of", "version", *names}):
        raise ValueError(f"the state of the {what} has {extra!r}, which nobody knows here")
    return [state[name] for name in names]
