r"""Compares two answers by computer algebra: in a worker only, for it may hang or eat memory."""

from __future__ import annotations

import math
from typing import Any

from masa_rewards.verify.equality.chains import is_contradiction


def compare_by_algebra(answer: str, gold: str) -> str:
    """Return "correct", "incorrect", or "unparsable" when the answer cannot be read."""
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
    places = _count_places(wanted)
    if wanted and verify(wanted, stated, float_rounding=places, timeout_seconds=None):
        return "correct"
    return "incorrect"


def _parse_answer(text: str) -> list[Any]:
    from math_verify import LatexExtractionConfig, parse

    # No plain expressions: of "2007 + what cannot be read 2" they would take the last number.
    latex = [LatexExtractionConfig()]
    # The timeouts are ours: its own need the main thread, and cannot stop C code.
    boxed = f"\\boxed{{{text}}}"
    return list(parse(boxed, latex, fallback_mode="no_fallback", parsing_timeout=None))


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
