r"""Chains of equals signs that are false: "5 = 6", `\sqrt{2} = 6`, `\frac{10}{2} = \sqrt{36}`.

Computer algebra takes the last part of a chain for the answer, whatever stands before it.
"""

from __future__ import annotations

import cmath
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations

from masa_rewards.verify.equality.numbers import WrittenNumber, is_same_number, to_number

_EQUALS = re.compile(r"(?<![<>!=:])=+(?!=)")
_EQUALS_OR_CONGRUENT = re.compile(r"(?<![<>!=:])=+(?!=)|\\equiv(?![A-Za-z])|≡")
_SPACE_AROUND = re.compile(
    r"(?:\s|\\q?quad(?![A-Za-z]))*(=|\\equiv(?![A-Za-z]))(?:\s|\\q?quad(?![A-Za-z]))*"
)
# Where one chain ends and the next begins.
_NEXT = re.compile(
    r"[<>≤≥]|\\(?:leq?|geq?|lt|gt|neq?|Rightarrow|implies|iff|Longrightarrow|Leftrightarrow"
    r"|rightarrow|to|q?quad|land|lor|wedge|vee|therefore)(?![A-Za-z])"
)
# Of a part that has anything else it is not sure that it is read as it is meant: a degree sign, a
# percent sign, a base, a unit, a letter, a list.
_CONSTANT = re.compile(
    r"(?:[\d.+\-*/^(){}\[\]!| ]|\\(?:frac|sqrt|pi|cdot|times|div|left|right|ln|log|binom|infty"
    r"|lfloor|rfloor|lceil|rceil)(?![A-Za-z]))+"
)
_TRIGONOMETRIC = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?![A-Za-z])")
# Read in more than one way: `2^13`, `7^\frac12`, and odd roots of what is less than zero.
_AMBIGUOUS = re.compile(r"\^\s*(?:\\|-?\d\s*\d)")
_ROOT = re.compile(r"\\sqrt\s*\[|\^\s*\{[^{}]*(?:/|\\frac)")
_MIXED = re.compile(r"(?<=\d)\s*(?=\\frac)")
_PRODUCT = re.compile(
    r"(?<=[\d)}])\s*(?=(?:\\left\s*)?\(|\\(?:binom|sqrt|frac)(?![A-Za-z]))|(?<=[})])\s*(?=\d)"
)
_LOGARITHM = re.compile(r"\\log(?![A-Za-z])")
_SEVERAL = re.compile(r",|\\(?:pm|mp|mod|pmod|bmod)(?![A-Za-z])")
_DECIMAL = re.compile(r"-?\d*\.(\d+)")
_DELIMITER = re.compile(r"\\(?:left|right)\s*(?=[()\[\]|])")
_WHOLE = re.compile(r"-?\d+")
_MANY = 12  # parts of a chain that are compared


def split_chains(text: str) -> list[list[str]]:
    r"""Return the parts that are stated to be equal, chain by chain, without chains of one part.

    In a congruence `\equiv` has another meaning.
    """
    if "=" not in text and "equiv" not in text and "≡" not in text:
        return []
    signs = _EQUALS if "mod" in text else _EQUALS_OR_CONGRUENT
    chains = (signs.split(chain) for chain in _NEXT.split(_SPACE_AROUND.sub(r" \1 ", text)))
    return [[part.strip() for part in parts] for parts in chains if len(parts) > 1]


def is_false_chain(text: str) -> bool:
    """Whether unequal plain numbers are stated to be equal: "x = 1 = 2".

    Args:
        text: A normal form.
    """
    return any(
        not _can_agree(one, other)
        for parts in split_chains(text)
        for one, other in combinations([*filter(None, map(to_number, parts[:_MANY]))], 2)
    )


def is_contradiction(text: str, evaluate: Callable[[str], complex | None]) -> bool:
    """Whether unequal constants are stated to be equal, by computer algebra.

    Args:
        text: An answer, after `tidy`.
        evaluate: Gives the value of a constant in LaTeX; None when it cannot.
    """
    if _SEVERAL.search(text):
        return False
    return any(_has_contradiction(parts[:_MANY], evaluate) for parts in split_chains(text))


def _has_contradiction(parts: list[str], evaluate: Callable[[str], complex | None]) -> bool:
    parts = [_DELIMITER.sub("", part) for part in parts]
    if not all(map(_is_balanced, parts)):
        return False
    values = [
        (part, found)
        for part in filter(_is_constant, parts)
        if (
            found := [value for way in _list_readings(part) if (value := evaluate(way)) is not None]
        )
    ]
    return any(not _can_meet(*pair) for pair in combinations(values, 2))


def _is_balanced(part: str) -> bool:
    """Whether it is a part: "P(X = 2) = 0.3" has an equals sign in brackets."""
    pairs = (("(", ")"), ("{", "}"), ("[", "]"))
    return all(part.count(left) == part.count(right) for left, right in pairs)


def _is_constant(part: str) -> bool:
    if _AMBIGUOUS.search(part) or ("-" in part and _ROOT.search(part)):
        return False
    if "\\pi" in part:
        part = _TRIGONOMETRIC.sub("", part)
    return bool(_CONSTANT.fullmatch(part) and re.search(r"\d|\\(?:pi|infty)", part))


def _list_readings(part: str) -> list[str]:
    r"""A number beside a fraction is a sum or a product, and `\log` has base ten, or e."""
    ways = [part]
    for gap in (_MIXED, _PRODUCT):
        if gap.search(part):
            ways.append(gap.sub(r"\\cdot ", part))
    if _LOGARITHM.search(part):
        tenth = r"\\frac{1}{\\ln(10)}\\ln "
        ways = [_LOGARITHM.sub(log, way) for way in ways for log in (r"\\ln ", tenth)]
    return ways


def _can_agree(one: WrittenNumber, other: WrittenNumber) -> bool:
    if is_same_number(one, other):
        return True
    size = max(_compute_last_place(one), _compute_last_place(other))
    return abs(_compute_value(one) - _compute_value(other)) < size


def _compute_value(number: WrittenNumber) -> Fraction:
    return number.value / 100 if number.percent else number.value


def _compute_last_place(number: WrittenNumber) -> Fraction:
    """What the last place of a decimal is worth; nothing for a number that is exact."""
    if number.places is None or number.places == 0:
        return Fraction(0)
    return Fraction(1, 10**number.places) / (100 if number.percent else 1)


def _can_meet(one: tuple[str, list[complex]], other: tuple[str, list[complex]]) -> bool:
    room = max(
        _compute_rounding_margin(one[0], other[0]), _compute_rounding_margin(other[0], one[0])
    )
    return any(_is_close(left, right, room) for left in one[1] for right in other[1])


def _is_close(one: complex, other: complex, room: float) -> bool:
    if one == other or not (cmath.isfinite(one) and cmath.isfinite(other)):
        return one == other
    return abs(one - other) < max(room, 1e-12, 1e-6 * max(abs(one), abs(other)))


def _compute_rounding_margin(part: str, other: str) -> float:
    """By how much a decimal may be rounded, or a whole number that stands for decimals."""
    if match := _DECIMAL.fullmatch(part.replace(" ", "")):
        return 10.0 ** -len(match[1])
    return 0.5 if "." in other and _WHOLE.fullmatch(part) else 0.0
