r"""Words next to mathematics that change its meaning: "6 or less", `5\text{ (or six)}`, "3 pm".

Computer algebra ignores words, and most do not matter: "5 apples". These do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from masa_rewards.verify.braces import find_text_groups
from masa_rewards.verify.notation.scales import SCALE_WORDS

# A bound is part of the answer: to omit or to add one makes another answer.
_BOUNDS = {
    "<": r"or (?:less|fewer|lower|below|under|smaller|earlier)|and (?:below|under)|at (?:the )?most"
    r"|up to(?! (?:iso|sign|order|scal|a ))|not? (?:more|greater|larger|higher) than",
    ">": r"or (?:more|greater|larger|higher|above|over|bigger|later)|and (?:above|over|up|more)"
    r"|at (?:the )?least|not? (?:less|fewer|smaller|lower) than",
    "-": r"(?:less|fewer|smaller|lower) than",
    "+": r"(?:more|greater|larger|higher) than",
    "/": r"and (?:a|an|one|two|three) (?:half|thirds?|quarters?|fourths?|fifths?|sixth|eighth)",
    "^": r"^\W*(?:squared|cubed|doubled|tripled|halved|factorial|negated|inverted)",
}
_BOUND = re.compile("|".join(f"(?P<b{n}>{words})" for n, words in enumerate(_BOUNDS.values())))
_SIGNS = list(_BOUNDS)
_SCALES = SCALE_WORDS - {"gross"}
_HEDGE = re.compile(
    r"\b(?:not|no|nor|neither|never|maybe|perhaps|possibly|probably|either|but|unless|otherwise"
    r"|wrong|incorrect|false|except|instead|rather|else|plus|minus|versus|vs"
    r"|alternatively|also|aka|or(?= +[^\W\d_]))\b"
)
_FIGURE = re.compile(r"(?<![\^_\dA-Za-z-])\d+")
_NUMBERS = (
    "zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    "|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
)
_NUMBER = re.compile(rf"\b(?:{_NUMBERS})\b(?!-)")
_PLAIN_WORDS = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{2,}\.?(?:[ -]+[A-Za-z]+)*(?![A-Za-z}])")
_BESIDE_FIGURE = re.compile(r"\d[\s%\\]{0,3}[A-Za-z]{2}|[A-Za-z]{2}\s{1,3}\d")
_WORD = re.compile(r"[a-z]+(?:\.m\.|\.c\.)?")
# Two answers differ if both have a word of one set, and not the same: to omit it is no fault.
_OPPOSITES = [
    frozenset(words.split())
    for words in (
        "am pm",
        "bc ad",
        "clockwise counterclockwise",
        "increase decrease",
        "north south east west northeast northwest southeast southwest",
        "left right",
        "up down",
        "profit loss",
        "before after",
        "horizontal vertical",
        "inside outside",
        "upward downward",
        "forward backward",
        "above below",
        "positive negative",
        "early late",
        "minimum maximum",
        "odd even",
        "more less",
        "rise fall",
        "win lose",
        "heads tails",
    )
]
_SAME_WORD = {
    "bce": "bc",
    "b.c.": "bc",
    "ce": "ad",
    "a.m.": "am",
    "p.m.": "pm",
    "anticlockwise": "counterclockwise",
    "increased": "increase",
    "increasing": "increase",
    "decreased": "decrease",
    "decreasing": "decrease",
    "gain": "profit",
    "earlier": "before",
    "later": "after",
    "upwards": "upward",
    "downwards": "downward",
    "forwards": "forward",
    "backwards": "backward",
    "horizontally": "horizontal",
    "vertically": "vertical",
}


def has_different_qualifiers(answer: str, gold: str) -> bool:
    """Whether the words next to the mathematics make two answers different.

    Args:
        answer: The stated answer, in LaTeX.
        gold: The right one.

    Returns:
        True if one has a bound ("or less"), or a word that multiplies it ("million"), that the
        other has not; if the answer hedges, or names a number, as the gold does not; or if both
        have a word, and the opposite one. False decides nothing.
    """
    stated, wanted = _find_phrases(answer), _find_phrases(gold)
    if _find_hedges(stated) - _find_hedges(wanted):
        return True
    stated, wanted = stated + _find_plain_phrases(answer), wanted + _find_plain_phrases(gold)
    return _find_bounds(stated) != _find_bounds(wanted) or _has_opposites(
        _find_words(stated), _find_words(wanted)
    )


def _find_phrases(text: str) -> list[str]:
    """Groups of words, unless all of the text is words, which are compared as such."""
    groups = find_text_groups(text)
    left, position = [], 0
    for group in groups:
        left.append(text[position : group.start])
        position = group.end
    if not groups or not re.search(r"[^\W_]", "".join([*left, text[position:]])):
        return []
    return [" ".join(group.words.lower().split()) for group in groups]


def _find_plain_phrases(text: str) -> list[str]:
    """Runs of words beside a figure that no style marks off: "5 or more", "at least 5"."""
    if not _BESIDE_FIGURE.search(text):
        return []
    return [" ".join(words.lower().split()) for words in _PLAIN_WORDS.findall(text)]


def _find_bounds(phrases: list[str]) -> frozenset[str]:
    found = {_SIGNS[int(str(match.lastgroup)[1:])] for match in _find_pattern(_BOUND, phrases)}
    scales = {word for phrase in phrases for word in re.findall(r"[a-z]+", phrase)} & _SCALES
    return frozenset(found | scales)


def _find_hedges(phrases: list[str]) -> frozenset[str]:
    return frozenset(
        match.group()
        for pattern in (_HEDGE, _FIGURE, _NUMBER)
        for match in _find_pattern(pattern, phrases)
    )


def _find_pattern(pattern: re.Pattern[str], phrases: list[str]) -> Iterator[re.Match[str]]:
    for phrase in phrases:
        yield from pattern.finditer(phrase)


def _find_words(phrases: list[str]) -> frozenset[str]:
    words = (word for phrase in phrases for word in _WORD.findall(phrase))
    return frozenset(_SAME_WORD.get(word, word) for word in words)


def _has_opposites(stated: frozenset[str], wanted: frozenset[str]) -> bool:
    for words in _OPPOSITES:
        one, other = stated & words, wanted & words
        if one and other and one != other:
            return True
    return False
