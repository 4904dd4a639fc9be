"""The keys that a prompt asks for, in the spellings of models."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from masa_rewards.prompt.signs import GAP, INVISIBLE, PAIRS, QUOTE, QUOTES

_WORDS = re.compile(r"_+|(?<=[a-z0-9])(?=[A-Z])")
_NO_LETTER = re.compile(r"[\W_]+")
# "pass_rate", "pass rate", "pass-rate", LaTeX's "pass\_rate", "passRate".
_JOINT = rf"(?:\\?[_\uff3f]|[\s*`\uff0d{INVISIBLE}-]){{0,4}}"
_DRESS = rf"(?:{QUOTE}|\*{{1,3}}|{GAP}){{0,6}}"
_REMARK = rf"(?:{GAP}*\([^(){{}}\n\"]{{0,40}}\))?"
# The colon may be missing behind a closing quote: "pass_rate" 5.
_PAIRED = rf"(?:{_DRESS}{GAP}*{PAIRS}|{QUOTE}{GAP}+(?=[-+\d\[{{]|{QUOTE}\w))"
_BEFORE = frozenset(f"{QUOTES}*\\ ")


class KeyPlace(NamedTuple):
    """One of our keys in a text.

    Attributes:
        name: The key, as the prompt asks for it.
        start: Where it starts, with the quotes and spaces before it.
        word: Where its first letter stands.
        end: The position behind the sign that its value follows.
        quoted: Whether a quote stands before it.
    """

    name: str
    start: int
    word: int
    end: int
    quoted: bool


class KeyFinder:
    """Finds keys in texts, whatever their case, number and quotes, and the signs in them."""

    def __init__(self, names: Iterable[str]) -> None:
        """Build the patterns.

        Args:
            names: The keys, as the prompt asks for them.
        """
        self.names = tuple(names)
        self._names = {normalise_letters(name): name for name in self.names}
        spelled = sorted(map(_spell_key, self.names), key=len, reverse=True)
        self.pattern = rf"{_DRESS}(?<!\w)(?:{'|'.join(spelled)})(?!\w){_REMARK}{_PAIRED}"
        """Where one of them is the key of an entry, its quotes included."""
        key = rf"({'|'.join(spelled)})(?!\w){_REMARK}{_PAIRED}"
        self._anywhere = re.compile(rf"(?<!\w){key}", re.IGNORECASE)
        self._here = re.compile(rf"{_DRESS}(?<!\w){key}", re.IGNORECASE)

    def at(self, text: str, position: int) -> KeyPlace | None:
        """Read the key at a position, if one of ours is there."""
        match = self._here.match(text, position)
        return match and self._place(text, match, position)

    def all(self, text: str) -> list[KeyPlace]:
        """Find every place in a text where an entry with one of our keys could be."""
        places: list[KeyPlace] = []
        for match in self._anywhere.finditer(text):
            start = match.start()
            while start and match.start() - start < 6 and text[start - 1] in _BEFORE:
                start -= 1
            places.append(self._place(text, match, start))
        return places

    def name(self, key: str) -> str | None:
        """The key that is meant, or None: ours, another case or number of it."""
        plain = normalise_letters(key)
        same = (plain, f"{plain}s", plain.removesuffix("s"))
        return next((self._names[form] for form in same if form in self._names), None)

    def _place(self, text: str, match: re.Match[str], start: int) -> KeyPlace:
        before = text[start : match.start(1)]
        quoted = not _QUOTE_SIGNS.isdisjoint(before)
        return KeyPlace(self.name(match[1]) or "", start, match.start(1), match.end(), quoted)


_QUOTE_SIGNS = frozenset(QUOTES)


@lru_cache(maxsize=64)
def make_key_finder(names: tuple[str, ...]) -> KeyFinder:
    """Return the finder of some keys, built once."""
    return KeyFinder(names)


def normalise_letters(key: str) -> str:
    r"""Make one of "Pass Rate", "passRate", "pass-rate", "**pass_rate**" and full-width letters."""
    return _NO_LETTER.sub("", unicodedata.normalize("NFKC", key)).casefold()


def _spell_key(name: str) -> str:
    words = [word for word in _WORDS.split(name) if word]
    singular = words[-1][:-1] if words[-1][-1:] in "sS" and words[-1][1:] else words[-1]
    return _JOINT.join(map(_read_letters, [*words[:-1], singular])) + "[s\uff53]?"


def _read_letters(word: str) -> str:
    """Each letter or digit, in its full width too."""
    return "".join(f"[{sign}{chr(ord(sign) + 0xFEE0)}]" for sign in word)
