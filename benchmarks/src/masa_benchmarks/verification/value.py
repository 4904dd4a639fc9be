r"""Whether two targets have one value, by means that share nothing with the verifier.

A small recursive-descent reader turns a target into complex numbers: each letter stands for a fixed
random number, i for the imaginary unit, a number with a subscript is read in that base. Lists and
brackets keep their shape. What it cannot read (words, relations, matrices), and what is a matter of
convention (a list beside a pair, a percent sign on one side only), is left undecided.
"""

from __future__ import annotations

import cmath
import enum
import math
import random
import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+\.?\d*|\.\d+|\\[A-Za-z]+|\\.|[^\s]", re.DOTALL
)
_WORDS = re.compile(r"\\(?:text(?:bf|it|rm|normal)?|mbox|mathrm)\s*\{[^{}]*\}(?:\^\{?\d\}?)?")
_IDLE = re.compile(r"\\(?:left|right|displaystyle)(?![A-Za-z])|\\[!,;: $]|\$|\^\{?\\circ\}?|\\%|%")
_NAMED = re.compile(r"^[A-Za-z](?:\([a-z]\))?\s*=(?!.*=)")
_BASED = re.compile(r"([0-9A-Z]+)_\{?(\d{1,2})\}?")
_FUNCTIONS = {"\\sin": cmath.sin, "\\cos": cmath.cos, "\\tan": cmath.tan, "\\ln": cmath.log}
_PAIRS = {"(": ")]", "[": ")]", "\\{": ("\\}",)}
_ENDS = {")", "]", "}", "\\}", ",", "+", "-"}


class SameValue(enum.Enum):
    """Whether two targets have one value."""

    YES = "same"
    NO = "different"
    UNDECIDED = "undecided"


class TargetValue(NamedTuple):
    """Numbers, and the shape they stand in: "" for one, "," for a list, "()" and so on."""

    shape: str
    numbers: tuple[complex, ...]


class UnparsableTargetError(Exception):
    """Not a target that this reader knows."""


def compare_targets(one: str, other: str) -> SameValue:
    """Compare two targets in value. "81,256" is a number and a list: both must differ."""
    if ("%" in one) != ("%" in other):
        return SameValue.UNDECIDED
    found = {
        _compare_readings(left, right)
        for left in _list_readings(one)
        for right in _list_readings(other)
    }
    return found.pop() if len(found) == 1 else SameValue.UNDECIDED


def _list_readings(target: str) -> set[str]:
    return {target, target.replace(",", " , ")}


def _compare_readings(one: str, other: str) -> SameValue:
    left, right = read_target(one), read_target(other)
    if left is None or right is None:
        return SameValue.UNDECIDED
    if not _is_close(sorted(left.numbers, key=_sort_key), sorted(right.numbers, key=_sort_key)):
        return SameValue.NO
    if left.shape == right.shape and _is_close(left.numbers, right.numbers):
        return SameValue.YES
    loose = {"", ",", "\\{\\}"} & {left.shape, right.shape}
    return SameValue.UNDECIDED if loose else SameValue.NO


def read_target(target: str) -> TargetValue | None:
    """Read a target; None if it cannot be."""
    if based := _BASED.fullmatch(target.replace(" ", "")):
        return _read_based(*based.groups())
    text = _NAMED.sub("", _IDLE.sub(" ", _WORDS.sub(" ", target)).strip())
    try:
        value = _Reader(_TOKEN.findall(text)).whole()
    except (UnparsableTargetError, ArithmeticError, ValueError):
        return None
    return value if all(map(cmath.isfinite, value.numbers)) else None


def _read_based(digits: str, base: str) -> TargetValue | None:
    try:
        return TargetValue("", (complex(int(digits, int(base))),))
    except ValueError:
        return None


def _sort_key(number: complex) -> tuple[float, float]:
    return round(number.real, 9), round(number.imag, 9)


def _is_close(left: tuple | list, right: tuple | list) -> bool:
    return len(left) == len(right) and all(
        cmath.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
        for one, other in zip(left, right, strict=True)
    )


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def whole(self) -> TargetValue:
        value = self._list()
        if self._at < len(self._tokens) or not value.numbers:
            raise UnparsableTargetError
        return value

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, wanted: str) -> None:
        if self._next() != wanted:
            raise UnparsableTargetError

    def _list(self) -> TargetValue:
        items = [self._item()]
        while self._peek() == ",":
            self._next()
            items.append(self._item())
        if len(items) == 1:
            return items[0]
        shapes = {item.shape for item in items}
        numbers = tuple(number for item in items for number in item.numbers)
        return TargetValue("," + "".join(sorted(shapes)), numbers)

    def _item(self) -> TargetValue:
        """An expression, or a list in brackets that is all of it."""
        start, opened = self._at, self._peek()
        if opened in _PAIRS:
            self._next()
            inner = self._list()
            closed = self._next()
            alone = self._peek() in ("", ",", ")", "]", "\\}")
            if closed in _PAIRS[opened] and inner.shape and alone:
                return TargetValue(opened + closed + inner.shape[1:], inner.numbers)
            self._at = start
        return TargetValue("", (self._sum(),))

    def _sum(self) -> complex:
        total, sign = 0j, 1
        if self._peek() in ("+", "-"):
            sign = -1 if self._next() == "-" else 1
        total += sign * self._product()
        while self._peek() in ("+", "-"):
            sign = -1 if self._next() == "-" else 1
            total += sign * self._product()
        return total

    def _product(self) -> complex:
        total = self._power()
        while (token := self._peek()) and token not in _ENDS:
            if token in ("/", "\\div"):
                self._next()
                total /= self._power()
                continue
            if token in ("\\cdot", "\\times", "*"):
                self._next()
            total *= self._power()
        return total

    def _power(self) -> complex:
        is_number = self._peek()[:1].isdigit()
        base = self._atom()
        if is_number and self._peek() in ("\\frac", "\\dfrac", "\\tfrac"):
            base += self._atom()  # a mixed number
        while self._peek() in ("^", "!"):
            if self._next() == "^":
                base = base ** self._argument()
            else:
                base = complex(math.factorial(int(base.real)))
        return base

    def _argument(self) -> complex:
        token = self._peek()
        if token == "{":
            self._next()
            value = self._sum()
            self._expect("}")
            return value
        if len(token) > 1 and token.isdigit():  # \frac12 is \frac{1}{2}
            self._tokens[self._at] = token[1:]
            return complex(token[0])
        return self._atom()

    def _atom(self) -> complex:
        token = self._next()
        if re.fullmatch(r"[\d.,]*\d[\d.,]*", token):
            return complex(float(token.replace(",", "")))
        if token in ("(", "{", "["):
            value = self._sum()
            self._expect({"(": ")", "{": "}", "[": "]"}[token])
            return value
        if token in ("\\frac", "\\dfrac", "\\tfrac"):
            above = self._argument()
            return above / self._argument()
        if token == "\\sqrt":
            return self._root()
        if token in _FUNCTIONS:
            return _FUNCTIONS[token](self._power())
        return _read_constant(token)

    def _root(self) -> complex:
        degree = 2 + 0j
        if self._peek() == "[":
            self._next()
            degree = self._sum()
            self._expect("]")
        return self._argument() ** (1 / degree)


def _read_constant(token: str) -> complex:
    if token == "\\pi":
        return complex(math.pi)
    if token == "i":
        return 1j
    if re.fullmatch(r"[A-Za-z]|\\(?:alpha|beta|theta|omega|lambda)", token):
        draw = random.Random(token)
        return complex(draw.uniform(0.5, 2.0))
    raise UnparsableTargetError
