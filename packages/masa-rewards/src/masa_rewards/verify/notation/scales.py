r"""Words behind a number that multiply it: "6 million", `6\text{ dozen}`, "5 hundredths"."""

from __future__ import annotations

import re
from fractions import Fraction

from masa_rewards.verify.equality.normal_form import normalise_answer
from masa_rewards.verify.equality.numbers import to_number
from masa_rewards.verify.equality.value_tails import split_tail

_LARGE = {
    "ten": 10,
    "dozen": 12,
    "gross": 144,
    "hundred": 10**2,
    "thousand": 10**3,
    "lakh": 10**5,
    "million": 10**6,
    "mln": 10**6,
    "crore": 10**7,
    "milliard": 10**9,
    "billion": 10**9,
    "bn": 10**9,
    "trillion": 10**12,
    "quadrillion": 10**15,
    "quintillion": 10**18,
    "sextillion": 10**21,
    "septillion": 10**24,
    "octillion": 10**27,
    "nonillion": 10**30,
    "decillion": 10**33,
    "googol": 10**100,
}
_SMALL = {"halve": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8}
_SMALL |= {"ninth": 9} | {f"{name}th": value for name, value in _LARGE.items()}
_SCALES = {
    **{f"{name}{end}": Fraction(value) for name, value in _LARGE.items() for end in ("", "s")},
    **{f"{name}s": Fraction(1, value) for name, value in _SMALL.items()},
}
del _SCALES["ten"], _SCALES["gross" + "s"]
_WORD = re.compile(r"[A-Za-z]+")
_LEAD = re.compile(r"[\s\-.(]*(?P<per>(?:per|(?:in|out\s+of)\s+(?:an?|every))\s+(?:an?\s+)?)?")
_GAP = re.compile(r"[\s\-.()]*")
_LARGEST = 10**120
SCALE_WORDS = frozenset(_SCALES)


def fold_scale(text: str) -> str | None:
    r"""Multiply the value by the words behind it.

    Examples:
        >>> fold_scale(r"6 \text{ million dollars}")
        '6000000\\text{ dollars}'

    Args:
        text: An answer, after `tidy`.

    Returns:
        The answer in figures, with the words that are left; None where no word multiplies it.
    """
    tail = split_tail(text)
    if tail is None:
        return None
    scale, rest = _read_scale(tail.words)
    if scale is None:
        return None
    rest = rest.strip(" .()-")
    return (
        f"{_multiply_value(tail.value, scale)}\\text{{ {rest}}}"
        if rest
        else _multiply_value(tail.value, scale)
    )


def _read_scale(words: str) -> tuple[Fraction | None, str]:
    """The product of the first words: "hundred thousand people" is 100,000 and " people"."""
    lead = _LEAD.match(words)
    end = lead.end() if lead else 0
    scale: Fraction | None = None
    while word := _WORD.match(words, end):
        factor = _SCALES.get(word.group().lower())
        if factor is None or (scale or 1) > _LARGEST:
            break
        scale = (scale or Fraction(1)) * factor
        gap = _GAP.match(words, word.end())
        end = gap.end() if gap else word.end()
    if scale and lead and lead["per"]:
        scale = 1 / scale
    return scale, words[end:]


def _multiply_value(value: str, scale: Fraction) -> str:
    number = to_number(normalise_answer(value))
    if number is None or number.percent:
        return f"({value})\\cdot {_format_number(scale)}"
    return _format_number(number.value * scale)


def _format_number(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    sign = "-" if value < 0 else ""
    return f"{sign}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
