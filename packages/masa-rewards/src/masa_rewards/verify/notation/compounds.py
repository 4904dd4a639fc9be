r"""Quantities in two units: `3\text{ h }20\text{ min}` is 200 min, `60^\circ 30'` 60.5 degrees."""

from __future__ import annotations

import re
from fractions import Fraction

from masa_rewards.verify.equality.unit_table import Unit, find_unit

_SPACE = r"(?:\s|\\[,;: ]|~)*"
_PART = re.compile(
    rf"{_SPACE}(?P<value>\d{{1,15}}(?:\.\d{{1,15}})?){_SPACE}"
    r"(?:\\(?:text|mathrm|mbox)\s*\{(?P<styled>[A-Za-z\s]{1,20}),?\s*\}|(?P<plain>[A-Za-z]{1,10})\.?"
    r"|(?P<mark>\^\s*\{?\s*\\circ\s*\}?|°|''|'))"
)
_AND = re.compile(rf"{_SPACE}(?:and\s|\\text\s*\{{\s*and\s*\}})")
_ARC = {"": Fraction(1), "'": Fraction(1, 60), "''": Fraction(1, 3600)}
_LENGTH = {"'": "ft", "''": "in"}
_MOST = 4


def add_compounds(text: str) -> str:
    r"""Write a quantity in several units as one in the smallest of them.

    Examples:
        >>> add_compounds(r"3\text{ hours }20\text{ minutes}")
        '200\\text{ min}'

    Args:
        text: An answer. One that is anything else stays as it is.
    """
    parts: list[tuple[Fraction, str]] = []
    position = 0
    while position < len(text):
        gap = _AND.match(text, position) if parts else None
        part = _PART.match(text, gap.end() if gap else position)
        if part is None or len(parts) == _MOST:
            return text
        name = part["styled"] or part["plain"] or re.sub(r"[^']", "", part["mark"])
        parts.append((Fraction(part["value"]), re.sub(r"\s+and$", "", name.strip())))
        position = part.end()
    return _add_parts(parts) or text if len(parts) > 1 else text


def _add_parts(parts: list[tuple[Fraction, str]]) -> str | None:
    if all(name in _ARC for _, name in parts) and not parts[0][1]:
        sizes = [_ARC[name] for _, name in parts]
        total = _sum_descending([value for value, _ in parts], sizes)
        return None if total is None else f"{_write_value(total)}^\\circ"
    units = [find_unit(_LENGTH.get(name, name)) for _, name in parts]
    known: list[Unit] = [unit for unit in units if unit]
    if len(known) < len(units) or len({unit.powers for unit in known}) > 1:
        return None
    total = _sum_descending([value for value, _ in parts], [unit.size for unit in known])
    last = known[-1]
    return None if total is None else f"{_write_value(total / last.size)}\\text{{ {last.symbol}}}"


def _sum_descending(values: list[Fraction], sizes: list[Fraction]) -> Fraction | None:
    """The sum; None where a part is not less than one of the unit before it."""
    pairs = zip(sizes, values[1:], sizes[1:], strict=False)
    if any(value * size >= before for before, value, size in pairs):
        return None
    return sum((v * s for v, s in zip(values, sizes, strict=True)), Fraction(0))


def _write_value(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    if not 10**6 % value.denominator:
        return f"{float(value):.6f}".rstrip("0")
    return f"\\frac{{{value.numerator}}}{{{value.denominator}}}"
