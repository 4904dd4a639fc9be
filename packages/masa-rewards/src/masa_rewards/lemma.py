r"""Where a notion occurs in a text: whole words, compared by their lemmas.

A text is read as a sequence of lemmas: NFKC and case folding, then words (letters and digits; every
hyphen, brace and backslash parts two words, so "\sqrt" reads "sqrt"), then the lemma of each word.
A notion occurs in a text when its lemmas stand in a row among those of the text. So "identities"
occurs in "an identity", "pigeonhole principle" in "the Pigeonhole-Principle", and "art" nowhere in
"part".
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection
from functools import lru_cache

Phrase = tuple[str, ...]
"""A notion as the lemmas of its words, in order."""

# Marks of style inside a phrase are no words of it: "prime \textbf{number}".
_STYLE = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|sc|tt|up|normal)?|emph|underline"
    r"|math(?:bf|it|rm|sf|tt|cal|frak|bb|scr)|operatorname|boldsymbol|mbox)(?![a-zA-Z])"
)
_POSSESSIVE = re.compile(r"['\u2019]s(?!\w)")
# Chinese and Japanese put no space between words: there each character is a word of its own.
_CJK = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")

_PLURAL = re.compile(r"[^suie]s$|[^i]es$")

# Words of mathematics that the lemmatiser gets wrong, or does not know.
_LEMMAS = {
    "axes": "axis",
    "directrices": "directrix",
    "parabolae": "parabola",
    "torus": "torus",
}


def to_phrase(notion: str) -> Phrase:
    """Read a notion as a phrase; the same notion in another form gives the same phrase.

    Args:
        notion: One word or several, in any case, number and hyphenation.

    Returns:
        Its lemmas in order; () when there is no word in it, which occurs nowhere.
    """
    return tuple(_lemma(word) for word in _words(notion))


def find_phrases(text: str, phrases: Collection[Phrase]) -> frozenset[Phrase]:
    """Find which of some phrases occur in a text.

    Args:
        text: Any text; LaTeX and Markdown are fine.
        phrases: What to look for.

    Returns:
        Those of `phrases` that occur at least once. () never does.
    """
    by_first: defaultdict[str, list[Phrase]] = defaultdict(list)
    for phrase in phrases:
        if phrase:
            by_first[phrase[0]].append(phrase)
    if not by_first:
        return frozenset()
    lemmas = to_phrase(text)
    return frozenset(
        phrase
        for start, lemma in enumerate(lemmas)
        if lemma in by_first
        for phrase in by_first[lemma]
        if lemmas[start : start + len(phrase)] == phrase
    )


def _words(text: str) -> list[str]:
    plain = _STYLE.sub(" ", unicodedata.normalize("NFKC", text)).casefold()
    return _WORD.findall(_POSSESSIVE.sub("", plain))


@lru_cache(maxsize=1 << 16)
def _lemma(word: str) -> str:
    """Lemma of one case-folded word, e.g. "matrices" -> "matrix"."""
    if word in _LEMMAS:
        return _LEMMAS[word]
    if not word.isalpha():
        return word
    # Imported at the first word: with its dictionary it takes longer than the whole package.
    import simplemma

    lemma = str(simplemma.lemmatize(word, lang="en")).casefold()
    if lemma == word and len(word) > 3 and _PLURAL.search(word):
        # The dictionary has "medians" as a lemma of its own, and does not know "bisectors".
        stem = word[:-1]
        if not simplemma.is_known(word, lang="en") or simplemma.is_known(stem, lang="en"):
            return _lemma(stem)
    return lemma
