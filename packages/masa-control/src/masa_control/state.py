"""Saved states: plain data that says what it is of, and is refused where it does not fit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

_Sums = TypeVar("_Sums")


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


def row(what: str, value: object, length: int) -> list[Any]:
    """Return the entries of a row of a state.

    Raises:
        ValueError: it is no list of so many; names it.
    """
    if not isinstance(value, list | tuple) or len(value) != length:
        raise ValueError(f"{what} must be a list of {length}, got {value!r}")
    return list(value)


def entries(what: str, value: object, *names: str) -> list[Any]:
    """Return the entries of a mapping in a state, in the order of ``names``.

    Raises:
        ValueError: it is no mapping with just these names; names it.
    """
    if not isinstance(value, Mapping) or set(value) != set(names):
        raise ValueError(f"{what} must have {sorted(names)!r}, got {value!r}")
    return [value[name] for name in names]


def number(what: str, value: object, low: float = -math.inf, high: float = math.inf) -> float:
    """Return a finite number of a state.

    Raises:
        ValueError: it is none, or not in [low, high]; names it.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{what} must be a number, got {value!r}")
    if not (low <= value <= high and math.isfinite(value)):
        raise ValueError(f"{what} must be a finite number in [{low:g}, {high:g}], got {value!r}")
    return value


def whole(what: str, value: object, low: int = 0) -> int:
    """Return a whole number of a state.

    Raises:
        ValueError: it is none, or below ``low``; names it.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise ValueError(f"{what} must be a whole number >= {low}, got {value!r}")
    return value


def sums(kind: type[_Sums], value: object) -> _Sums:
    """Return the dataclass of finite numbers that ``asdict`` made a mapping of.

    Raises:
        ValueError: it has other names, or something that is no finite number; names it.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    what = f"a {kind.__name__} in the state"
    found = entries(what, value, *names)
    return kind(**{n: number(f"{n} of {what}", v) for n, v in zip(names, found, strict=True)})
