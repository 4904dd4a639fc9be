r"""Where a notion occurs in a text: whole words, compared by their lemmas.

A notion is a sequence of lemmas (`masa_rewards.notions.words` defines what a word is). It occurs in
a text when they are consecutive among the lemmas of the text's words. So "identities" occurs in "an
identity", "pigeonhole principle" in "the Pigeonhole-Principle", and "art" nowhere in "part". A
notion with more than its name, "Chinese Remainder Theorem (CRT)", is found by the name or by the
abbreviation (`masa_rewards.notions.notion_names`), in every spelling
(`masa_rewards.notions.compounds`).

A text is read once for all notions together: an automaton (`masa_rewards.notions.finder`) finds the
forms of one word of each notion, and the words around it are compared only at these places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from masa_rewards.notions.accents import ACCENTED, strip_accent_commands
from masa_rewards.notions.compounds import join_compounds, split_compounds
from masa_rewards.notions.finder import MAX_WORDS, OR, PhraseFinder
from masa_rewards.notions.lemmas import find_lemma, is_known
from masa_rewards.notions.notion_names import split_notion_names
from masa_rewards.notions.stop_words import ENGLISH_STOP_WORDS
from masa_rewards.notions.words import FoldedText

Phrase = tuple[str, ...]
"""A notion as the lemmas of its words, in order. Where it has several names, or is written in
several ways, "|" stands between them: it occurs where one of them does. An abbreviation that would
be another word in small letters has its capitals: "AM"."""

_ARTICLES = frozenset({"a", "an", "the"})
_FRONTS = (("use", "of"), ("usage", "of"), ("application", "of"), ("applications", "of"))
_APPLYING = frozenset({"applying", "apply", "using"})
_LATIN_A = frozenset({"priori", "posteriori", "fortiori"})


@lru_cache(maxsize=1 << 12)
def to_phrase(notion: str) -> Phrase:
    """Read a notion as a phrase; the same notion in another form gives the same phrase.

    Args:
        notion: One word or several, in any case, number and hyphenation.

    Returns:
        Its lemmas in order; () when there is no word in it, which occurs nowhere.
    """
    naming = split_notion_names(notion)
    ways = {way for name in naming if name for way in _list_phrases(strip_accent_commands(name))}
    phrase: list[str] = []
    for way in sorted(ways):
        phrase += (OR, *way) if phrase else way
    return tuple(phrase)


def find_phrases(text: str, phrases: Iterable[Phrase]) -> frozenset[Phrase]:
    """Find which of some phrases occur in a text.

    Args:
        text: Any text; LaTeX and Markdown are fine.
        phrases: What to look for.

    Returns:
        Those of `phrases` that occur at least once. () never does.
    """
    return PhraseFinder(phrases).find(text)


def _list_phrases(name: str) -> Iterator[Phrase]:
    """Every way to write a name, as lemmas; none if there is no word in it."""
    words = list(FoldedText.of(name).written())
    words = words[_count_filler_words([word for word, _ in words]) :]
    if not words:
        return
    if any(pair in _TOGETHER for pair in pairwise(word for word, _ in words)):
        words = [(word, word.upper() if word in _MEANS else written) for word, written in words]
    shouted = len(words) > 1 and all(w.isupper() for _, w in words) and _has_long(words)
    lemmas = tuple(_choose_lemma(word, written, shouted=shouted) for word, written in words)
    yield lemmas
    if len(lemmas) <= MAX_WORDS:
        one = join_compounds(lemmas)
        yield one
        yield split_compounds(one)
    if not ACCENTED.keys().isdisjoint(word for word, _ in words):
        for style in (0, 1):
            parts = (ACCENTED[word][style] if word in ACCENTED else (word,) for word, _ in words)
            yield tuple(find_lemma(part) for some in parts for part in some)


def _count_filler_words(words: list[str]) -> int:
    """Count leading words that only state a use: "the", "use of", "applying"."""
    count = 0
    while len(words) <= MAX_WORDS:
        rest = words[count:]
        if len(rest) > 2 and tuple(rest[:2]) in _FRONTS:
            step = 2
        elif len(rest) > 1 and (rest[0] in _APPLYING or _is_article(*rest[:2])):
            step = 1
        else:
            return count
        if ENGLISH_STOP_WORDS.issuperset(rest[step:]):
            return count
        count += step
    return count


def _is_article(word: str, following: str) -> bool:
    if word == "a":  # or a letter: "a b"
        return len(following) > 2 and following not in _LATIN_A
    return word in _ARTICLES


def _has_long(words: list[tuple[str, str]]) -> bool:
    return any(len(word) > _LONGEST for word, _ in words)


# "am-gm": the verb is followed by no such word.
_MEANS = frozenset({"am", "gm", "hm", "qm"})
_TOGETHER = frozenset({("am", "gm"), ("qm", "am"), ("gm", "hm")})
_LONGEST = 4  # letters of an abbreviation


def _choose_lemma(word: str, written: str, *, shouted: bool) -> str:
    """The lemma of a word; its capitals, if in small letters it is another word."""
    short = 1 < len(word) <= _LONGEST and written.isupper() and word.isalpha()
    if short and (word in ENGLISH_STOP_WORDS or (is_known(word) and not shouted)):
        return word.upper()
    return find_lemma(word)
