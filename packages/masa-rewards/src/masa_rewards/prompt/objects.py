r"""Reads the objects that models write: JSON, Python dicts, and what lies between them and LaTeX.

Not `json` with repairs before it: this parser takes every form in one pass, returns the position of
each value, and needs linear time and bounded depth, whatever the text. Beyond JSON it
takes other quotes, separators and brackets (`_signs`), bare words, trailing, doubled and missing
commas, comments, tuples, Python's constants, and a missing brace at the end.

A defect costs the entry it stands in. The reader goes on at the next of our keys, and what it could
not read of the entry is `BROKEN`, not guessed.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property
from typing import NamedTuple

from masa_rewards.prompt.components import BROKEN
from masa_rewards.prompt.keys import KeyFinder, KeyPlace
from masa_rewards.prompt.scalars import (
    REMARK,
    ParsedValue,
    UnreadableError,
    read_scalar,
    salvage_words,
)
from masa_rewards.prompt.signs import CLOSE, COMMA, ESCAPED_GAP, GAP, OPEN, PAIRS, QUOTE
from masa_rewards.prompt.strings import read_string, starts_string

MAX_DEPTH = 16
"""How deep an object may be nested."""

MAX_DEFECTS = 8
"""An object with more entries that cannot be read is none."""

_SPACE = re.compile(rf"(?:{GAP}|{ESCAPED_GAP}|//[^\n]*|#[^\n]*|/\*(?s:.*?)\*/)*")
_OPEN, _CLOSE, _COMMA, _PAIRS = map(re.compile, (OPEN, CLOSE, COMMA, PAIRS))
_KEY = re.compile(
    rf"{QUOTE}([^\"'\u201c\u201d\u2018\u2019{{}}\[\],:\n\\]{{1,64}}){QUOTE}{GAP}*{PAIRS}"
)
_BARE_KEY = re.compile(rf"([A-Za-z_]\w{{0,63}}){GAP}*{PAIRS}")
_INNER_QUOTE = re.compile(r"(?<!\\)\"")
_DROPPED_REMARK = re.compile(rf"{GAP}*{REMARK}")
_STRAY = re.compile(rf"(?:{QUOTE}|[\])])(?={GAP}*(?:{COMMA}|{CLOSE}))")  # one too many
# What may stand behind an object without its brace; the wrong bracket in its place, too.
_STOPS = re.compile(rf"```|</|<\||\$|\\[\])]|[\])]{GAP}*(?:\n|```|\Z)")
_FIRST_KEY = re.compile(rf"{OPEN}{GAP}*\Z")
_LISTS = {
    "[": re.compile(r"[\]\uff3d\u3011)]"),
    "\uff3b": re.compile(r"[\]\uff3d\u3011)]"),
    "\u3010": re.compile(r"[\]\uff3d\u3011)]"),
    "(": re.compile(r"[)\]]"),
}


class _Key(NamedTuple):
    name: str
    begin: int  # of its value


class _Entries(NamedTuple):
    entries: dict[str, object]
    places: dict[str, tuple[int, int]]

    def add(self, key: _Key, parsed: ParsedValue) -> None:
        """Take an entry; the last of a repeated key counts, if it can be read."""
        if parsed.value is not BROKEN or key.name not in self.entries:
            self.entries[key.name] = parsed.value
            self.places[key.name] = (min(key.begin, parsed.end), parsed.end)

    def reopened(self, text: str, position: int) -> _Key | None:
        """Take the last entry back, if what stands in its line is no other entry: 5, 6."""
        name = next(reversed(self.entries), None)
        if name is None or isinstance(self.entries[name], list | dict):
            return None
        begin, end = self.places[name]
        if "\n" in text[end:position]:
            return None
        del self.entries[name], self.places[name]
        return _Key(name, begin)


class ObjectReader:
    """Reads objects of one text."""

    def __init__(self, text: str, keys: KeyFinder) -> None:
        """Take a text.

        Args:
            text: Any text.
            keys: Where they stand, an entry starts. They are handed back as the prompt asks.
        """
        self._text = text
        self._keys = keys

    def read(self, start: int) -> ParsedValue:
        """Read the object whose opening brace is at `start`.

        Returns:
            A dict and the position behind its closing brace, which may be missing at the end. Its
            values are str, int, float (NaN and infinities too), bool, None, list, dict, `...` and
            `BROKEN`; of a repeated key the last value counts.

        Raises:
            UnreadableError: If it is none, ends nowhere, is nested deeper than `MAX_DEPTH`, or has
                more than `MAX_DEFECTS`.
        """
        return self._object(start, MAX_DEPTH, MAX_DEFECTS)

    def read_headless(self, start: int) -> ParsedValue:
        """Read an object whose opening brace is missing; its closing one, and all else, may not."""
        read = self._entries(start, MAX_DEPTH, 0)
        if not _CLOSE.match(self._text, read.end - 1):
            raise UnreadableError
        return read

    @cached_property
    def places(self) -> list[KeyPlace]:
        """Where our keys stand in the text."""
        return self._keys.all(self._text)

    @cached_property
    def _words(self) -> list[int]:
        return [place.word for place in self.places]

    def _object(self, start: int, depth: int, defects: int) -> ParsedValue:
        opening = _OPEN.match(self._text, start)
        if not opening:
            raise UnreadableError
        return self._entries(self._skip(opening.end()), depth, defects)

    def _entries(self, position: int, depth: int, defects: int) -> ParsedValue:
        found = _Entries({}, {})
        while not (closing := _CLOSE.match(self._text, position)):
            key = self._key(position, depth)
            parsed = self._value_or_none(key.begin, depth) if key else None
            after = self._after(parsed) if parsed else None
            if after is None:
                if not defects:
                    raise UnreadableError
                defects -= 1
                key = key or found.reopened(self._text, position)
                parsed, after = self._mend(key, parsed, position)
            if key and parsed:
                found.add(key, parsed)
            if after == _NOWHERE:
                return ParsedValue(found.entries, parsed.end if parsed else position, found.places)
            position = after
        return ParsedValue(found.entries, closing.end(), found.places)

    def _key(self, position: int, depth: int) -> _Key | None:
        """Read a key, and find where its value begins."""
        if ours := self._keys.at(self._text, position):
            return _Key(ours.name, self._skip(ours.end))
        if other := _KEY.match(self._text, position) or _BARE_KEY.match(self._text, position):
            return _Key(self._name(other.group(1)), self._skip(other.end()))
        if self._text[position : position + 1] in _LISTS or _OPEN.match(self._text, position):
            return None
        key = self._value_or_none(position, depth)
        if key is None or not isinstance(key.value, str):
            return None
        if _INNER_QUOTE.search(self._text, position + 1, key.end - 1):
            return None  # it ends where another one does
        pair = _PAIRS.match(self._text, self._skip(key.end))
        return _Key(self._name(key.value), self._skip(pair.end())) if pair else None

    def _name(self, key: str) -> str:
        return self._keys.name(key) or key

    def _is_key(self, position: int) -> bool:
        return bool(self._keys.at(self._text, position) or _KEY.match(self._text, position))

    def _after(self, parsed: ParsedValue) -> int | None:
        """Where the next entry starts, or the closing brace stands; None if neither follows."""
        text, position = self._text, parsed.end
        if isinstance(parsed.value, list | dict) and (
            remark := _DROPPED_REMARK.match(text, position)
        ):
            position = remark.end()
        if stray := _STRAY.match(text, position):
            position = stray.end()
        position = self._skip(position)
        if _COMMA.match(text, position):
            return self._skip_commas(position)
        if position == len(text) or _STOPS.match(text, position):
            return _NOWHERE
        if _CLOSE.match(text, position) or self._is_key(position):
            return position
        return None

    def _mend(
        self, key: _Key | None, parsed: ParsedValue | None, position: int
    ) -> tuple[ParsedValue | None, int]:
        """Go on behind an entry that cannot be read: at our next key, or at the closing brace."""
        text = self._text
        whole = bool(parsed and "\n" in text[parsed.end : self._skip(parsed.end)])
        begin = max(key.begin if key else 0, position + 1)
        end = self._next_key(begin)
        if end is None and whole:
            return parsed, _NOWHERE
        if end is None:
            closing = _CLOSE.search(text, begin)
            if not closing:
                raise UnreadableError
            end = closing.start()
        return parsed if whole or not key else salvage_words(text, key.begin, end), end

    def _next_key(self, position: int) -> int | None:
        """Where our next key stands, unless another object starts with it."""
        index = bisect_left(self._words, position)
        if index == len(self._words):
            return None
        start = self.places[index].start
        is_first = _FIRST_KEY.search(self._text[max(start - 64, 0) : start])
        return None if is_first else max(start, position)

    def _list(self, start: int, depth: int) -> ParsedValue:
        closing = _LISTS[self._text[start]]
        items: list[object] = []
        position = self._skip_commas(start + 1)
        while not (end := closing.match(self._text, position)):
            is_key = self._is_key(position) and not self._is_whole_item(position, closing)
            if is_key or _CLOSE.match(self._text, position):
                return ParsedValue(items, position)  # its bracket is missing
            item = self._value(position, depth, in_list=True)
            items.append(item.value)
            position = self._after_item(item.end, closing)
        return ParsedValue(items, end.end())

    def _is_whole_item(self, position: int, closing: re.Pattern[str]) -> bool:
        """Whether a string that may be a key, as in ["0'="], ends where an item of a list does."""
        string = read_string(self._text, position)
        if string is None:
            return False
        end = self._skip(string.end)
        return bool(_COMMA.match(self._text, end) or closing.match(self._text, end))

    def _after_item(self, end: int, closing: re.Pattern[str]) -> int:
        position = self._skip(end)
        if _COMMA.match(self._text, position):
            return self._skip_commas(position)
        ends = closing.match(self._text, position) or _CLOSE.match(self._text, position)
        if ends or starts_string(self._text, position):
            return position
        raise UnreadableError

    def _value_or_none(self, start: int, depth: int) -> ParsedValue | None:
        try:
            return self._value(start, depth)
        except UnreadableError:
            return None

    def _value(self, start: int, depth: int, *, in_list: bool = False) -> ParsedValue:
        text = self._text
        if starts_string(text, start):
            if string := read_string(text, start):
                return ParsedValue(*string)
            raise UnreadableError
        if text[start : start + 1] in _LISTS or _OPEN.match(text, start):
            if not depth:
                raise UnreadableError
            if text[start] in _LISTS:
                return self._list(start, depth - 1)
            return self._object(start, depth - 1, 0)
        if not in_list and (_COMMA.match(text, start) or _CLOSE.match(text, start)):
            return ParsedValue(None, start)  # nothing at all
        return read_scalar(text, start, in_list=in_list)

    def _skip_commas(self, position: int) -> int:
        position = self._skip(position)
        while comma := _COMMA.match(self._text, position):
            position = self._skip(comma.end())
        return position

    def _skip(self, start: int) -> int:
        space = _SPACE.match(self._text, start)
        return space.end() if space else start


_NOWHERE = -1  # the text ends, or something else begins: the closing brace is missing
