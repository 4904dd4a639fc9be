"""Settings that make no sense are refused, with their name and value."""

from __future__ import annotations


def require_at_least(least: int, name: str, value: int) -> int:
    """Return `value`, or raise ValueError if it is less than `least`."""
    if value < least:
        raise ValueError(f"{name} must be at least {least}: got {value!r}")
    return value


def require_above_zero(name: str, value: float) -> float:
    """Return `value`, in seconds, or raise ValueError if it is not more than 0."""
    if not value > 0:
        raise ValueError(f"{name} must be more than 0 seconds: got {value!r}")
    return value


def require_one_of(choices: tuple[str, ...], name: str, value: str) -> str:
    """Return `value`, or raise ValueError if it is none of `choices`."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices!r}: got {value!r}")
    return value
