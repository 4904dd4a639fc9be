r"""Numbers with units, as SciBench judges them: by relative tolerance, in the unit asked for."""

from __future__ import annotations

import math
import re

from masa_rewards import Verdict
from masa_rewards.verify.extraction import Extraction, find_answer

from masa_openrlhf.eval.graders import strip_thinking
from masa_openrlhf.eval.question import Question

RELATIVE_TOLERANCE = 0.05
"""SciBench's: ``math.isclose(answer, gold, rel_tol=0.05)``."""

_POWER = re.compile(r"10\s*(?:\^|\*\*)\s*(?:\{\s*([+-]?\d+)\s*\}|([+-]?\d+))")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_PLAIN = r"(\d+(?:\.\d*)?|\.\d+)"
_FRACTION = re.compile(rf"([+-]?)\\[dt]?frac\s*\{{\s*{_PLAIN}\s*\}}\s*\{{\s*{_PLAIN}\s*\}}")
_POWER_STARTS = ("^", "**", *"⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
"""What begins a power."""
_LARGEST_EXPONENT = 300


class NumberGrader:
    """Judges the stated number.

    Args:
        extraction: what states an answer.
    """

    def __init__(self, extraction: Extraction = "boxed") -> None:
        self._extraction = extraction

    def grade(self, question: Question, text: str) -> Verdict:
        """Judge one answer; one that is no single number is unparsable."""
        stated = find_answer(strip_thinking(text), self._extraction)
        if stated is None:
            return Verdict(status="unparsable", answer=None, detail="no answer is stated")
        value = read_number(stated)
        if value is None:
            return Verdict(status="unparsable", answer=stated, detail="not a single number")
        right = math.isclose(value, float(question.gold), rel_tol=RELATIVE_TOLERANCE)
        return Verdict(
            status="correct" if right else "incorrect", answer=stated, detail=f"read as {value:g}"
        )


def read_number(stated: str) -> float | None:
    r"""Read one number: 2.5, -3/4, \frac{3}{4}, 2.57 \times 10^{11}, 1.2e-5, each with a unit.

    Args:
        stated: what is in the box. What stands behind the number counts as its unit.

    Returns:
        Its value; None where there is none, several, or one that is not finite. The value of
        "x = 3" is 3, as SciBench reads it.
    """
    bare = _strip_layout(stated.rpartition("=")[2])
    if fraction := _FRACTION.match(bare):
        if float(fraction[3]) == 0:
            return None
        value = float(fraction[2]) / float(fraction[3]) * (-1 if fraction[1] == "-" else 1)
        rest = bare[fraction.end() :]
    elif power := _POWER.match(bare.lstrip("+-")):
        sign = -1.0 if bare.startswith("-") else 1.0
        return _scale_by_power(sign, power, bare.lstrip("+-")[power.end() :])
    elif number := _NUMBER.match(bare):
        value, rest = float(number[0]), bare[number.end() :].lstrip()
        if over := re.match(r"/\s*(\d+(?:\.\d+)?)", rest):
            if float(over[1]) == 0:
                return None
            value, rest = value / float(over[1]), rest[over.end() :]
    else:
        return None
    times = re.match(r"\s*(?:\\times|\\cdot|\*|×|x(?=\s*10))\s*", rest)
    if times and (power := _POWER.match(rest, times.end())):
        return _scale_by_power(value, power, rest[power.end() :])
    return _reject_second_number(value, rest)


def _scale_by_power(value: float, power: re.Match[str], rest: str) -> float | None:
    digits = (power[1] or power[2]).lstrip("+-0") or "0"
    if len(digits) > 3 or int(digits) > _LARGEST_EXPONENT:  # of very many, int makes nothing
        return None
    exponent = int(digits) * (-1 if (power[1] or power[2]).startswith("-") else 1)
    return _reject_second_number(value * 10.0**exponent, rest)


def _reject_second_number(value: float, rest: str) -> float | None:
    """Refuse a second number behind the first, or a power of it; a unit may have exponents."""
    if rest.lstrip().startswith(_POWER_STARTS):
        return None
    unit = re.sub(r"\^\s*(?:\{[^{}]*\}|[+-]?\d+)", "", rest)
    several = re.search(r"(?<![A-Za-z_{])\d", unit)
    return value if math.isfinite(value) and not several else None


def _strip_layout(text: str) -> str:
    r"""Take off layout: dollar signs, \, and \left, commas between thousands, \approx."""
    bare = re.sub(r"\$|\\[,;!: ]|\\left|\\right|\\approx|~|≈", " ", text)
    bare = bare.replace("−", "-").replace("{,}", ",")
    bare = re.sub(r"(?<=\d),\s?(?=\d{3}(?!\d))", "", bare)
    return re.sub(r"^([+-])\s+(?=[\d.\\])", r"\1", bare.strip())
