r"""Reads plain numbers, exactly, and compares them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

_WHOLE = r"[0-9]{1,300}"
_SIGNED = re.compile(rf"[-+]?{_WHOLE}")
_DECIMAL = re.compile(rf"[-+]?(?:{_WHOLE}\.[0-9]{{0,300}}|\.[0-9]{{1,300}})")
_REPEATING = re.compile(r"([-+]?)([0-9]{0,99})\.([0-9]{0,99})\\overline\{([0-9]{1,99})\}")
_RATIO = re.compile(rf"([-+]?)({_WHOLE})/({_WHOLE})")
_LATEX_RATIO = re.compile(rf"([-+]?)\\frac\{{([-+]?{_WHOLE})\}}\{{([-+]?{_WHOLE})\}}")
_PERCENT = re.compile(r"(?:\\?%|percent)$", re.IGNORECASE)  # "50 percent" has lost its space

ROUNDED = 6
"""A decimal of so many places, and digits that count, may stand for what it is rounded from."""


class WrittenNumber(NamedTuple):
    """A rational number and how it was written.

    Attributes:
        value: What it is, without the percent sign.
        places: How many digits stand behind a decimal point; None when it is written exactly.
        percent: Whether a percent sign follows.
    """

    value: Fraction
    places: int | None
    percent: bool


def is_same_number(stated: WrittenNumber, wanted: WrittenNumber) -> bool:
    """Whether two numbers are one: equal, or one a decimal to which the other is rounded.

    "What percent ...": 40 and 40 % are the same answer. Below one the sign counts: 0.4 and 0.4 %
    are not.
    """
    if stated.percent == wanted.percent:
        return _is_same_value(stated, wanted)
    if stated.value == wanted.value and abs(wanted.value) >= 1:
        return True
    return _is_same_value(_convert_percent(stated), _convert_percent(wanted))


def to_number(text: str) -> WrittenNumber | None:
    r"""Read a normal form as a rational number.

    Args:
        text: What `normalise` gave.

    Returns:
        The number for "-3", "0.5", ".5", `0.1\overline{6}`, "1/2" and "-\frac{1}{2}", with or
        without a percent sign, or the word; None for all else.
    """
    plain = _PERCENT.sub("", text)
    percent = plain != text
    if _SIGNED.fullmatch(plain):
        return WrittenNumber(Fraction(int(plain)), None, percent)
    if _DECIMAL.fullmatch(plain):
        places = len(plain.partition(".")[2])
        return WrittenNumber(Fraction(plain.rstrip(".")), places, percent)
    if match := _REPEATING.fullmatch(plain):
        return WrittenNumber(_parse_repeating_decimal(*match.groups()), None, percent)
    if match := _RATIO.fullmatch(plain) or _LATEX_RATIO.fullmatch(plain):
        sign, above, below = match.groups()
        if int(below) == 0:
            return None
        value = Fraction(int(above), int(below)) * (-1 if sign == "-" else 1)
        return WrittenNumber(value, None, percent)
    return None


def _parse_repeating_decimal(sign: str, whole: str, fixed: str, period: str) -> Fraction:
    shift = 10 ** len(fixed)
    value = Fraction(int(whole + fixed or "0"), shift)
    value += Fraction(int(period), shift * (10 ** len(period) - 1))
    return -value if sign == "-" else value


def _convert_percent(number: WrittenNumber) -> WrittenNumber:
    if not number.percent:
        return number
    places = None if number.places is None else number.places + 2
    return WrittenNumber(number.value / 100, places, percent=False)


def _is_same_value(one: WrittenNumber, other: WrittenNumber) -> bool:
    return one.value == other.value or _is_rounded_by(one, other) or _is_rounded_by(other, one)


def _is_rounded_by(exact: WrittenNumber, rounded: WrittenNumber) -> bool:
    """Whether `exact` rounds to `rounded` at its places, if it has enough significant digits."""
    places = rounded.places
    if places is None or places < ROUNDED:
        return False
    if exact.places is not None and exact.places <= places:
        return False
    scale = 10**places
    if abs(rounded.value) * scale < 10 ** (ROUNDED - 1):
        return False
    return bool(abs(exact.value - rounded.value) * scale <= Fraction(1, 2))
