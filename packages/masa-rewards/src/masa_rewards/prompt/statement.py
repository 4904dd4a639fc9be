"""Finds what an answer states: the object that counts, or the objects that are one in pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from masa_rewards.prompt.components import is_placeholder
from masa_rewards.prompt.keys import KeyFinder
from masa_rewards.prompt.objects import ObjectReader
from masa_rewards.prompt.scalars import UnreadableError
from masa_rewards.prompt.signs import ESCAPED_GAP, GAP, OPEN, PAIRS, QUOTE

MAX_STARTS = 64
"""Only so many places where an object could start are tried, the last ones of the text."""

_COMMENT = r"/\*[^*]{0,200}\*/|//[^\n]{0,200}\n|#[^\n]{0,200}\n"
_WORDS = r"[\w\\][\w\\ -]{0,63}"
_OTHER_KEY = rf"(?:{QUOTE})?{_WORDS}(?:{QUOTE})?\s*[:\uff1a]|{QUOTE}{_WORDS}{QUOTE}\s*{PAIRS}"
_LABEL = re.compile(r"[^{}]{0,100}")
_THOUGHT_ENDS = "</think>"


class StatedEntries(NamedTuple):
    """What an answer states.

    Attributes:
        entries: The values by key; ours as the prompt asks for them, others as they stand.
        places: From where to where in the text the value of each key stands.
    """

    entries: dict[str, object]
    places: dict[str, tuple[int, int]]


class _Piece(NamedTuple):
    entries: dict[str, object]
    ours: dict[str, object]  # of these, the entries that the prompt asks for
    places: Mapping[str, tuple[int, int]]
    start: int
    end: int
    behind: bool  # the thoughts


def find_stated_entries(text: str, keys: KeyFinder, closing: str) -> StatedEntries | None:
    """Find what an answer states; None where no object has one of the keys.

    Args:
        text: The answer.
        keys: Ours.
        closing: The tag that ends the thoughts; "</think>" does too.

    Returns:
        Of the objects behind the thoughts, or else of all, the one that states most of our keys,
        and of such the last. Objects that follow each other and have different keys of ours are
        pieces of one. What only holds the place of a value ("...") states nothing.
    """
    behind = max(text.rfind(tag) for tag in (closing, _THOUGHT_ENDS))
    drafts: list[list[_Piece]] = []
    for piece in _find_pieces(text, keys, behind):
        if drafts and _is_continuation(text, drafts[-1], piece):
            drafts[-1].append(piece)
        else:
            drafts.append([piece])
    if not drafts:
        return None
    best = max(reversed(drafts), key=_rank_draft)
    entries = {name: value for piece in best for name, value in piece.entries.items()}
    places = {name: place for piece in best for name, place in piece.places.items()}
    return StatedEntries(entries, places)


def _find_pieces(text: str, keys: KeyFinder, behind: int) -> Iterator[_Piece]:
    """Every object with one of our keys, in order; one inside of another belongs to that."""
    reader = ObjectReader(text, keys)
    starts = {match.start(): True for match in _compile_object_start(keys.pattern).finditer(text)}
    starts = {place.start: False for place in reader.places if place.quoted} | starts
    names = frozenset(keys.names)
    done = 0
    for start in sorted(starts)[-MAX_STARTS:]:
        if start < done:
            continue
        try:
            parsed = reader.read(start) if starts[start] else reader.read_headless(start)
        except UnreadableError:
            continue
        entries = parsed.value if isinstance(parsed.value, dict) else {}
        ours = {name: value for name, value in entries.items() if name in names}
        if ours:
            done = parsed.end
            yield _Piece(entries, ours, parsed.places, start, parsed.end, start > behind)


def _is_continuation(text: str, draft: list[_Piece], piece: _Piece) -> bool:
    """Whether a piece continues a draft, with no key that the draft has already."""
    last = draft[-1]
    if last.behind != piece.behind or not _LABEL.fullmatch(text, last.end, piece.start):
        return False
    return all(before.ours.keys().isdisjoint(piece.ours) for before in draft)


def _rank_draft(draft: list[_Piece]) -> tuple[bool, bool, int]:
    values = [value for piece in draft for value in piece.ours.values()]
    stated = sum(value is None or not is_placeholder(value) for value in values)
    return stated > 0, draft[-1].behind, stated


@lru_cache(maxsize=64)
def _compile_object_start(key: str) -> re.Pattern[str]:
    """Where an object with entries starts: a brace, a key, and what its value follows."""
    gaps = rf"(?:{GAP}|{ESCAPED_GAP})*"
    # No more than three comments: a text of nothing else would be read from each of its braces.
    return re.compile(
        rf"{OPEN}{gaps}(?:(?:{_COMMENT}){gaps}){{0,3}}(?:{_OTHER_KEY}|{key})", re.IGNORECASE
    )
