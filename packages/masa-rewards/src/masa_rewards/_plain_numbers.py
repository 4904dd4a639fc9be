"""Numbers of numpy and torch, taken as Python's: by a method both have, without an import."""

from __future__ import annotations


def to_python(value: object) -> object:
    """Make Python's bool, int or float of a scalar that has `item()`; hand the rest back.

    Args:
        value: Anything. What is no scalar is for the validator to refuse.
    """
    item = getattr(value, "item", None)
    if not callable(item) or getattr(value, "ndim", None):
        return value
    number = item()
    return number if isinstance(number, bool | int | float) else value
