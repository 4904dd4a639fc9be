r"""Units behind an answer: "5 km", `5\text{ cm}^2`, `30\,\mathrm{m/s}`, "5 dollars"."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from masa_rewards.verify.equality.normal_form import tidy_answer
from masa_rewards.verify.equality.unit_table import Unit, find_unit
from masa_rewards.verify.equality.value_tails import Tail, split_tail

_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_RAISED = {"squared": 2, "cubed": 3}
_TOKEN = re.compile(r"\s*(?:([A-Za-zµμΩ°]+)\.?|(/)|\^\s*\{?\s*(-?\d)\s*\}?|([()·*\-.])|(²)|(³))")
_CELSIUS = re.compile(r"\bdeg(?:rees?|s)?\.?\s*(?:(c(?:elsius)?)|(f(?:ahrenheit)?))\b", re.I)
_DEGREE_END = re.compile(r"(?:\^\s*\{?\s*\\circ\s*\}?|°|\\degree)\s*$")
# Letters that no style marks off could be variables: then only these names are units.
_SHORT = frozenset(
    re.findall(
        "[A-Za-z]+",
        "mm cm km in ft yd mi mg kg lb lbs oz ml min mins hr hrs sec secs mph kph Pa Hz day deg",
    )
)
_LETTERS = frozenset("mgslhLNJW")
"""The units of one letter that are split off: of the others, some are names of what is sought."""
_DEGREE_LETTER = re.compile(
    r"(?:\^\s*\{?\s*\\circ\s*\}?|°|\\degree)(?:\s|\\[,;:! ])*"
    r"(?:\\(?:text|math)[a-z]*\s*\{\s*)?([CF])\s*\}?$"
)
_MARKS = (
    (_DEGREE_END, "deg"),
    (re.compile(r"(?:\\?%|percent)\s*\}?$", re.IGNORECASE), "percent"),
    (re.compile(r"^\s*[-+]?\s*(?:\\text\s*\{\s*)?\\\$"), "dollar"),
    (re.compile(r"^\s*[-+]?\s*(?:€|\\euro)"), "euro"),
)
_SIGN = re.compile(r"\\circ|°|%|percent|\\degree|\\\$|€|\\euro")
_LETTER = re.compile(r"(?<=\d) (?P<name>[A-Za-z])$")


class Quantity(NamedTuple):
    """An answer without its unit, and the unit: "cm^2"; None when there is none that is known."""

    value: str
    unit: str | None


class _ReadQuantity(NamedTuple):
    """The unit at the end of a text, and whether it may be split off, as no variable can be it."""

    value: str
    unit: Unit
    certain: bool


def split_unit(text: str) -> Quantity:
    r"""Split a unit off.

    Args:
        text: An answer, after `tidy`.

    Returns:
        The value and the unit; the text as it was, and None, when no known unit ends it, or
        nothing stands in front of one.
    """
    found = _read_quantity(text)
    return (
        Quantity(found.value, found.unit.symbol)
        if found and found.certain
        else Quantity(text, None)
    )


def has_different_units(answer: str, gold: str) -> bool:
    r"""Whether both state a known unit, and not the same: "5 m" and "5 km".

    The signs of degrees, percent and dollars are units too: `\$6` is not "6 cents". Two names of
    one size are one unit: "mL" and "cm^3". Values are not converted.

    Args:
        answer: The stated answer, in LaTeX, as it was found.
        gold: The right one.
    """
    one, other = find_stated_unit(answer), find_stated_unit(gold)
    if one is None and other is None:
        return False
    one, other = one or _read_letter_unit(answer), other or _read_letter_unit(gold)
    return one is not None and other is not None and one[1:] != other[1:]


def has_different_marks(answer: str, gold: str) -> bool:
    r"""Whether both have a sign behind or before their figures, and not the same: 60 % is no angle.

    Only this has to be looked at where the figures themselves are the same.
    """
    return bool(_SIGN.search(answer) and _SIGN.search(gold)) and has_different_units(answer, gold)


def find_stated_unit(text: str) -> Unit | None:
    """The unit that an answer states, by word or by sign, if it is known."""
    tidied = tidy_answer(text)
    found = _read_quantity(tidied)
    if found:
        return found.unit
    plain = text.strip().rstrip(".,; $")
    for pattern, name in _MARKS:
        if pattern.search(plain):
            return find_unit(name)
    return None


def _read_quantity(text: str) -> _ReadQuantity | None:
    if match := _DEGREE_LETTER.search(text):
        return _ReadQuantity(
            text[: match.start()].strip(), _find_degree_unit(match[1]), certain=True
        )
    tail = split_tail(text)
    if tail is None or (not tail.styled and len(tail.words.strip()) == 1):
        return None
    unit = _read_unit(" ".join(tail.words.split()))
    return _ReadQuantity(tail.value, unit, _is_certain(tail)) if unit else None


def _is_certain(tail: Tail) -> bool:
    names = re.findall(r"[A-Za-zµμΩ]+", tail.words)
    if tail.styled:
        return len(names) > 1 or names[0] in _LETTERS or len(names[0]) > 1
    return all(name in _SHORT or len(name) >= 4 or _is_spaced_symbol(name, tail) for name in names)


def _is_spaced_symbol(name: str, tail: Tail) -> bool:
    return tail.spaced and len(name) > 1 and not name.islower()


def _find_degree_unit(letter: str) -> Unit:
    return find_unit(f"deg{letter}")  # type: ignore[return-value]


@lru_cache(maxsize=4096)
def _read_unit(words: str) -> Unit | None:
    """Read "cm^2", "square centimeters", "kg m/s^2", "miles per hour"; None for other words."""
    if not words or len(words) > 60:
        return None
    words = _CELSIUS.sub(lambda match: "degC" if match[1] else "degF", words)
    words = re.sub(r"^°\s*([CF])$", r"deg\1", re.sub(r"\bper\b", "/", words))
    factors: list[tuple[Unit, int]] = []
    sign, power, position = 1, 1, 0
    while position < len(words):
        token = _TOKEN.match(words, position)
        if token is None:
            return None
        position = token.end()
        name, slash, exponent, _, squared, cubed = token.groups()
        raised = 2 if squared else 3 if cubed else int(exponent or 0) or _RAISED.get(name or "", 0)
        if slash:
            sign = -1
        elif raised and factors:
            factors[-1] = (factors[-1][0], factors[-1][1] * raised)
        elif name and name.lower() in _POWERS:
            power = _POWERS[name.lower()]
        elif name:
            unit = find_unit(name)
            if unit is None:
                return None
            factors.append((unit, sign * power))
            power = 1
    return _multiply_units(factors) if factors and power == 1 else None


def _multiply_units(factors: list[tuple[Unit, int]]) -> Unit:
    size = Fraction(1)
    powers: dict[str, int] = {}
    for unit, exponent in factors:
        size *= unit.size**exponent
        for base, power in unit.powers:
            powers[base] = powers.get(base, 0) + power * exponent
    left = tuple(sorted((base, power) for base, power in powers.items() if power))
    return Unit(_spell_unit(factors), size, left)


def _spell_unit(factors: list[tuple[Unit, int]]) -> str:
    above = [_spell_power(unit.symbol, power) for unit, power in factors if power > 0]
    below = [_spell_power(unit.symbol, -power) for unit, power in factors if power < 0]
    spelled = " ".join(above) + "".join(f"/{part}" for part in below)
    return {"mi/h": "mph"}.get(spelled, spelled)


def _spell_power(symbol: str, power: int) -> str:
    return symbol if power == 1 else f"{symbol}^{power}"


def _read_letter_unit(text: str) -> Unit | None:
    match = _LETTER.search(tidy_answer(text))
    return find_unit(match["name"]) if match else None
