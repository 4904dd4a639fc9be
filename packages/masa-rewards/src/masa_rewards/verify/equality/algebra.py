r"""Compares two answers by computer algebra: in a worker only, for it may hang or eat memory."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

from masa_rewards.verify.braces import match_braces
from masa_rewards.verify.equality.chains import is_contradiction
from masa_rewards.verify.equality.pieces import compare_pieces
from masa_rewards.verify.equality.solution_sets import compare_described
from masa_rewards.verify.verdict import Status

ORDERED = "\\ordered"
r"""Several parts that are compared one by one: `\ordered{1}{x}` with `\ordered{2}{y}`."""

_IMAGINARY = re.compile(r"(?<![A-Za-z\\])i(?![A-Za-z])")
_CLOSE = 1e-9  # two constants that differ by more of their size are not one


def compare_by_algebra(answer: str, gold: str) -> Status:
    """Return "correct", "incorrect", or "unparsable" when the answer cannot be read."""
    if answer.startswith(ORDERED) and gold.startswith(ORDERED):
        pairs = zip(_split_ordered(answer), _split_ordered(gold), strict=True)
        found = {compare_by_algebra(*pair) for pair in pairs}
        return next(one for one in ("unparsable", "incorrect", "correct") if one in found)
    decided = compare_pieces(answer, gold, _is_correct)
    if decided is None:
        decided = compare_described(answer, gold, _parse_answer)
    if decided is not None:
        return "correct" if decided else "incorrect"
    return _compare_read(answer, gold)


def join_ordered(parts: list[str]) -> str:
    """Write parts for a comparison one by one."""
    return ORDERED + "".join(f"{{{part}}}" for part in parts)


def _split_ordered(text: str) -> list[str]:
    ends = match_braces(text)
    parts, start = [], len(ORDERED)
    while start in ends:
        parts.append(text[start + 1 : ends[start]])
        start = ends[start] + 1
    return parts


def _is_correct(answer: str, gold: str) -> bool:
    return answer == gold or compare_by_algebra(answer, gold) == "correct"


def _compare_read(answer: str, gold: str) -> Status:
    # A second to import: only here, never in the parent.
    from math_verify import verify

    stated = _parse_answer(answer)
    if not stated:
        return "unparsable"
    if is_contradiction(answer, _evaluate_constant):
        return "incorrect"
    wanted = _parse_answer(gold)
    stated, wanted = _replace_truisms(stated), _replace_truisms(wanted)
    if _has_idle_relation(stated) or _has_idle_relation(wanted):
        return "incorrect"
    if _IMAGINARY.search(answer + " " + gold):
        stated, wanted = _read_imaginary(stated), _read_imaginary(wanted)
    places = _count_places(wanted)
    if wanted and verify(wanted, stated, float_rounding=places, timeout_seconds=None):
        return "incorrect" if _differ_in_size(stated, wanted) else "correct"
    return "incorrect"


def _parse_answer(text: str) -> list[Any]:
    from math_verify import parse

    # No plain expressions: of "2007 + what cannot be read 2" they would take the last number.
    # The timeouts are ours: its own need the main thread, and cannot stop C code.
    boxed = f"\\boxed{{{text}}}"
    config = [_make_reader_config()]
    return list(parse(boxed, config, fallback_mode="no_fallback", parsing_timeout=None))


@lru_cache(maxsize=1)
def _make_reader_config() -> Any:
    """Reads LaTeX; units are ours, for its own take the last letters of "3t" for one."""
    from latex2sympy2_extended import NormalizationConfig
    from math_verify import LatexExtractionConfig

    return LatexExtractionConfig(
        normalization_config=NormalizationConfig(
            basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="all"
        )
    )


def _read_imaginary(read: list[Any]) -> list[Any]:
    """Take a letter i for the imaginary unit."""
    from sympy import Basic, I

    return [
        one.subs({letter: I for letter in one.free_symbols if str(letter) == "i"}).doit()
        if isinstance(one, Basic)
        else one
        for one in read
    ]


def _differ_in_size(stated: list[Any], wanted: list[Any]) -> bool:
    """Whether two exact constants differ, by too little for math-verify: 10^{-20} and 10^{-21}."""
    from sympy import Expr, Float

    for one, other in zip(stated, wanted, strict=False):
        if not (isinstance(one, Expr) and isinstance(other, Expr)):
            continue
        if not (one.is_number and other.is_number) or one.has(Float) or other.has(Float):
            continue
        left, right = one.evalf(17), other.evalf(17)
        if left.is_Float and right.is_Float and max(abs(left), abs(right)) < _CLOSE:
            return bool(abs(left - right) > _CLOSE * max(abs(left), abs(right)))
    return False


def _evaluate_constant(text: str) -> complex | None:
    """The value of a constant; None of what cannot be read, or is none."""
    from sympy import Expr

    for one in _parse_answer(text):
        if isinstance(one, Expr) and not one.free_symbols:
            try:
                return complex(one.evalf(17))
            except OverflowError:  # larger than any float
                return complex(math.inf)
            except (TypeError, ValueError, ArithmeticError):
                return None
    return None


def _replace_truisms(read: list[Any]) -> list[Any]:
    """Replace an equation that is always true (6 = 6, x = x) by its right side, the answer."""
    from sympy import Equality

    return [one.rhs if isinstance(one, Equality) and _is_idle(one) else one for one in read]


def _has_idle_relation(read: list[Any]) -> bool:
    """Whether it is a relation whose truth depends on no letter: 1 < 2 is not 3 < 4."""
    from sympy.core.relational import Relational

    return any(isinstance(one, Relational) and _is_idle(one) for one in read)


def _is_idle(relation: Any) -> bool:
    left, right = relation.lhs, relation.rhs
    return bool(left == right or not (left.free_symbols | right.free_symbols))


def _count_places(wanted: list[Any]) -> int:
    """Places behind the point that must agree: six, and more for a number close to 0."""
    from sympy import Expr

    number = next((one for one in wanted if isinstance(one, Expr) and one.is_number), None)
    if number is None:
        return 6
    size = abs(number.evalf(3))
    if size == 0:
        return 15
    if not size.is_Float or size >= 1:
        return 6
    _, _, exponent, bits = size._mpf_  # a float would not hold all of them
    return 6 - math.floor(int(exponent + bits) * math.log10(2))
