r"""Sets of numbers that inequalities describe: `x<1` or `x>2` is `(-\infty,1)\cup(2,\infty)`.

In a worker only: it reads by computer algebra.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from masa_rewards.verify.parts import split_list

Reader = Callable[[str], list[Any]]
"""Reads LaTeX as objects of sympy; none where it cannot."""

_RELATION = re.compile(r"[<>]|\\(?:leq?|geq?|neq?|lt|gt)(?![A-Za-z])")
_BUILDER = re.compile(
    r"^(?:[A-Za-z]\s*\\in\s*)?\\\{\s*(?P<name>[A-Za-z])\s*(?:\\in\s*\\(?:mathbb|mathbf)\s*\{?\s*R\s*\}?\s*)?"
    r"(?:\\(?:mid|vert|middle\s*\|)(?![A-Za-z])|[|:])\s*(?P<condition>.+)\\\}$",
    re.DOTALL,
)
_MEMBER = re.compile(r"^\s*(?P<name>[A-Za-z])\s*\\in(?![A-Za-z])\s*")
_REALS = re.compile(
    r"(?:^|,\s*|\\(?:land|wedge)\s*)[A-Za-z]\s*\\in\s*\\mathbb\s*\{?\s*R\s*\}?\s*(?:,|$)"
)
_DELIMITER = re.compile(r"\\(?:left|right|middle|[bB]ig{1,2}[lrm]?)(?![A-Za-z])\s*(?!\.)")
_SET_SIGN = re.compile(r"\\(?:cup|cap|setminus|infty|mathbb|emptyset)(?![A-Za-z])")
_CERTAIN = re.compile(r"\\(?:cup|infty|setminus)(?![A-Za-z])|^\s*(?:\[.*[)\]]|\([^)]*\])\s*$")
_MOST_PARTS = 8


class _Described(NamedTuple):
    """A set of numbers; the letter it is of, "" where that has no meaning; and how it was told."""

    numbers: Any
    letter: str
    by: str


def compare_described(answer: str, gold: str, read: Reader) -> bool | None:
    """Compare two sets of numbers, at least one of which is told by inequalities.

    Args:
        answer: The stated answer.
        gold: The right one.
        read: Reads LaTeX.

    Returns:
        Whether they are one set; None where one of them cannot be read as a set, and for a target
        like (1, 2) beside inequalities, which may be a point.
    """
    if not _RELATION.search(answer + gold):
        return None
    stated, wanted = _describe_set(answer, read), _describe_set(gold, read)
    if stated is None or wanted is None or stated.by == wanted.by == "brackets":
        return None
    if wanted.by == "brackets" and stated.by != "builder" and not _CERTAIN.search(gold):
        return None
    if stated.letter and wanted.letter and stated.letter != wanted.letter:
        return False
    return _is_same_set(stated.numbers, wanted.numbers)


def _is_same_set(one: Any, other: Any) -> bool:
    if one == other:
        return True
    difference = one.symmetric_difference(other)
    return bool(difference.is_empty) if difference.is_empty is not None else False


def _describe_set(text: str, read: Reader) -> _Described | None:
    text = _DELIMITER.sub("", text).strip()
    if match := _BUILDER.match(text):
        found = _read_condition(match["condition"], read)
        return found and found._replace(letter="", by="builder")
    if _RELATION.search(text):
        return _read_condition(text, read)
    if member := _MEMBER.match(text):
        text = text[member.end() :]
    return _read_brackets(text, member["name"] if member else "", read)


def _read_brackets(text: str, letter: str, read: Reader) -> _Described | None:
    from sympy import FiniteSet, Set

    if not text.startswith(("(", "[", "\\{")) and not _SET_SIGN.search(text):
        return None
    for one in read(text):
        if isinstance(one, Set) and not isinstance(one, FiniteSet):
            return _Described(one, letter, "brackets")
    return None


def _read_condition(text: str, read: Reader) -> _Described | None:
    """Inequalities: "or" joins, "and" cuts, a comma is either."""
    from sympy import Intersection, Union

    split = split_list(_REALS.sub("", text), wide=True)
    if len(split.parts) > _MOST_PARTS:
        return None
    found = [_read_relation(part, read) for part in split.parts]
    if any(one is None for one in found) or len({one.letter for one in found if one}) != 1:
        return None
    sets = [one.numbers for one in found if one]
    kinds = set(split.separators)
    joined = Union(*sets) if "or" in kinds else Intersection(*sets)
    if "or" in kinds and "and" in kinds:
        return None
    if not kinds & {"or", "and"} and joined.is_empty:
        joined = Union(*sets)
    return _Described(joined, found[0].letter if found[0] else "", "relations")


def _read_relation(text: str, read: Reader) -> _Described | None:
    """A letter between constants: 2 < x <= 5, x > 1, x != 3. Nothing that is to be solved."""
    from latex2sympy2_extended.logic import And
    from sympy import Intersection
    from sympy.core.relational import Relational

    if member := _MEMBER.match(text):
        return _read_brackets(text[member.end() :], member["name"], read)
    for one in read(text):
        parts = list(getattr(one, "_unsorted_args", one.args)) if isinstance(one, And) else [one]
        if not all(isinstance(part, Relational) for part in parts):
            return None
        found = [_solve_simple(part) for part in parts]
        letters = {letter for pair in found if pair for letter in [str(pair[0])]}
        if None in found or len(letters) != 1:
            return None
        return _Described(Intersection(*(pair[1] for pair in found if pair)), letters.pop(), "r")
    return None


def _solve_simple(relation: Any) -> tuple[Any, Any] | None:
    from sympy import FiniteSet, Interval, S, Symbol, oo

    left, right, sign = relation.lhs, relation.rhs, relation.rel_op
    if not isinstance(left, Symbol):
        left, right = right, left
        sign = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(sign, sign)
    right = right.doit()
    if not isinstance(left, Symbol) or right.free_symbols or not right.is_extended_real:
        return None
    ends = {
        "==": lambda: FiniteSet(right),
        "<": lambda: Interval.open(-oo, right),
        "<=": lambda: Interval(-oo, right),
        ">": lambda: Interval.open(right, oo),
        ">=": lambda: Interval(right, oo),
        "!=": lambda: Interval.open(-oo, right) + Interval.open(right, oo),
    }
    return (left, ends[sign]()) if sign in ends and S.NaN != right else None
