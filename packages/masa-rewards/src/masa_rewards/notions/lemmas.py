"""The lemma of a word, and back: every form that has a lemma. English, by simplemma's dictionary.

Both directions are needed to read texts fast: instead of finding the lemma of each of the thousand
words of a text, the few forms of the words that are looked for are found in it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from masa_rewards.notions.spelling import to_american, to_british

# Words of mathematics that the dictionary gets wrong, or does not know.
_OWN = {
    "axes": "axis",
    "directrices": "directrix",
    "parabolae": "parabola",
    "torus": "torus",
    # LaTeX writes them in one word.
    "bmod": "mod",
    "pmod": "mod",
}
_PLURAL = re.compile(r"[^suie]s$|[^i]es$")


class _Dictionary(NamedTuple):
    lemmas: Mapping[str, str]
    forms: Mapping[str, str]  # with spaces between them: less memory than lists


@lru_cache(maxsize=1 << 14)
def find_lemma(word: str) -> str:
    """Find the lemma of one case-folded word, e.g. "matrices" -> "matrix".

    Args:
        word: Letters and digits. One that the dictionary does not know, and that looks like no
            plural, is its own lemma, as is one with a digit in it, and an abbreviation in capitals.
            British spelling has the lemma of American.
    """
    if not word.isalpha() or word.isupper():
        return word
    word = to_american(word, _look_up_lemma)
    lemma = _look_up_lemma(word)
    if lemma in (None, word) and len(word) > 3 and _PLURAL.search(word):
        # The dictionary has "medians" as a lemma of its own, and does not know "bisectors".
        singular = word[:-1]
        known = _look_up_lemma(singular)
        if known == singular or not (known or lemma):
            return singular
    if not lemma and len(word) > 7 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return to_american(lemma or word, _look_up_lemma)


@lru_cache(maxsize=1 << 14)
def find_forms(lemma: str) -> frozenset[bytes]:
    """Find every word of which `find_lemma` is `lemma`, in UTF-8. None is, of many a plural."""
    if is_abbreviation(lemma):
        return frozenset(form.encode() for form in (lemma.lower(), f"{lemma.lower()}s"))
    listed = {lemma, *_load_dictionary().forms.get(lemma, "").split()}
    candidates = listed | {f"{lemma}s", f"{lemma[:-1]}ies"}
    for other in to_british(lemma):
        listed = {other, *_load_dictionary().forms.get(other, "").split()}
        candidates |= listed | {f"{other}s", f"{other[:-1]}ies"}
    candidates |= {british for form in candidates for british in to_british(form)}
    return frozenset(form.encode() for form in candidates if find_lemma(form) == lemma)


def is_abbreviation(lemma: str) -> bool:
    """Whether a lemma is one of capitals, "AM": of which only the same word is a form."""
    return lemma.isupper()


def is_known(word: str) -> bool:
    """Whether the dictionary has a word, or a form of it."""
    return _look_up_lemma(word) is not None


def _look_up_lemma(word: str) -> str | None:
    if word in _OWN:
        return _OWN[word]
    lemmas = _load_dictionary().lemmas
    # Names stand there with a capital: "gauss" is "Gauss".
    lemma = lemmas.get(word) or lemmas.get(word.capitalize())
    return lemma.casefold() if lemma else None


@lru_cache(maxsize=1)
def _load_dictionary() -> _Dictionary:
    """Load the dictionary: at the first word, as it takes longer than the whole package."""
    from simplemma.strategies.dictionaries import DefaultDictionaryFactory

    lemmas = DefaultDictionaryFactory().get_dictionary("en")
    forms: defaultdict[str, str] = defaultdict(str)
    for form, lemma in chain(lemmas.items(), _OWN.items()):
        if form != lemma:
            forms[lemma.casefold()] += f" {form.casefold()}"
    return _Dictionary(lemmas, forms)
