"""Reads the three components from the values of an object, or returns why one is unreadable.

The form may vary: `5`, "5", 5.0, `5/8` and `62.5 %` of a scale of 8, `1,200`, `900 tokens`. The
meaning may not: a share (0.625), a hedge ("about 900") or a range is no whole number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, NamedTuple

from masa_rewards.missing import Reason
from masa_rewards.prompt.signs import INVISIBLE


class _Broken:
    def __repr__(self) -> str:
        return "BROKEN"


BROKEN: Final = _Broken()
"""Stands for a value that is there and cannot be read."""

GROUPED = (
    r"[+-]?\d{1,3}(?P<group>,|\\,|\{,\}|[_ \u00a0\u2009\u202f'\u2019])\d{3}(?:(?P=group)\d{3})*"
)
"""A whole number of thousands: 1,200 and 1_200, in LaTeX 1\\,200 and 1{,}200."""

_MAX_NUMERAL = 80
_UNSEEN = re.compile(f"[{INVISIBLE}]")
_NUMERAL = re.compile(r"[+-]?\d{1,18}(?:\.0*)?", re.ASCII)
_THOUSANDS = re.compile(GROUPED, re.ASCII)
_OF = re.compile(
    r"(?P<count>\d{1,18})\s*[(\[]?\s*(?:/|of|out\s+of)\s*(?P<all>\d{1,18})\s*(?P<unit>.*?)[)\]]?",
    re.ASCII | re.IGNORECASE,
)
_PERCENT = re.compile(
    r"(?P<percent>\d{1,18}(?:\.\d{1,18})?)\s*(?:\\?%|\uff05|per\s?cent)", re.ASCII | re.IGNORECASE
)
_UNIT = re.compile(r"(?P<number>.*?\d)\s*[(\[]?\s*(?P<unit>[a-z]+)\s*[)\]]?", re.IGNORECASE)
_BETWEEN = re.compile("[,;\n\uff0c\uff1b\u3001]")
_PLACEHOLDERS = frozenset({"...", "\u2026"})

ATTEMPTS = frozenset({"attempt", "attempts", "try", "tries", "rollout", "rollouts"})
TOKENS = frozenset({"token", "tokens", "tok", "toks"})


class WholeNumber(NamedTuple):
    """A whole number, or the reason there is none."""

    value: int | None
    reason: Reason | None = None


class NotionList(NamedTuple):
    """The notions, or the reason there are none."""

    value: tuple[str, ...] | None
    reason: Reason | None = None


def read_rate(value: object, scale: int) -> WholeNumber:
    """Read how many of `scale` attempts: a whole number in [0, scale].

    Args:
        value: As of `read_whole`; or a string with the total ("5/8", "5 of 8 attempts"),
            which must be `scale`, or in percent.
        scale: Of how many attempts.

    Returns:
        The number, or why it cannot be read as one.
    """
    if isinstance(value, str) and len(value) <= _MAX_NUMERAL:
        text = _strip_dressing(value)
        share = _OF.fullmatch(text)
        if (
            share
            and int(share["all"]) == scale
            and share["unit"].strip().lower() in {"", *ATTEMPTS}
        ):
            value = share["count"]
        elif percent := _PERCENT.fullmatch(text):
            count = Fraction(percent["percent"]) * scale / 100
            if count.denominator > 1:
                return WholeNumber(None, "not_integer")
            value = count.numerator
    return read_whole(value, 0, scale, units=ATTEMPTS)


def read_whole(
    value: object, low: int, high: int, *, units: frozenset[str] = frozenset()
) -> WholeNumber:
    """Read a whole number in [low, high].

    Args:
        value: What the object holds: a number, or a string that is one ("5", "6 ", "5.0", "1,200").
        low: Smallest value allowed.
        high: Largest value allowed.
        units: Words that may stand behind it, "900 tokens", "900 (tokens)".

    Returns:
        The number, or why it cannot be read as one.
    """
    if reason := _find_missing_reason(value):
        return WholeNumber(None, reason)
    if isinstance(value, str):
        value = _read_number(value, units) if len(value) <= _MAX_NUMERAL else None
    if not isinstance(value, int | float):
        return WholeNumber(None, "wrong_type")
    if not math.isfinite(value):
        return WholeNumber(None, "not_finite")
    if value != int(value):
        return WholeNumber(None, "not_integer")
    if not low <= value <= high:
        return WholeNumber(None, "out_of_range")
    return WholeNumber(int(value))


def read_notions(value: object) -> NotionList:
    """Read a list of notions.

    Args:
        value: What the object holds: a list of strings, or one string with commas, semicolons or
            line breaks between the notions. Lists in the list are taken as one; null and "..." in
            it are passed over.

    Returns:
        The notions that are not blank, or why there are none. One entry that is no string spoils
        the list.
    """
    if reason := _find_missing_reason(value):
        return NotionList(None, reason)
    if isinstance(value, str):
        value = _BETWEEN.split(value)
    if not isinstance(value, list):
        return NotionList(None, "wrong_type")
    entries = [entry for entry in _flatten_entries(value) if not is_placeholder(entry)]
    notions = [entry.strip() for entry in entries if isinstance(entry, str)]
    if len(notions) < len(entries):
        return NotionList(None, "wrong_type")
    if not any(notions):
        return NotionList(None, "empty")
    return NotionList(tuple(notion for notion in notions if notion))


def is_placeholder(value: object) -> bool:
    """Whether a value only holds the place of one: null, "...", [...]."""
    if isinstance(value, list):
        return bool(value) and all(map(is_placeholder, value))
    if isinstance(value, str):
        return value.strip() in _PLACEHOLDERS
    return value is None or value is ...


def _flatten_entries(entries: list[object]) -> Iterator[object]:
    for entry in entries:
        if isinstance(entry, list):
            yield from _flatten_entries(entry)
        else:
            yield entry


def _find_missing_reason(value: object) -> Reason | None:
    if isinstance(value, bool):
        return "boolean"
    if value is BROKEN:
        return "broken"
    if not isinstance(value, list) and is_placeholder(value):
        return "null"
    return None


def _strip_dressing(text: str) -> str:
    """Without what is not seen, and what only dresses a number: "**5**", "$5$", a quote more."""
    return _UNSEEN.sub("", text).strip(" \t\r\n\"'`*$\u201c\u201d\u2018\u2019")


def _read_number(text: str, units: frozenset[str]) -> float | None:
    text = _strip_dressing(text)
    if (unit := _UNIT.fullmatch(text)) and unit["unit"].lower() in units:
        text = unit["number"]
    if _NUMERAL.fullmatch(text):
        return float(text)
    if _THOUSANDS.fullmatch(text):
        return float(re.sub(r"[^\d+-]", "", text))
    return None
