r"""Units behind an answer: "5 km", `5\text{ cm}^2`, `30\,\mathrm{m/s}`, "5 dollars"."""

from __future__ import annotations

import re
from typing import NamedTuple

# One line a unit: its names, the first of which it goes by. All else behind a number is left to
# computer algebra, which passes over text.
_NAMES = """
mm millimeter millimeters millimetre millimetres
cm centimeter centimeters centimetre centimetres
m meter meters metre metres
km kilometer kilometers kilometre kilometres
in inch inches
ft foot feet
yd yard yards
mi mile miles
mg milligram milligrams
g gram grams
kg kilogram kilograms
lb lbs pound pounds
oz ounce ounces
ml milliliter milliliters millilitre millilitres
l liter liters litre litres
s sec secs second seconds
min mins minute minutes
h hr hrs hour hours
day days
week weeks
month months
year years
cent cents
dollar dollars
euro euros
mph
N newton newtons
J joule joules
W watt watts
Pa pascal pascals
Hz hertz
"""
_CANONICAL = {
    name: names.split()[0] for names in _NAMES.strip().splitlines() for name in names.split()
}
_POWERS = {"square": "^2", "sq": "^2", "cubic": "^3"}

_STYLE = r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|mbox|mathrm|operatorname)"
_POWER = r"(?:\s*\^\s*\{?(?P<power>[23])\}?)?"
_STYLED = re.compile(
    rf"(?:\\[,;: !]|~|\s)*{_STYLE}\s*\{{(?P<name>(?:[^{{}}\\]|\^\{{[23]\}})+)\}}{_POWER}\s*\.?$"
)
_ALL_STYLED = re.compile(rf"{_STYLE}\s*\{{(\d[^{{}}\\]*)\}}")
# Letters that no style marks off could be variables: then only a name of two or more is a unit.
_PLAIN = re.compile(rf"(?<=[\d}})])\s*(?:\\[,;: ]|~)?\s*(?P<name>[A-Za-z]{{2,}}){_POWER}$")
_LETTER = re.compile(r"(?<=\d) (?P<name>[A-Za-z])$")
_LONGEST = 60


class Quantity(NamedTuple):
    """An answer without its unit, and the unit: "cm^2"; None when there is none that is known."""

    value: str
    unit: str | None


def split_unit(text: str) -> Quantity:
    r"""Split a unit off.

    Args:
        text: An answer, after `tidy`.

    Returns:
        The value and the unit; the text as it was, and None, when no known unit ends it, or
        nothing stands in front of one.
    """
    plain = _ALL_STYLED.sub(r"\1", text) if _ALL_STYLED.fullmatch(text) else text
    found = _split(plain)
    return found if found.unit else Quantity(text, None)


def _split(text: str) -> Quantity:
    start = max(0, len(text) - _LONGEST)
    match = _STYLED.search(text, start) or _PLAIN.search(text, start)
    value = text[: match.start()].strip() if match else ""
    unit = _unit(match["name"], match["power"]) if match else None
    if not value or unit is None:
        return Quantity(text, None)
    return Quantity(value, unit)


def other_units(answer: str, gold: str) -> bool:
    """Whether both state a known unit, and not the same. "5 m" does, beside "5 km"."""
    units = [split_unit(text).unit for text in (answer, gold)]
    if any(units):
        letters = [_LETTER.search(text) for text in (answer, gold)]
        units = [
            unit or (_one(letter["name"]) if letter else None)
            for unit, letter in zip(units, letters, strict=True)
        ]
    return None not in units and units[0] != units[1]


def _unit(name: str, power: str | None) -> str | None:
    """Return "cm^2" for "square centimeters", "sq cm" and "cm" to the power 2; None for others."""
    words = name.strip(" .").split()
    raised = _POWERS.get(words[0].lower(), "") if words else ""
    if raised:
        words = words[1:]
    base = " ".join(words)
    found = re.fullmatch(r"(.+?)\^\{?([23])\}?", base)
    if found:
        base, raised = found[1], f"^{found[2]}"
    parts = [_one(part) for part in re.split(r"\s*/\s*|\s+per\s+", base)]
    if None in parts or not 1 <= len(parts) <= 2:
        return None
    unit = "/".join(part for part in parts if part)
    return f"{_ALIASES.get(unit, unit)}{raised or (f'^{power}' if power else '')}"


def _one(name: str) -> str | None:
    return _CANONICAL.get(name) or _CANONICAL.get(name.lower())


_ALIASES = {"mi/h": "mph"}
