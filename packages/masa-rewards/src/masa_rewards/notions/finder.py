"""Finds phrases in one text after another, each text read once for all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import ahocorasick_rs

from masa_rewards.notions.lemmas import find_forms, is_abbreviation
from masa_rewards.notions.stop_words import ENGLISH_STOP_WORDS
from masa_rewards.notions.words import MARKS, NOT_ALWAYS_WORDS, FoldedText

MAX_WORDS = 32
"""A longer phrase is no notion: it occurs nowhere."""

OR = "|"
"""Separates the alternatives of a phrase."""

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
    """One alternative of a phrase, found by one of its words: the forms of the words around it."""

    phrase: _Phrase
    words: int
    before: Sequence[_Forms]  # the nearest first
    behind: Sequence[_Forms]
    next: tuple[bytes, ...]  # how the text may go on: the nearest behind, with its space

    def stands(self, words: FoldedText, start: int, end: int) -> bool:
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
        self._single: dict[int, list[_Phrase]] = {}  # by number of the pattern
        self._longer: dict[int, list[_Anchored]] = {}
        self._capitals: set[int] = set()
        for lemma, anchored in _group_by_anchor(phrases).items():
            own = _pad_forms(lemma)
            numbers = range(len(patterns), len(patterns) + len(own))
            patterns += own
            if longer := [one for one in anchored if one.words > 1]:
                self._longer.update(dict.fromkeys(numbers, longer))
            if single := [one.phrase for one in anchored if one.words == 1]:
                self._single.update(dict.fromkeys(numbers, single))
            if is_abbreviation(lemma):
                self._capitals.update(numbers)
        doubtful = {n for n, one in enumerate(patterns) if one in _DOUBTFUL}
        self._doubtful = doubtful | self._capitals
        kinds = ahocorasick_rs.Implementation
        self._automaton = ahocorasick_rs.BytesAhoCorasick(
            patterns + _NEVER_THERE,
            implementation=kinds.DFA if len(patterns) < _MANY_FORMS else kinds.ContiguousNFA,
        )

    def find(self, text: str) -> frozenset[_Phrase]:
        """Find which of the phrases occur in a text, at least once."""
        words = FoldedText.of(text)
        matches = self._matches(words)
        # A form that comes a hundred times is one entry of a set.
        present = {match[0] for match in matches}
        found = {phrase for n in present & self._single.keys() for phrase in self._single[n]}
        if not self._longer.keys().isdisjoint(present):
            self._find_longer(matches, words, found)
        return frozenset(found)

    def _matches(self, words: FoldedText) -> list[_Match]:
        # Overlapping, as two words in a row share the space between them.
        matches = self._automaton.find_matches_as_indexes(words.spaced, overlapping=True)
        if not self._doubtful:
            return matches
        return [
            (number, start, end)
            for number, start, end in matches
            if number not in self._doubtful or self._is_meant(number, words, start + 1, end - 1)
        ]

    def _is_meant(self, number: int, words: FoldedText, start: int, end: int) -> bool:
        """Whether what looks like a word is one, and in capitals if it is to be."""
        capitals = number not in self._capitals or words.in_capitals(start, end)
        return capitals and words.is_word(start, end)

    def _find_longer(self, matches: list[_Match], words: FoldedText, found: set[_Phrase]) -> None:
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


def _group_by_anchor(phrases: Iterable[_Phrase]) -> dict[str, list[_Anchored]]:
    """Group the alternatives of all phrases by the word that the automaton searches for."""
    anchors: defaultdict[str, list[_Anchored]] = defaultdict(list)
    for phrase in phrases:
        for way in _spell_phrase(phrase):
            if 0 < len(way) <= MAX_WORDS:
                forms = [find_forms(lemma) for lemma in way]
                index = _choose_anchor(way)
                behind = forms[index + 1 :]
                following = tuple(form + b" " for form in behind[0]) if behind else (b"",)
                anchored = _Anchored(phrase, len(way), forms[:index][::-1], behind, following)
                anchors[way[index]].append(anchored)
    return anchors


def _spell_phrase(phrase: _Phrase) -> Iterable[_Phrase]:
    if OR not in phrase:
        return (phrase,)
    cuts = [-1, *(i for i, lemma in enumerate(phrase) if lemma == OR), len(phrase)]
    return [phrase[start + 1 : end] for start, end in pairwise(cuts)]


def _choose_anchor(way: _Phrase) -> int:
    """The first word that is not common everywhere, at best no letter and no abbreviation."""
    rare: int | None = None
    for index, lemma in enumerate(way):
        if lemma not in ENGLISH_STOP_WORDS:
            if len(lemma) > 1 and not is_abbreviation(lemma):
                return index
            rare = index if rare is None else rare
    return rare or 0


@lru_cache(maxsize=1 << 14)
def _pad_forms(lemma: str) -> tuple[bytes, ...]:
    """Every form of a word, with the spaces around it."""
    return tuple(b" %b " % form for form in find_forms(lemma))
