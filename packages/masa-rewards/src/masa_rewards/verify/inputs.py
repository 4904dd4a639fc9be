r"""What callers pass for a text and a target: numbers are written out, the rest is refused."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import SupportsFloat

from masa_rewards._inputs import require_text

Gold = str | SupportsFloat
"""A right answer: text, or a number (of numpy too)."""

# "\boxed" and "\frac" without r"" begin with control characters, and so do those of careless JSON.
_SPELLED = {
    "\x07": "\\a", "\x08": "\\b", "\t": "\\t", "\n": "\\n", "\x0b": "\\v", "\x0c": "\\f",
    "\r": "\\r",
}  # fmt: skip
_CERTAIN = re.compile("[\x08\x0c](?=oxed|rac|box|rame)")
_BROKEN = re.compile(
    "[\x08\x0c\x07\x0b]|\t(?=ext|imes|heta|frac|an|o[^a-z])|\r(?=ight|ho)|\n(?=eq[^a-z])"
)


def require_answer_text(text: object) -> None:
    """Refuse a solution that is no text.

    Raises:
        TypeError: If it is none, with what is expected.
    """
    require_text(text, "verify takes the text of a solution first, then the right answer")


def write_gold(gold: object) -> str:
    """Write a target as text.

    Examples:
        >>> write_gold(42.0), write_gold("x")
        ('42.0', 'x')

    Args:
        gold: Text; or an int, a float, a fraction or a decimal, of numpy too.

    Raises:
        TypeError: If it is anything else: None, a truth value, bytes, a list.
        ValueError: If it is not a finite number.
    """
    if isinstance(gold, str):
        return str(gold)
    number = gold.item() if hasattr(gold, "item") and not getattr(gold, "shape", ()) else gold
    if isinstance(number, str):
        return number
    if isinstance(number, bool) or not isinstance(number, int | float | Fraction | Decimal):
        raise TypeError(
            f"gold is {type(gold).__name__} {str(gold)[:80]!r}; a right answer is text, as "
            r"'\\frac{1}{2}', or a number. A problem without an answer has no verdict"
        )
    if not math.isfinite(number):
        raise ValueError(f"gold is {number}; it must be a finite number, or text")
    return str(number)


def restore_backslashes(text: str) -> str:
    r"""Put back what a missing `r""` has made of a command: "\x08oxed" is `\boxed`.

    Examples:
        >>> restore_backslashes("\x08oxed{\x0crac{1}{2}}")
        '\\boxed{\\frac{1}{2}}'

    Args:
        text: A text, an answer or a target. One without such a box or fraction stays as it is.
    """
    if not _CERTAIN.search(text):
        return text
    return _BROKEN.sub(lambda sign: _SPELLED[sign.group()], text)
