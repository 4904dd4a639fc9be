"""Reads the values of an object that hold no others: numbers, words, and what stands for none."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from masa_rewards.prompt.components import BROKEN, GROUPED
from masa_rewards.prompt.signs import COMMA, GAP, QUOTE

_NUMBER_END = rf"(?={GAP}*(?:{COMMA}|[\]}})\uff5d\uff3d\u3011\\#\n<$]|{QUOTE}|//|/\*|\Z))"
_NUMBER = re.compile(rf"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?{_NUMBER_END}", re.ASCII)
_GROUPED = re.compile(rf"{GROUPED}(?![\d.,]*\d){_NUMBER_END}", re.ASCII)
# "5/8" and "about 5" are words: the component decides whether they state a number.
_BARE_SIGNS = r"\"'\[\](){}\uff3b\uff3d\u3010\u3011\uff5b\uff5d,\uff0c:\uff1a;\uff1b\u3001#/"
REMARK = r"(?:\([^(){}\n\"]{0,80}\)|\[[^\[\]{}\n\"]{0,80}\])"
"""A remark in brackets behind a value: 5 (of 8)."""

_BARE = re.compile(
    rf"[^\s{_BARE_SIGNS}](?:[^\n{_BARE_SIGNS}]|/(?![/*])|;(?!\s*[\"\u201c])|(?<=\w)'(?=\w))*"
    rf"{REMARK}?"
)
_CONSTANTS: dict[str, object] = {
    "true": True,
    "false": False,
    "null": None,
    "none": None,
    "...": ...,
    "\u2026": ...,
    "nan": math.nan,
    "inf": math.inf,
    "infinity": math.inf,
    "-inf": -math.inf,
    "-infinity": -math.inf,
}
_MAX_WORDS = 80
_BEHIND = " \t\r\n\u200b\u200c\u200d\u2060\ufeff\u00ad,;\uff0c\uff1b\u3001"
_EDGES = f"{_BEHIND}\"'\u201c\u201d\u2018\u2019"
_SYNTAX = re.compile(r"[\"\u201c\u201d\[\]{}:]")
_NO_PLACES: Final[Mapping[str, tuple[int, int]]] = {}


class UnreadableError(Exception):
    """The text at hand is no object."""


class ParsedValue(NamedTuple):
    """A value and where it ends in the text.

    Attributes:
        value: The value.
        end: The position behind it.
        places: Of an object, from where to where the value of each key stands; of others empty.
    """

    value: object
    end: int
    places: Mapping[str, tuple[int, int]] = _NO_PLACES


def read_scalar(text: str, start: int, *, in_list: bool) -> ParsedValue:
    """Read a number or bare words.

    Args:
        text: Any text.
        start: Where it starts.
        in_list: Whether a comma parts two items: [1,200] is no number of thousands.

    Raises:
        UnreadableError: If there is neither.
    """
    if not in_list and (grouped := _GROUPED.match(text, start)):
        return ParsedValue(int(re.sub(r"[^\d+-]", "", grouped.group())), grouped.end())
    if number := _NUMBER.match(text, start):
        value = float(number.group())
        return ParsedValue(int(value) if value.is_integer() else value, number.end())
    if bare := _BARE.match(text, start):
        word = bare.group().strip()
        return ParsedValue(_CONSTANTS.get(word.casefold(), word), bare.end())
    raise UnreadableError


def salvage_words(text: str, begin: int, end: int) -> ParsedValue:
    """Keep what an entry holds as plain words, if it does; its place leaves out what is around."""
    kept = len(text[begin:end].rstrip(_BEHIND)) if begin < end else 0
    words = text[begin : begin + kept].strip(_EDGES)
    if not words:
        return ParsedValue(None, begin)
    plain = len(words) <= _MAX_WORDS and not _SYNTAX.search(words)
    return ParsedValue(words if plain else BROKEN, begin + kept)
