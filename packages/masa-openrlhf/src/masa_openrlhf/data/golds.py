"""The gold answer of a row: found in its column, and put as text."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from masa_rewards.verify.extraction import find_answer

from masa_openrlhf.data.forms import GoldPlace

MARK = "####"
"""What stands before the answer in GSM8K."""


class UnusableRow(Exception):  # noqa: N818  # a reason that is counted, not an error
    """A row is left out; the message is the reason, as it is counted."""


def read_gold(value: Any, place: GoldPlace) -> str:
    r"""Return the gold answer that a row's column holds.

    Args:
        value: what stands in the column: text, a number, or a list of them. Of several texts the
            first is taken, of several numbers all; a list of texts in JSON is a list.
        place: where in a text the gold is.

    Raises:
        UnusableRow: nothing stands there, or nothing that is an answer.
    """
    if isinstance(value, str):
        return _read_text(value, place)
    if isinstance(value, (list, tuple)):
        if len(value) > 1 and all(map(_is_number, value)):
            return ", ".join(map(_write_number, value))
        return read_gold(value[0] if value else None, place)
    if value is None:
        raise UnusableRow("no answer")
    if not _is_number(value):
        raise UnusableRow(f"an answer that is {_name_kind(value)}")
    return _write_number(value)


def _read_text(text: str, place: GoldPlace) -> str:
    if not text.strip():
        raise UnusableRow("no answer")
    if not text.isascii() and not is_unicode(text):
        raise UnusableRow("an answer that is no Unicode")
    if place == "boxed":
        found = find_answer(text, "boxed")
        if found is None:
            raise UnusableRow("no boxed answer in the solution")
        return found
    if place == "marked" and MARK in text:
        text = text.rpartition(MARK)[2]
        if not text.strip():
            raise UnusableRow(f"nothing behind {MARK}")
    elif place == "marked":
        text = find_answer(text, "boxed") or text
    return _unpack_list(text.strip())


def _unpack_list(text: str) -> str:
    """Return the text in a JSON list of one; others stay, since [1, 2] is an interval too."""
    if not (text.startswith('["') and text.endswith('"]')):
        return text
    try:
        texts = json.loads(text)
    except ValueError:
        return text
    if len(texts) > 1:
        raise UnusableRow("a JSON list of several answers")
    return _read_text(texts[0], "whole")


def _name_kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "an object"
    return "true or false" if isinstance(value, bool) else f"of type {type(value).__name__}"


def is_unicode(text: str) -> bool:
    """Return whether a text has no half of a surrogate pair, as JSON escapes can give."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _write_number(value: int | float) -> str:
    """Return the shortest text; of a float that came from 32 bits, the shortest for those."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        raise UnusableRow("an answer that is no finite number")
    shortest = (f"{value:.{digits}g}" for digits in range(1, 10))
    text = next((one for one in shortest if _round_to_single(float(one)) == value), repr(value))
    text = f"{Decimal(text):f}"  # 1e-07 is read as other things than a number
    return text.rstrip("0").rstrip(".") if "." in text else text


def _round_to_single(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.inf
