"""Finds phrases in one text after another, each text read once for all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import ahocorasick_rs

from masa_rewards._lemmas import forms_of
from masa_rewards._words import MARKS, NOT_ALWAYS_WORDS, Words
from masa_rewards.stop_words import ENGLISH_STOP_WORDS

MAX_WORDS = 32
"""A longer phrase is no notion: it occurs nowhere."""

# More make the faster automaton large: a policy that lists a dictionary, not notions.
_MANY_FORMS = 5_000

# Without these all patterns start with the same byte, and the automaton stops wherever that stands,
# which is at every word. No text holds them once it is spaced.
_NEVER_THERE = [b"\x00", b"\x01", b"\x02", b"\x03"]

_SPACE = 32

_DOUBTFUL = frozenset(b" %b " % word for word in NOT_ALWAYS_WORDS)

_Phrase = tuple[str, ...]
_Forms = frozenset[bytes]
_Match = tuple[int, int, int]  # number of the form, start and end with the spaces around it


class _Anchored(NamedTuple):
    """A phrase, found by one of its words: the forms of those before it and behind it."""

    phrase: _Phrase
    before: Sequence[_Forms]  # the nearest first
    behind: Sequence[_Forms]
    next: tuple[bytes, ...]  # how the text may go on: the nearest behind, with its space

    def stands(self, words: Words, start: int, end: int) -> bool:
        """Whether the rest of it is around the place of its one word."""
        return words.stand_behind(end, self.behind) and words.stand_before(start, self.before)


class PhraseFinder:
    """Finds phrases in texts.

    Of a phrase one word is looked for, and the others where that stands. A text costs one pass over
    its bytes however many phrases there are, and a little for each place of such a word.
    """

    def __init__(self, phrases: Iterable[_Phrase]) -> None:
        """Build the automaton.

        Args:
            phrases: What to look for: lemmas in order.
        """
        patterns: list[bytes] = []
        self._single: dict[int, _Phrase] = {}  # by number of the pattern
        self._longer: dict[int, list[_Anchored]] = {}
        for lemma, anchored in _by_anchor(phrases).items():
            own = _padded(lemma)
            numbers = range(len(patterns), len(patterns) + len(own))
            patterns += own
            if longer := [one for one in anchored if len(one.phrase) > 1]:
                self._longer.update(dict.fromkeys(numbers, longer))
            if len(longer) < len(anchored):
                self._single.update(dict.fromkeys(numbers, (lemma,)))
        self._doubtful = {n for n, one in enumerate(patterns) if one in _DOUBTFUL}
        kinds = ahocorasick_rs.Implementation
        self._automaton = ahocorasick_rs.BytesAhoCorasick(
            patterns + _NEVER_THERE,
            implementation=kinds.DFA if len(patterns) < _MANY_FORMS else kinds.ContiguousNFA,
        )

    def find(self, text: str) -> frozenset[_Phrase]:
        """Find which of the phrases occur in a text, at least once."""
        words = Words.of(text)
        matches = self._matches(words)
        # A form that comes a hundred times is one entry of a set.
        present = {match[0] for match in matches}
        found = {self._single[number] for number in present & self._single.keys()}
        if not self._longer.keys().isdisjoint(present):
            self._find_longer(matches, words, found)
        return frozenset(found)

    def _matches(self, words: Words) -> list[_Match]:
        # Overlapping, as two words in a row share the space between them.
        matches = self._automaton.find_matches_as_indexes(words.spaced, overlapping=True)
        if not self._doubtful:
            return matches
        return [
            (number, start, end)
            for number, start, end in matches
            if number not in self._doubtful or words.is_word(start + 1, end - 1)
        ]

    def _find_longer(self, matches: list[_Match], words: Words, found: set[_Phrase]) -> None:
        """Look around the places of anchors; `matches` of other words are passed over."""
        spaced, folded = words
        left = dict(self._longer)
        for number, start, end in matches:
            if number in left:
                # One or two spaces, and then a word: whether it is the next one is seen at once.
                next_start = end + (spaced[end] == _SPACE)
                plain = spaced[next_start] != _SPACE and folded[next_start - 1] not in MARKS
                for anchored in left[number]:
                    if plain and not spaced.startswith(anchored.next, next_start):
                        continue
                    if anchored.stands(words, start + 1, end - 1):
                        found.add(anchored.phrase)
                        left[number] = [a for a in left[number] if a.phrase not in found]


def _by_anchor(phrases: Iterable[_Phrase]) -> dict[str, list[_Anchored]]:
    """Every phrase under its first word that is not common everywhere."""
    anchors: defaultdict[str, list[_Anchored]] = defaultdict(list)
    for phrase in phrases:
        if 0 < len(phrase) <= MAX_WORDS:
            forms = [forms_of(lemma) for lemma in phrase]
            rare = (i for i, lemma in enumerate(phrase) if lemma not in ENGLISH_STOP_WORDS)
            index = next(rare, 0)
            behind = forms[index + 1 :]
            following = tuple(form + b" " for form in behind[0]) if behind else (b"",)
            anchors[phrase[index]].append(_Anchored(phrase, forms[:index][::-1], behind, following))
    return anchors


@lru_cache(maxsize=1 << 14)
def _padded(lemma: str) -> tuple[bytes, ...]:
    """Every form of a word, with the spaces around it."""
    return tuple(b" %b " % form for form in forms_of(lemma))
