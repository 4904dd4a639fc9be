r"""A text as words, in bytes: what is compared is settled here, once for texts and for notions.

NFKC, case folding and Latin letters without their accents, then words: runs of letters and digits.
Every hyphen, brace and backslash parts two words, so "\sqrt" reads "sqrt"; "Vieta's" reads "vieta";
each Chinese and Japanese character is a word of its own, as no space parts words there. Commands
that only style what they hold ("\textbf", "\mathrm") are no words.

A rollout is read for every step, so this goes by whole-text operations in C: most of a text is
ASCII, and what is not is folded run by run.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Container, Iterable, Iterator
from functools import lru_cache, partial
from typing import NamedTuple

# LaTeX commands that are no words, without their backslash.
_STYLES = frozenset(
    b"text textbf textit textrm textsf textsc texttt textup textnormal emph underline mbox "
    b"mathbf mathit mathrm mathsf mathtt mathcal mathfrak mathbb mathscr operatorname "
    b"boldsymbol".split()
)
_POSSESSIVE = b"s"
NOT_ALWAYS_WORDS = _STYLES | {_POSSESSIVE}
"""What is a word in one place and none in another."""

_BACKSLASH, _APOSTROPHE = MARKS = b"\\'"
_APOSTROPHES = str.maketrans("\u2019\u02bc", "''")
# Latin letters with accents, and accents alone.
_LATIN = re.compile("[\u00c0-\u024f\u1e00-\u1eff\u0300-\u036f]")
_ACCENT = re.compile("[\u0300-\u036f]")
_ACCENTS = re.compile("(?:(?<=[a-z])|^)[\u0300-\u036f]+")
_LETTERS = str.maketrans(
    {"\u0142": "l", "\u00f8": "o", "\u0111": "d", "\u0131": "i", "\u00e6": "ae", "\u0153": "oe"}
)
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_KEPT = b"0123456789abcdefghijklmnopqrstuvwxyz" + bytes(range(128, 256))
_LONG_RUN = 32
_NO_WORD = re.compile(r"[^\w']|_")
_SPACES = re.compile(rb" *")
_SPACED = bytes(byte if byte in _KEPT else 32 for byte in bytes(range(256)).lower())


class _LeadingMarkError(Exception):
    """A run starts with a mark, which belongs to the letter before it."""


class FoldedText(NamedTuple):
    """A text twice, at the same positions: as words, and as it was written.

    Attributes:
        spaced: UTF-8 of the words in lower case, with spaces between, before and behind them:
            three at the end, so that there are next bytes behind each.
        folded: The text before that step: here a backslash still marks a command.
    """

    spaced: bytes
    folded: bytes

    @classmethod
    def of(cls, text: str) -> FoldedText:
        """Read any text. A lone surrogate in it parts two words."""
        try:
            plain = text.encode("ascii", _FOLD)
        except _LeadingMarkError:
            plain = unicodedata.normalize("NFKC", text).encode("ascii", _FOLD_AS_IT_IS)
        folded = b"".join((b" ", plain, b"   "))
        return cls(folded.translate(_SPACED), folded)

    def is_word(self, start: int, end: int) -> bool:
        r"""Whether what looks like a word is one: not "\textbf", nor the s of "Vieta's"."""
        before = self.folded[start - 1]
        if before == _BACKSLASH:
            return self.spaced[start:end] not in _STYLES
        return before != _APOSTROPHE or self.spaced[start:end] != _POSSESSIVE

    def stand_behind(self, end: int, forms: Iterable[Container[bytes]]) -> bool:
        """Whether words follow a position that is within none, each in one of its forms."""
        for wanted in forms:
            start, end = self._word_behind(end)
            if self.spaced[start:end] not in wanted:
                return False
        return True

    def stand_before(self, start: int, forms: Iterable[Container[bytes]]) -> bool:
        """Whether words go before another, the last of them first, each in one of its forms."""
        for wanted in forms:
            start, end = self._word_before(start)
            if self.spaced[start:end] not in wanted:
                return False
        return True

    def all(self) -> Iterator[bytes]:
        """Read the words in order."""
        start, end = self._word_behind(0)
        while end:
            yield self.spaced[start:end]
            start, end = self._word_behind(end)

    def written(self) -> Iterator[tuple[str, str]]:
        """Read the words in order, each as it is compared and as it was written."""
        start, end = self._word_behind(0)
        while end:
            yield self.spaced[start:end].decode(), self.folded[start:end].decode()
            start, end = self._word_behind(end)

    def in_capitals(self, start: int, end: int) -> bool:
        """Whether a word, or all of it but the s of a plural, was written in capitals."""
        return self.folded[start:end].removesuffix(b"s").isupper()

    def _word_behind(self, end: int) -> tuple[int, int]:
        """The next word behind the end of another, or 0; (0, 0) when there is none."""
        spaced = self.spaced
        while True:
            start = end + 1
            if spaced[start : start + 1] == b" ":
                start = _SPACES.match(spaced, start).end()  # type: ignore[union-attr]
            end = spaced.find(b" ", start)
            if end < 0:
                return 0, 0
            if self.is_word(start, end):
                return start, end

    def _word_before(self, start: int) -> tuple[int, int]:
        """The next word before the start of another; (0, 0) when there is none."""
        spaced = self.spaced
        while True:
            end = start - 1
            if spaced[end - 1 : end] == b" ":
                end = len(spaced[:end].rstrip(b" "))
            start = spaced.rfind(b" ", 0, end) + 1
            if not start:
                return 0, 0
            if self.is_word(start, end):
                return start, end


def _fold_run(error: UnicodeError, *, joins: bool) -> tuple[bytes, int]:
    """Fold what ASCII cannot encode: a handler for `str.encode`, which finds it at full speed."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    run = error.object[error.start : error.end]
    return (_fold_characters if len(run) > _LONG_RUN else _fold_once)(run, joins=joins), error.end


def _fold_characters(run: str, *, joins: bool) -> bytes:
    """Fold characters that are not ASCII; what follows them, ASCII, never joins them."""
    normal = unicodedata.normalize("NFKC", run.encode("utf-8", "replace").decode())
    if joins and unicodedata.combining(normal[0]) and not _ACCENT.match(normal):
        raise _LeadingMarkError
    plain = _strip_accents(normal.casefold().translate(_APOSTROPHES))
    folded = _NO_WORD.sub(" ", plain)
    return _CJK.sub(_space_out, folded).encode()


def _strip_accents(text: str) -> str:
    """Write Latin letters without accents; those at the start are of an ASCII letter before it."""
    if not _LATIN.search(text):
        return text
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", text.translate(_LETTERS)))
    return unicodedata.normalize("NFC", bare)


def _space_out(characters: re.Match[str]) -> str:
    return f" {'  '.join(characters.group())} "


# Dashes, quotes and roots come again and again.
_fold_once = lru_cache(maxsize=1 << 12)(_fold_characters)

_FOLD, _FOLD_AS_IT_IS = "masa_rewards.fold", "masa_rewards.fold_as_it_is"
codecs.register_error(_FOLD, partial(_fold_run, joins=True))
codecs.register_error(_FOLD_AS_IT_IS, partial(_fold_run, joins=False))
