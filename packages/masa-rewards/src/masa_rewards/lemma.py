r"""Where a notion occurs in a text: whole words, compared by their lemmas.

A notion is read as the lemmas of its words, in order (what a word is says `masa_rewards._words`).
It occurs in a text when those stand in a row among the lemmas of the text's words. So "identities"
occurs in "an identity", "pigeonhole principle" in "the Pigeonhole-Principle", and "art" nowhere in
"part".

A text is read once for all notions together: an automaton (`masa_rewards._finder`) finds the forms
of one word of each notion, and only where one stands are the words around it looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from masa_rewards._finder import PhraseFinder
from masa_rewards._lemmas import lemma_of
from masa_rewards._words import Words

Phrase = tuple[str, ...]
"""A notion as the lemmas of its words, in order."""


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
    """Find which of some phrases occur in a text.

    Args:
        text: Any text; LaTeX and Markdown are fine.
        phrases: What to look for.

    Returns:
        Those of `phrases` that occur at least once. () never does.
    """
    return PhraseFinder(phrases).find(text)
