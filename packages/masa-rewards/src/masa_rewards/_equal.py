r"""Decides at once what needs no computer algebra: the same text, or plain numbers.

Nothing here may take two different values for one: what is not certain is left open.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from masa_rewards._normal import normalise

_WHOLE = r"[0-9]{1,300}"
_SIGNED = re.compile(rf"[-+]?{_WHOLE}")
_DECIMAL = re.compile(rf"[-+]?(?:{_WHOLE}\.[0-9]{{0,300}}|\.[0-9]{{1,300}})")
_RATIO = re.compile(rf"([-+]?)({_WHOLE})/({_WHOLE})")
_LATEX_RATIO = re.compile(rf"([-+]?)\\frac\{{([-+]?{_WHOLE})\}}\{{([-+]?{_WHOLE})\}}")
_PERCENT = re.compile(r"\\?%$")
_BASED = re.compile(r"([0-9A-Z]{1,99})_\{?([0-9]{1,2})\}?")
_GAP = re.compile(r"\d \d")
# Computer algebra would read a product of letters, and take "evil" for "live".
_WORD = re.compile(r"[^\W\d_]{4,}")


class Number(NamedTuple):
    """A rational number and how it was written: without a decimal point, with a percent sign."""

    value: Fraction
    exact: bool
    percent: bool


def decide(answer: str, gold: str) -> bool | None:
    """Decide whether an answer is right, if that can be told at once.

    Args:
        answer: The extracted answer.
        gold: The right one.

    Returns:
        True when both are the same text after `normalise`, or the same number. False when both are
        numbers, written exactly, that differ, or two words that do, or when the answer is two
        numbers without anything between them. None when it takes more.
    """
    if normalise(answer, thousands=False) == normalise(gold, thousands=False):
        return True
    answer, gold = normalise(answer), normalise(gold)
    if answer == gold:
        return True
    if _GAP.search(answer):
        return False
    if _WORD.fullmatch(answer) and _WORD.fullmatch(gold):
        return answer.casefold() == gold.casefold()
    stated, wanted = to_number(answer), to_number(gold)
    if stated and wanted:
        return _same_number(stated, wanted)
    based, wanted_based = _in_base(answer), _in_base(gold)
    if based is not None and wanted_based is not None:
        return based == wanted_based
    return None


def _same_number(stated: Number, wanted: Number) -> bool | None:
    if stated.percent != wanted.percent:
        # "What percent ...": 40 and 40 % are the same answer. 0.4 and 0.4 % are not.
        same = stated.value == wanted.value and abs(wanted.value) >= 1
        return True if same else None
    if stated.value == wanted.value:
        return True
    # 0.33 may be meant for 1/3: how far rounding goes is not decided here.
    return False if stated.exact and wanted.exact else None


def to_number(text: str) -> Number | None:
    r"""Read a normal form as a rational number.

    Args:
        text: What `normalise` gave.

    Returns:
        The number for "-3", "0.5", ".5", "1/2" and "-\frac{1}{2}", with or without a percent sign;
        None for all else.
    """
    plain = _PERCENT.sub("", text)
    percent = plain != text
    if _SIGNED.fullmatch(plain):
        return Number(Fraction(int(plain)), exact=True, percent=percent)
    if _DECIMAL.fullmatch(plain):
        return Number(Fraction(plain.rstrip(".")), exact=False, percent=percent)
    if match := _RATIO.fullmatch(plain) or _LATEX_RATIO.fullmatch(plain):
        sign, above, below = match.groups()
        if int(below) == 0:
            return None
        value = Fraction(int(above), int(below)) * (-1 if sign == "-" else 1)
        return Number(value, exact=True, percent=percent)
    return None


def _in_base(text: str) -> int | None:
    """Read "1101_2" or "A5_{11}"."""
    match = _BASED.fullmatch(text)
    if not match or not 2 <= int(match.group(2)) <= 36:
        return None
    try:
        return int(match.group(1), int(match.group(2)))
    except ValueError:
        return None
