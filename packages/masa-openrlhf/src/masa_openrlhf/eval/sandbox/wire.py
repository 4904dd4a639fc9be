"""How values travel between sandboxes: as plain data with their types, and never as objects.

What arrives is built from nothing but Python's own types. An object that pretends to be equal to
everything has no way to get across: it arrives as its plain value where its type is built on one,
else as an ``Opaque`` that is equal to nothing and has no truth.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

_MAX_PLAIN_INT = 2**53
MAX_DEPTH = 200


class WireError(ValueError):
    """What arrived is no value."""


class Opaque:
    """Stands for an object that stayed where it was made.

    It can be handed back to whoever made it, as an argument, and nothing else.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, handle: int, kind: str) -> None:
        self.handle, self.kind = handle, kind

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    def __bool__(self) -> bool:
        raise TypeError(f"an object of type {self.kind} has no truth here")


def to_wire(value: Any, keep: Callable[[Any], int] | None = None, depth: int = 0) -> Any:
    """Return a value as JSON can hold it.

    Args:
        value: what to send.
        keep: keeps an object that cannot be sent, and returns its handle; without it such an
            object is an error.
        depth: how deep it lies in another.

    Raises:
        WireError: an object that cannot be sent, and nobody to keep it.
    """
    if value is None or type(value) in (bool, str, float):
        return value
    if depth < MAX_DEPTH:
        for kind, tag, parts in _SENDERS:
            if isinstance(value, kind):
                return _encode_parts(tag, parts(value), keep, depth + 1)
        number = _encode_number(value)
        if number is not None:
            return number
    if isinstance(value, Opaque):
        return ["h", value.handle, ""]
    if keep is None:
        raise WireError(f"a {type(value).__name__} cannot be sent")
    return ["h", keep(value), type(value).__name__[:80]]


def _encode_parts(tag: str, parts: Any, keep: Callable[[Any], int] | None, depth: int) -> Any:
    if tag == "d":
        return [tag, [[to_wire(k, keep, depth), to_wire(v, keep, depth)] for k, v in parts]]
    return [tag, [to_wire(part, keep, depth) for part in parts]]


# By the methods of the types themselves, which a subclass cannot change.
_SENDERS: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (list, "l", lambda v: list.__iter__(v)),
    (tuple, "t", lambda v: tuple.__iter__(v)),
    (dict, "d", lambda v: list(dict.items(v))),
    (set, "s", lambda v: set.__iter__(v)),
    (frozenset, "f", lambda v: frozenset.__iter__(v)),
    (deque, "q", lambda v: deque.__iter__(v)),
    (range, "r", lambda v: (v.start, v.stop, v.step)),
)


def _encode_number(value: Any) -> Any:
    if isinstance(value, int):
        plain = int.__int__(value)
        return plain if -_MAX_PLAIN_INT < plain < _MAX_PLAIN_INT else ["i", hex(plain)]
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, complex):
        return ["c", [value.real, value.imag]]
    if isinstance(value, (bytes, bytearray)):
        return ["b" if isinstance(value, bytes) else "B", bytes(value).hex()]
    if isinstance(value, Fraction):
        return ["F", [hex(value.numerator), hex(value.denominator)]]
    if isinstance(value, Decimal):
        return ["D", str(value)]
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        return to_wire(value.item(), None, MAX_DEPTH - 1)
    return None


def from_wire(sent: Any) -> Any:
    """Return the value of what was sent.

    Raises:
        WireError: it is none: an unknown mark, an entry of a set that cannot be one, too deep.
    """
    try:
        return _decode_value(sent)
    except WireError:
        raise
    except (TypeError, ValueError, KeyError, IndexError, RecursionError, ArithmeticError) as error:
        raise WireError(f"no value: {type(error).__name__}") from None


def _decode_value(sent: Any) -> Any:
    if sent is None or type(sent) in (bool, str, int, float):
        return sent
    if not isinstance(sent, list) or len(sent) < 2 or sent[0] not in _READERS:
        raise WireError(f"no value: {str(sent)[:60]}")
    return _READERS[sent[0]](*sent[1:])


def _decode_all(parts: Any) -> list[Any]:
    if not isinstance(parts, list):
        raise WireError("parts of a value are a list")
    return [_decode_value(part) for part in parts]


_READERS: dict[str, Callable[..., Any]] = {
    "l": _decode_all,
    "t": lambda parts: tuple(_decode_all(parts)),
    "s": lambda parts: set(_decode_all(parts)),
    "f": lambda parts: frozenset(_decode_all(parts)),
    "q": lambda parts: deque(_decode_all(parts)),
    "d": lambda parts: {_decode_value(key): _decode_value(value) for key, value in parts},
    "r": lambda parts: range(*_decode_all(parts)),
    "i": lambda text: int(text, 16),
    "c": lambda parts: complex(*parts),
    "b": bytes.fromhex,
    "B": bytearray.fromhex,
    "F": lambda parts: Fraction(int(parts[0], 16), int(parts[1], 16)),
    "D": Decimal,
    "h": lambda handle, kind: Opaque(int(handle), str(kind)),
}


def read_called_name(line: bytes) -> str | None:
    """Return what the tests call, by the start of their line; None where it is another message.

    The rest of it is the program's affair: it is passed on and never read.
    """
    called = _CALL.match(line)
    return str(json.loads(called[1])) if called else None


_CALL = re.compile(rb'\{"call": ("(?:[^"\\]|\\.)*"), ')


def format_line(message: dict[str, Any]) -> bytes:
    """Return a message as a line."""
    return json.dumps(message).encode("ascii") + b"\n"


def parse_line(line: bytes) -> dict[str, Any]:
    """Return the message of a line.

    Raises:
        WireError: it is none.
    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise WireError(f"no message: {line[:60]!r}") from None
    if not isinstance(message, dict):
        raise WireError(f"no message: {line[:60]!r}")
    return message
