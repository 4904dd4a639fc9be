r"""Splits an answer at its commas, "and" and "or", but not inside brackets."""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"\\(?:text(?:bf|it|rm|normal)?|mathrm|mbox)\s*\{[\s,]*(?P<styled>and|or)\s*\}"
    r"|(?<![A-Za-z\\])(?P<bare>and|or)(?![A-Za-z])"
    r"|\\(?P<sign>lor|vee|land|wedge|quad|qquad)(?![A-Za-z])"
    r"|\\(?P<brace>[{}])|\\[A-Za-z]+|\\.|(?P<mark>[,;()\[\]{}])",
    re.DOTALL,
)
_SIGNS = {"lor": "or", "vee": "or", "land": "and", "wedge": "and", "quad": " ", "qquad": " "}
_SIDES = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


class SplitList(NamedTuple):
    """What stands between separators, and those: ",", ";", "and", "or", " " for a wide space."""

    parts: list[str]
    separators: list[str]


def split_list(text: str, *, wide: bool = False) -> SplitList:
    r"""Split an answer into its members.

    Examples:
        >>> split_list(r"x=1, y=(2,3) \text{ and } z")
        SplitList(parts=['x=1', 'y=(2,3)', 'z'], separators=[',', 'and'])

    Args:
        text: An answer in LaTeX.
        wide: Whether a wide space (`\quad`) separates, too.

    Returns:
        The parts, without spaces around; one where nothing separates. "1, and 2" has two.
    """
    parts: list[str] = []
    separators: list[str] = []
    depth = start = 0
    for token in _TOKEN.finditer(text):
        side = token["brace"] or token["mark"]
        if side in _SIDES or token["brace"]:
            depth += 1 if side in "([{" else -1
            continue
        name = side or token["styled"] or token["bare"] or _SIGNS.get(token["sign"] or "")
        if depth or name is None or (name == " " and not wide):
            continue
        parts.append(text[start : token.start()].strip())
        separators.append(name)
        start = token.end()
    return _drop_blank(SplitList([*parts, text[start:].strip()], separators))


def _drop_blank(split: SplitList) -> SplitList:
    """Join separators with nothing between: ", and" is "and"."""
    parts, separators = [split.parts[0]], list[str]()
    for separator, part in zip(split.separators, split.parts[1:], strict=True):
        if not parts[-1]:
            parts[-1] = part
            if separators:
                separators[-1] = separator if separator in ("and", "or") else separators[-1]
        elif part:
            parts.append(part)
            separators.append(separator)
        else:
            parts.append(part)
            separators.append(separator)
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
        separators.pop()
    return SplitList(parts, separators)
