"""Finds phrases in one text after another, each text read once for all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise

import ahocorasick_rs

from masa_rewards._lemmas import forms_of
from masa_rewards._words import NOT_ALWAYS_WORDS, Words

MAX_WORDS = 32
"""A longer phrase is no notion: it occurs nowhere."""

# More make the faster automaton large: a policy that lists a dictionary, not notions.
_MANY_FORMS = 5_000

# Without these all patterns start with the same byte, and the automaton stops wherever that stands,
# which is at every word: half as fast. No text holds them once it is spaced.
_NEVER_THERE = [b"\x00", b"\x01", b"\x02", b"\x03"]

_Match = tuple[int, int, int]  # number of the form, start and end with the spaces around it
_Phrase = tuple[str, ...]


class PhraseFinder:
    """Finds phrases in texts.

    A text costs one pass over its bytes however many phrases there are, and a little for each place
    where one of their words stands.
    """

    def __init__(self, phrases: Iterable[_Phrase]) -> None:
        """Build the automaton.

        Args:
            phrases: What to look for: lemmas in order.
        """
        readable = [phrase for phrase in phrases if 0 < len(phrase) <= MAX_WORDS]
        self._single: list[_Phrase] = [phrase for phrase in readable if len(phrase) == 1]
        self._longer = [phrase for phrase in readable if len(phrase) > 1]
        lemmas = dict.fromkeys(chain.from_iterable(readable))
        forms = {form: lemma for lemma in lemmas for form in forms_of(lemma)}
        self._lemmas = list(forms.values())
        self._numbers: defaultdict[str, list[int]] = defaultdict(list)
        for number, lemma in enumerate(self._lemmas):
            self._numbers[lemma].append(number)
        self._doubtful = {n for n, form in enumerate(forms) if form in NOT_ALWAYS_WORDS}
        patterns = [b" %b " % form for form in forms] + _NEVER_THERE
        kinds = ahocorasick_rs.Implementation
        self._automaton = ahocorasick_rs.BytesAhoCorasick(
            patterns, implementation=kinds.DFA if len(forms) < _MANY_FORMS else kinds.ContiguousNFA
        )

    def find(self, text: str) -> frozenset[_Phrase]:
        """Find which of the phrases occur in a text, at least once."""
        words = Words.of(text)
        matches = self._matches(words)
        # By number of the form first: a form that comes a hundred times is one entry of a set.
        present = {self._lemmas[number] for number in {match[0] for match in matches}}
        found = [phrase for phrase in self._single if phrase[0] in present]
        if likely := [phrase for phrase in self._longer if present.issuperset(phrase)]:
            found += self._in_a_row(likely, matches, words)
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

    def _in_a_row(
        self, phrases: Sequence[_Phrase], matches: Sequence[_Match], words: Words
    ) -> list[_Phrase]:
        """Those of some phrases, all words of which are there, that stand in the text."""
        wanted = set(chain.from_iterable(phrases))
        numbers = set(chain.from_iterable(map(self._numbers.__getitem__, wanted)))
        matches = [match for match in matches if match[0] in numbers]
        row = [self._lemmas[match[0]] for match in matches]
        # What follows in the text follows here; what follows here may stand apart in the text.
        pairs = set(pairwise(row))
        return [
            phrase
            for phrase in phrases
            if pairs.issuperset(pairwise(phrase)) and _stands(phrase, row, matches, words)
        ]


def _stands(phrase: _Phrase, row: Sequence[str], matches: Sequence[_Match], words: Words) -> bool:
    """Whether the words of a phrase stand in the text with no other between."""
    at = -1
    for _ in range(row.count(phrase[0])):
        at = row.index(phrase[0], at + 1)
        here = slice(at, at + len(phrase))
        if tuple(row[here]) == phrase and all(
            words.behind(one[2] - 1) == two[1] + 1 for one, two in pairwise(matches[here])
        ):
            return True
    return False
