r"""Tells apart what computer algebra takes for one: brackets, "or" and "and", answers in words."""

from __future__ import annotations

import re

from masa_rewards._normal import normalise

_OPEN, _CLOSE = ("\\{", "(", "["), ("\\}", ")", "]")
_BRACKET = re.compile(r"\\[{}]|[()\[\]]|,")
_MEMBER = re.compile(r"^[^=<>]{0,20}?\\in(?![A-Za-z])")
_INEQUALITY = re.compile(r"[<>≤≥]|\\(?:leq?|geq?|lt|gt)(?![A-Za-z])")
_OR = re.compile(r"(?<![A-Za-z\\])or(?![A-Za-z])|\\(?:lor|vee|cup)(?![A-Za-z])")
_AND = re.compile(r"(?<![A-Za-z\\])and(?![A-Za-z])|\\(?:land|wedge|cap)(?![A-Za-z])")
_IN_WORDS = re.compile(r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|mbox|mathrm)\s*\{([^{}]*)\}")
_SECOND = re.compile(
    r"(?<![\^_\dA-Za-z])\d|\b(?:not|maybe|perhaps|possibly|either|but|unless|otherwise)\b"
)
_PRIMES = re.compile(r"\d('{1,3})$")


def differ(answer: str, gold: str) -> bool:
    r"""Whether two answers differ in a way that computer algebra would pass over.

    - in the brackets around a list: a set, a pair or open interval, a closed one;
    - in "or" against "and" between inequalities;
    - in primes: 5' and 5'';
    - in a second answer beside the first, in words: `5 \text{ (or 6)}`.

    Args:
        answer: The stated answer, in LaTeX.
        gold: The right one.

    Returns:
        True if they differ for sure. False says nothing.
    """
    return (
        _both_and_differ(_list_brackets(answer), _list_brackets(gold))
        or _both_and_differ(_connective(answer), _connective(gold))
        or _both_and_differ(_primes(answer), _primes(gold))
        or (_hedged(answer) and not _hedged(gold))
    )


def _both_and_differ(one: str, other: str) -> bool:
    return bool(one and other and one != other)


def _list_brackets(text: str) -> str:
    r"""Brackets around a list: "()", "[)", `\{\}`; "" where no list is in brackets as a whole."""
    text = _MEMBER.sub("", normalise(text))
    if not text.startswith(_OPEN):
        return ""
    depth, commas, first, last = 0, 0, "", ""
    for match in _BRACKET.finditer(text):
        mark = match.group()
        if mark in _OPEN:
            depth += 1
        elif mark in _CLOSE:
            depth -= 1
        commas += depth == 1 and mark == ","
        first, last = first or mark, mark
        if depth == 0:
            return first + last if match.end() == len(text) and commas else ""
    return ""


def _connective(text: str) -> str:
    if not _INEQUALITY.search(text):
        return ""
    found = [name for name, word in (("or", _OR), ("and", _AND)) if word.search(text)]
    return found[0] if len(found) == 1 else ""


def _primes(text: str) -> str:
    match = _PRIMES.search(text)
    return match.group(1) if match else ""


def _hedged(text: str) -> bool:
    groups = _IN_WORDS.findall(text)
    if not groups or not re.search(r"[^\W_]", _IN_WORDS.sub("", text)):
        return False  # all of it is words
    return any(_SECOND.search(group) for group in groups)
