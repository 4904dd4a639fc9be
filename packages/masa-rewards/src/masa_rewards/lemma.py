r"""Where a notion occurs in a text: whole words, compared by their lemmas.

A notion is read as the lemmas of its words, in order (what a word is says `masa_rewards._words`).
It occurs in a text when those stand in a row among the lemmas of the text's words. So "identities"
occurs in "an identity", "pigeonhole principle" in "the Pigeonhole-Principle", and "art" nowhere in
"part".

A text is read once for all notions together: an Aho-Corasick automaton finds every form of every
word that is looked for, and only where all words of a notion are there is their order looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from itertools import chain

import ahocorasick_rs

from masa_rewards._lemmas import forms_of, lemma_of
from masa_rewards._words import NOT_ALWAYS_WORDS, Words

Phrase = tuple[str, ...]
"""A notion as the lemmas of its words, in order."""

MAX_WORDS = 32
"""A longer phrase is no notion: it occurs nowhere."""

_Match = tuple[int, int, int]  # number of the form, start and end with the spaces around it

# Without these all patterns start with the same byte, and the automaton stops wherever that stands,
# which is at every word: half as fast. No text holds them once it is spaced.
_NEVER_THERE = [b"\x00", b"\x01", b"\x02", b"\x03"]


@lru_cache(maxsize=1 << 12)
def to_phrase(notion: str) -> Phrase:
    """Read a notion as a phrase; the same notion in another form gives the same phrase.

    Args:
        notion: One word or several, in any case, number and hyphenation.

    Returns:
        Its lemmas in order; () when there is no word in it, which occurs nowhere.
    """
    return tuple(lemma_of(word.decode()) for word in Words.of(notion).all())


def find_phrases(text: str, phrases: Iterable[Phrase]) -> frozenset[Phrase]:
    """Find which of some phrases occur in a text. For several texts, make one `PhraseFinder`.

    Args:
        text: Any text; LaTeX and Markdown are fine.
        phrases: What to look for.

    Returns:
        Those of `phrases` that occur at least once. () never does.
    """
    return PhraseFinder(phrases).find(text)


class PhraseFinder:
    """Finds phrases in one text after another.

    A text costs one pass over its bytes however many phrases there are, and a little for each
    place where one of their words stands.
    """

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        """Build the automaton.

        Args:
            phrases: What to look for, as of `to_phrase`.
        """
        readable = [phrase for phrase in phrases if 0 < len(phrase) <= MAX_WORDS]
        self._single = [phrase for phrase in readable if len(phrase) == 1]
        self._longer = [phrase for phrase in readable if len(phrase) > 1]
        lemmas = set(chain.from_iterable(readable))
        forms = {form: lemma for lemma in lemmas for form in forms_of(lemma)}
        self._lemmas = [*forms.values()]
        self._doubtful = {number for number, form in enumerate(forms) if form in NOT_ALWAYS_WORDS}
        self._automaton = ahocorasick_rs.BytesAhoCorasick(
            [b" %b " % form for form in forms] + _NEVER_THERE,
            implementation=ahocorasick_rs.Implementation.DFA,
        )

    def find(self, text: str) -> frozenset[Phrase]:
        """Find which of the phrases occur in a text, at least once."""
        words = Words.of(text)
        matches = self._matches(words)
        # By number of the form first: a form that comes a hundred times is one entry of a set.
        present = {self._lemmas[number] for number in {match[0] for match in matches}}
        found = [phrase for phrase in self._single if phrase[0] in present]
        if likely := [phrase for phrase in self._longer if present.issuperset(phrase)]:
            places = self._places(matches, set(chain.from_iterable(likely)))
            behind = cache(words.behind)
            found += [phrase for phrase in likely if _in_a_row(phrase, places, behind)]
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

    def _places(self, matches: list[_Match], lemmas: set[str]) -> dict[str, dict[int, int]]:
        """Where some words stand: lemma -> {start: end}."""
        places: dict[str, dict[int, int]] = {lemma: {} for lemma in lemmas}
        for number, start, end in matches:
            if (lemma := self._lemmas[number]) in places:
                places[lemma][start + 1] = end - 1
        return places


def _in_a_row(
    phrase: Phrase, places: dict[str, dict[int, int]], behind: Callable[[int], int]
) -> bool:
    """Whether the words of a phrase stand in a row anywhere."""
    ends = set(places[phrase[0]].values())
    for lemma in phrase[1:]:
        starts = places[lemma]
        ends = {starts[start] for start in map(behind, ends) if start in starts}
    return bool(ends)
