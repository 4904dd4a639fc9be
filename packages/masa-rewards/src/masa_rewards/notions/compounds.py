"""Words that are written as one, with a hyphen or as two: pigeonhole, pigeon-hole, pigeon hole."""

from __future__ import annotations

from functools import lru_cache

from masa_rewards.notions.lemmas import find_lemma, is_abbreviation, is_known
from masa_rewards.notions.stop_words import ENGLISH_STOP_WORDS

# In front of any word, with a hyphen or without.
_PREFIXES = ("anti", "circum", "counter", "eigen", "non", "pseudo", "quasi", "semi")
_MORE_PREFIXES = ("co", "mid", "multi", "pre", "sub", "super")
# Written with a hyphen or as two words as well, by no rule: "triangle" is not "tri-angle".
_CLOSED = """
    bi-conditional bit-wise book-keeping case-work check-sum chess-board co-domain co-factor
    co-ordinate co-prime co-set cut-off data-base end-point half-plane half-space hand-shake
    hyper-plane key-word mid-line mid-point mid-segment multi-graph multi-set multi-variable
    over-count pair-wise piece-wise pigeon-hole point-wise power-set pre-image re-arrangement
    re-write short-cut square-free step-wise sub-field sub-graph sub-group sub-interval
    sub-problem sub-ring sub-sequence sub-set sub-space sub-sum super-set tri-nomial under-count
    wave-length zig-zag
"""
_TWO = {two.replace("-", ""): tuple(two.split("-")) for two in _CLOSED.split()}
_MEANS = ("AM", "GM", "HM", "qm")  # AM-GM, QM-AM-GM-HM: "QM" alone is no other word
_ROWS = (("AM", "GM"), ("GM", "HM"), ("AM", "GM", "HM"), ("qm", "AM"), ("qm", "AM", "GM", "HM"))
_OF_MEANS = {"".join(row).lower(): row for row in _ROWS}
_REST = 4  # what follows a prefix has at least so many letters


def join_compounds(words: tuple[str, ...]) -> tuple[str, ...]:
    """Write as one what is also written as one; the lemmas of a notion in, others out."""
    out: list[str] = []
    for index, word in enumerate(words):
        if index and _is_one(words[index - 1], word):
            out[-1] = find_lemma(f"{out[-1]}{word}".lower())
        else:
            out.append(word)
    return tuple(out)


def split_compounds(words: tuple[str, ...]) -> tuple[str, ...]:
    """Write as two what is also written as two."""
    return tuple(part for word in words for part in _split_word(word))


def _is_one(before: str, word: str) -> bool:
    if (before, word) in _PAIRS:
        return True
    if {before, word} & ENGLISH_STOP_WORDS:
        return False
    if word == "th":
        return len(before) == 1 or before.isdigit()
    if before in _MEANS and word in _MEANS:
        return True
    if is_abbreviation(before) or is_abbreviation(word) or not word.isalpha():
        return False
    return before in _ALL_PREFIXES and len(word) >= _REST - 1 and is_known(word)


_PAIRS = frozenset(_TWO.values())
_ALL_PREFIXES = frozenset((*_PREFIXES, *_MORE_PREFIXES))


@lru_cache(maxsize=1 << 14)
def _split_word(word: str) -> tuple[str, ...]:
    if word in _OF_MEANS:
        return _OF_MEANS[word]
    if word in _TWO:
        return _TWO[word]
    if word.endswith("th") and (len(word) == 3 or word[:-2].isdigit()):
        return (word[:-2], "th")
    if word.startswith(_PREFIXES) and word not in ENGLISH_STOP_WORDS:
        for prefix in _PREFIXES:
            rest = word.removeprefix(prefix)
            if rest != word and len(rest) >= _REST and is_known(rest):
                return (prefix, find_lemma(rest))
    return (word,)
