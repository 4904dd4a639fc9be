r"""Multiple choice: "B", "(B)", `\textbf{(B)}\ 12`, "B) 12", "Option B"."""

from __future__ import annotations

import re
from typing import NamedTuple

_ALONE = re.compile(r"\(?([A-J])\)?")
_NAMED = re.compile(r"(?:option|choice|answer):?\(?([A-J])\)?", re.IGNORECASE)
_WITH_TEXT = re.compile(r"(?:\(([A-J])\)|([A-J])[).:])(.+)", re.DOTALL)
_ANOTHER = re.compile(r"^(?:,|or(?![a-z])|and(?![a-z])|/|&)|\([A-J]\)|(?<![A-Za-z])[A-J][).:]")


class Choice(NamedTuple):
    """A letter, and the text of that option; "" when only the letter stands there."""

    letter: str
    text: str


def read_choice(text: str) -> Choice | None:
    """Read a choice among options A to J.

    Args:
        text: A normal form: no spaces, no styles.

    Returns:
        The choice; None for what is none, or more than one.
    """
    if match := _ALONE.fullmatch(text) or _NAMED.fullmatch(text):
        return Choice(match.group(1).upper(), "")
    match = _WITH_TEXT.fullmatch(text)
    if match and not _ANOTHER.search(match.group(3)):
        return Choice(match.group(1) or match.group(2), match.group(3))
    return None
