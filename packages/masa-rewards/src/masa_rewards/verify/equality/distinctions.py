r"""Distinguishes what computer algebra treats as equal: brackets, "or" and "and", primes, words."""

from __future__ import annotations

import re

from masa_rewards.verify.equality.normal_form import normalise_answer
from masa_rewards.verify.equality.primes import has_different_primes
from masa_rewards.verify.equality.qualifiers import has_different_qualifiers

_OPEN, _CLOSE = ("\\{", "(", "["), ("\\}", ")", "]")
_BRACKET = re.compile(r"\\[{}]|[()\[\]]|,")
_MEMBER = re.compile(r"^[^=<>]{0,20}?\\in(?![A-Za-z])")
_LETTER = re.compile(r"[K-Zk-z]|\\[A-Za-z]+")
_DERIVATIVE = re.compile(
    r"\\frac\s*\{\s*(?:\\partial|d)\s*([a-z])\s*\}\s*\{\s*(?:\\partial|d)\s*([a-z])\s*\}"
)
_NESTED = re.compile(r"(?:\\\{)+")
_INEQUALITY = re.compile(r"[<>≤≥]|\\(?:leq?|geq?|lt|gt)(?![A-Za-z])")
_OR = re.compile(r"(?<![A-Za-z\\])or(?![A-Za-z])|\\(?:lor|vee|cup)(?![A-Za-z])")
_AND = re.compile(r"(?<![A-Za-z\\])and(?![A-Za-z])|\\(?:land|wedge|cap)(?![A-Za-z])")


def is_different_in_form(answer: str, gold: str) -> bool:
    r"""Whether two answers differ in a way that computer algebra would pass over.

    - in the brackets around a list: a set, a pair or open interval, a closed one;
    - in "or" against "and" between inequalities;
    - in primes: 5' and 5, f'(x) and f(x);
    - in the case of a letter that stands alone (`\Delta`, `\delta`; k, K; options A to J not),
      in what is derived by what, and in how deep a set stands in sets;
    - in words that change the meaning: `5 \text{ (or 6)}`, `5 \text{ or more}`.

    Args:
        answer: The stated answer, after `tidy`.
        gold: The right one.

    Returns:
        True if they certainly differ. False decides nothing.
    """
    return (
        _is_known_difference(_list_brackets(answer), _list_brackets(gold))
        or _is_known_difference(_find_connective(answer), _find_connective(gold))
        or has_different_primes(answer, gold)
        or _is_other_case(answer, gold)
        or _is_known_difference(_list_derivatives(answer), _list_derivatives(gold))
        or _is_known_difference(_measure_depth(answer), _measure_depth(gold))
        or has_different_qualifiers(answer, gold)
    )


def _is_known_difference(one: str, other: str) -> bool:
    return bool(one and other and one != other)


def _is_other_case(answer: str, gold: str) -> bool:
    """Whether both are one letter, in capitals and not: computer algebra writes all small."""
    one, other = normalise_answer(answer), normalise_answer(gold)
    return one != other and bool(_LETTER.fullmatch(one)) and one.lower() == other.lower()


def _list_derivatives(text: str) -> str:
    return " ".join(sorted(f"{above}/{below}" for above, below in _DERIVATIVE.findall(text)))


def _measure_depth(text: str) -> str:
    r"""How many braces of sets open one in the other at the start: 2 of `\{\{1\}\}`."""
    match = _NESTED.match(normalise_answer(text))
    return str(match.group().count("{")) if match else ""


def _list_brackets(text: str) -> str:
    r"""Brackets around a list: "()", "[)", `\{\}`; "" where no list is in brackets as a whole."""
    text = _MEMBER.sub("", normalise_answer(text))
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


def _find_connective(text: str) -> str:
    if not _INEQUALITY.search(text):
        return ""
    found = [name for name, word in (("or", _OR), ("and", _AND)) if word.search(text)]
    return found[0] if len(found) == 1 else ""
