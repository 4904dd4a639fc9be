"""Reads the three components off the values of an object, or says why one cannot be read."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from masa_rewards.missing import Reason

_NUMERAL = re.compile(r"\s*[+-]?(?:\d{1,18}(?:\.0*)?)\s*", re.ASCII)


class Whole(NamedTuple):
    """A whole number, or the reason there is none."""

    value: int | None
    reason: Reason | None = None


class Notions(NamedTuple):
    """The notions, or the reason there are none."""

    value: tuple[str, ...] | None
    reason: Reason | None = None


def read_whole(value: object, low: int, high: int) -> Whole:
    """Read a whole number in [low, high].

    Args:
        value: What the object holds: a number, or a string that is one ("5", "6 ", "5.0").
        low: Smallest value allowed.
        high: Largest value allowed.

    Returns:
        The number, or why it cannot be read as one.
    """
    if isinstance(value, bool):
        return Whole(None, "boolean")
    if value is None:
        return Whole(None, "null")
    if isinstance(value, str) and _NUMERAL.fullmatch(value):
        value = float(value)
    if not isinstance(value, int | float):
        return Whole(None, "wrong_type")
    if not math.isfinite(value):
        return Whole(None, "not_finite")
    if value != int(value):
        return Whole(None, "not_integer")
    if not low <= value <= high:
        return Whole(None, "out_of_range")
    return Whole(int(value))


def read_notions(value: object) -> Notions:
    """Read a list of notions.

    Args:
        value: What the object holds: a list of strings, or one string with commas or semicolons
            between the notions.

    Returns:
        The notions that are not blank, or why there are none. One entry that is no string spoils
        the list.
    """
    if value is None:
        return Notions(None, "null")
    if isinstance(value, bool):
        return Notions(None, "boolean")
    if isinstance(value, str):
        value = re.split("[,;]", value)
    if not isinstance(value, list):
        return Notions(None, "wrong_type")
    notions = [entry.strip() for entry in value if isinstance(entry, str)]
    if len(notions) < len(value):
        return Notions(None, "wrong_type")
    if not any(notions):
        return Notions(None, "empty")
    return Notions(tuple(notion for notion in notions if notion))
