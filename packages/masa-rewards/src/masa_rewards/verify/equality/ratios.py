r"""Ratios of three and more, and residues: "6:4:2" is "3:2:1", `7 \pmod 6` is `1 \pmod 6`."""

from __future__ import annotations

import re
from fractions import Fraction

from masa_rewards.verify.equality.normal_form import normalise_answer
from masa_rewards.verify.equality.numbers import to_number
from masa_rewards.verify.equality.qualifiers import has_different_qualifiers
from masa_rewards.verify.parts import split_list

MemberPairs = list[tuple[str, str]]
"""What of an answer has to be compared with what of the target."""

_NO_TERM = re.compile(r"[,;<>=]|\\(?:in|mid|leq?|geq?|[{}])(?![A-Za-z])|[A-Za-z]{4}")
_CLOCK = re.compile(r"0\d")
_HALF = re.compile(r"[ap]\.?m\.?$", re.IGNORECASE)
_MODULUS = re.compile(
    r"\s*(?:\\(?:q?quad|[,;: ]))*\s*(?:\\pmod\s*(?:\{\s*(\d{1,18})\s*\}|(\d))"
    r"|\\mod\s*\{?\s*(\d{1,18})\s*\}?"
    r"|\(\s*\\?(?:(?:text|mathrm|operatorname)\s*\{\s*mod\s*\}|b?mod)"
    r"(?:\s|\\[,;: ]|~)*\{?\s*(\d{1,18})\s*\}?\s*\))\s*\.?$"
)
_CONGRUENT = re.compile(r"^[^=<>,]{0,40}?\\equiv(?![A-Za-z])\s*")


def pair_ratios(answer: str, gold: str) -> MemberPairs | bool | None:
    """Compare two ratios, one of which has three terms or more.

    Args:
        answer: The stated answer.
        gold: The right one.

    Returns:
        What of them has to be equal; False where they cannot be; None for what is no such ratio.
    """
    if answer.count(":") < 2 and gold.count(":") < 2:
        return None
    stated, wanted = _split_ratio(answer), _split_ratio(gold)
    if max(len(stated), len(wanted)) < 3:
        return None
    if len(stated) != len(wanted):
        return False
    if any(map(_CLOCK.match, stated + wanted)):
        is_same = [*map(_drop_half, stated)] == [*map(_drop_half, wanted)]
        return is_same and not has_different_qualifiers(answer, gold)
    one, other = _read_terms(stated), _read_terms(wanted)
    if one and other:
        return all(a * other[0] == b * one[0] for a, b in zip(one, other, strict=True))
    return list(zip(_divide_by_first(stated), _divide_by_first(wanted), strict=True))


def _split_ratio(text: str) -> list[str]:
    terms = normalise_answer(text).rpartition("=")[2].split(":")
    if not all(terms) or any(map(_NO_TERM.search, terms)):
        return [text]
    return terms


def _drop_half(term: str) -> str:
    """Without "p.m.", which may be left out."""
    return _HALF.sub("", term)


def _read_terms(terms: list[str]) -> list[Fraction]:
    """The terms as numbers; none where one of them is no plain number, or the first is 0."""
    numbers = [to_number(term) for term in terms]
    values = [number.value for number in numbers if number]
    return values if len(values) == len(terms) and values[0] else []


def _divide_by_first(terms: list[str]) -> list[str]:
    return [f"\\frac{{{term}}}{{{terms[0]}}}" for term in terms[1:]]


def pair_congruences(answer: str, gold: str) -> MemberPairs | bool | None:
    r"""Compare residues, where at least one of two answers names its modulus.

    Returns:
        As `pair_ratios`. Beside a plain number the residue itself counts: `3 \\pmod 7` is 3.
    """
    if "mod" not in answer and "mod" not in gold:
        return None
    stated, wanted = _MODULUS.search(answer), _MODULUS.search(gold)
    if not stated and not wanted:
        return None
    residues = _CONGRUENT.sub("", answer[: stated.start()] if stated else answer)
    right = _CONGRUENT.sub("", gold[: wanted.start()] if wanted else gold)
    if "mod" in residues or "mod" in right:
        return None
    if not stated or not wanted:
        return [(residues, right)]
    modulus = int(next(filter(None, stated.groups())))
    if modulus != int(next(filter(None, wanted.groups()))) or not modulus:
        return False
    one, other = _read_residues(residues, modulus), _read_residues(right, modulus)
    return one == other if one and other else [(residues, right)]


def _read_residues(text: str, modulus: int) -> frozenset[int]:
    """Residues from 0; none where a part is no whole number."""
    values = [to_number(normalise_answer(part)) for part in split_list(text).parts]
    if any(value is None or value.value.denominator != 1 for value in values):
        return frozenset()
    return frozenset(int(value.value) % modulus for value in values if value)
