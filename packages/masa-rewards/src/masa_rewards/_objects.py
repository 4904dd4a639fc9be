r"""Reads the objects that models write: JSON, Python dicts, and what lies between them and LaTeX.

A reader of our own, and not `json` with repairs before it: it takes every form in one pass, in
linear time and bounded depth, whatever the text. Beyond JSON it takes single and curly quotes, bare
words, trailing commas, comments, tuples, Python's constants, `\{ \}` for braces, and backslashes of
LaTeX inside strings ("\frac" is no form feed).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

MAX_DEPTH = 16
"""How deep an object may be nested."""

_SPACE = re.compile(r"(?:\s|\\[\\n ,;!](?![A-Za-z])|//[^\n]*|#[^\n]*)*")
_OPEN = re.compile(r"\\?\{")
_CLOSE = re.compile(r"\\?\}")
_NUMBER = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?=\s*(?:[,\]})\\#]|//|$))", re.ASCII
)
# "5/8" and "about 5" are words: they spoil their own component, not the object.
_BARE = re.compile(r"[^\s\"'\[\](){},:#/](?:[^\n\"'\[\](){},:#/]|/(?!/))*")
_QUOTES = {'"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019"}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([\"'\\/])|([bfnrt])(?![A-Za-z]))")
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_CONSTANTS: dict[str, bool | float | None] = {
    "true": True,
    "false": False,
    "null": None,
    "none": None,
    "...": None,
    "nan": math.nan,
    "inf": math.inf,
    "infinity": math.inf,
    "-inf": -math.inf,
    "-infinity": -math.inf,
}


class UnreadableError(Exception):
    """The text at hand is no object."""


class Parsed(NamedTuple):
    """A value and where it ends in the text.

    Attributes:
        value: The value.
        end: The position behind it.
        places: Of an object, from where to where the value of each key stands; of others empty.
    """

    value: object
    end: int
    places: Mapping[str, tuple[int, int]] = {}


def parse_object(text: str, start: int) -> Parsed:
    """Read the object whose opening brace is at `start`.

    Args:
        text: Any text.
        start: Where the brace, or the backslash before it, stands.

    Returns:
        A dict and the position behind its closing brace. Its values are str, int, float (NaN and
        infinities too), bool, None, list and dict; of a repeated key the last value counts.

    Raises:
        UnreadableError: If it is none, ends nowhere, or is nested deeper than `MAX_DEPTH`.
    """
    return _object(text, start, MAX_DEPTH)


def _object(text: str, start: int, depth: int) -> Parsed:
    entries: dict[str, object] = {}
    places: dict[str, tuple[int, int]] = {}
    position = _skip(text, _expect(_OPEN, text, start))
    while not (end := _CLOSE.match(text, position)):
        key = _value(text, position, depth)
        if not isinstance(key.value, str):
            raise UnreadableError
        colon = _skip(text, key.end)
        if text[colon : colon + 1] != ":":
            raise UnreadableError
        begin = _skip(text, colon + 1)
        value = _value(text, begin, depth)
        entries[key.value] = value.value
        places[key.value] = (begin, value.end)
        position = _separator(text, value.end, _CLOSE)
    return Parsed(entries, end.end(), places)


def _list(text: str, start: int, closing: re.Pattern[str], depth: int) -> Parsed:
    items: list[object] = []
    position = _skip(text, start + 1)
    while not (end := closing.match(text, position)):
        item = _value(text, position, depth)
        items.append(item.value)
        position = _separator(text, item.end, closing)
    return Parsed(items, end.end())


_BRACKETS = {"[": re.compile(r"\]"), "(": re.compile(r"\)")}


def _value(text: str, start: int, depth: int) -> Parsed:
    first = text[start : start + 1]
    if first in _QUOTES:
        return _string(text, start)
    if first in _BRACKETS or _OPEN.match(text, start):
        if not depth:
            raise UnreadableError
        if first in _BRACKETS:
            return _list(text, start, _BRACKETS[first], depth - 1)
        return _object(text, start, depth - 1)
    if number := _NUMBER.match(text, start):
        value = float(number.group())
        return Parsed(int(value) if value.is_integer() else value, number.end())
    if bare := _BARE.match(text, start):
        word = bare.group().strip()
        return Parsed(_CONSTANTS.get(word.casefold(), word), bare.end())
    raise UnreadableError


def _string(text: str, start: int) -> Parsed:
    """A string ends at a quote that something of the object's syntax follows.

    So an apostrophe within single quotes does not end it, and every string of valid JSON ends
    where it should.
    """
    closing = _STRING_ENDS[_QUOTES[text[start]]].match(text, start + 1)
    if not closing:
        raise UnreadableError
    return Parsed(_unescape(closing.group(1)), closing.end())


_AFTER_STRING = r"(?:\s|\\[\\n])*(?:\\?\}|[,:\])#]|//)"
# (?=(...))\1 takes its match as a whole and never gives a part of it back.
_STRING_ENDS = {
    quote: re.compile(
        rf"(?=((?:[^\\{quote}]+|\\.|{quote}(?!{_AFTER_STRING}))*))\1{quote}", re.DOTALL
    )
    for quote in _QUOTES.values()
}


def _unescape(body: str) -> str:
    if "\\" not in body:
        return body
    # A pair of escapes may spell one character: "\ud835\udc65".
    plain = _ESCAPE.sub(_unescaped, body).encode("utf-16-le", "surrogatepass")
    return plain.decode("utf-16-le", "replace")


def _unescaped(escape: re.Match[str]) -> str:
    code, itself, control = escape.groups()
    if code:
        return chr(int(code, 16))
    return str(itself or _CONTROLS[control])


def _separator(text: str, start: int, closing: re.Pattern[str]) -> int:
    """Step over a comma, which may be missing only before the closing bracket."""
    position = _skip(text, start)
    if text[position : position + 1] == ",":
        return _skip(text, position + 1)
    if not closing.match(text, position):
        raise UnreadableError
    return position


def _skip(text: str, start: int) -> int:
    return _expect(_SPACE, text, start)


def _expect(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    if not match:
        raise UnreadableError
    return match.end()
