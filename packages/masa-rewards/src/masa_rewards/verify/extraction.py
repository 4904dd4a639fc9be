r"""Finds the answer that a solution states: its last box, or the end of "the answer is ...".

Linear in the text, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from masa_rewards.verify.anchors import find_anchored
from masa_rewards.verify.braces import match_braces
from masa_rewards.verify.hidden_text import drop_hidden
from masa_rewards.verify.inputs import restore_backslashes
from masa_rewards.verify.thoughts import drop_thoughts

READ_CHARACTERS = 8_192
"""Only so many characters from the end of a solution are read."""

Extraction = Literal["boxed", "anchored"]
"""What states an answer: a box only, or "the answer is ..." too, where nothing is boxed."""

_BOX = re.compile(r"\\(?:f|frame)?box(?:ed)?(?![A-Za-z])\s*")
# A stray backslash before the last brace: `\boxed{42\}`, `\boxed{\{1,2\}\}`.
_ESCAPED_END = re.compile(r"\{((?:[^{}\\]|\\[^{}]|\\\{(?:[^{}\\]|\\[^{}])*\\\}|\{[^{}]*\})*)\\\}")
_TOKEN = re.compile(r"[^\s{}$\\]+")
# What stands between the boxes of one answer: a comma or a word, and the name of the next value.
_BETWEEN = re.compile(
    r"[\s$.]*(?:(?:,|;|(?<![A-Za-z])(?:and|or)(?![A-Za-z])"
    r"|\\(?:text|mathrm|mbox)\s*\{[\s,]*(?:and|or)\s*\}|\\(?:lor|land)(?![A-Za-z]))"
    r"(?:[\s$]|\\[,;:! ]|\\q?quad(?![A-Za-z]))*){1,3}(?:[A-Za-z](?:_\{?\w{1,3}\}?)?\s*=\s*)?"
)


class _Box(NamedTuple):
    """What is in a box, and where it stands, with its command and braces."""

    content: str
    start: int
    end: int


def find_answer(text: str, extraction: Extraction, *, several: bool = False) -> str | None:
    r"""Find the answer stated last.

    Args:
        text: A solution. At most its last 8,192 characters are read.
        extraction: "boxed" reads `\boxed{...}`, `\fbox{...}` and `\boxed 5`. "anchored" reads
            "the answer is ...", "Answer: ...", "**Answer**", "### Answer" and the line behind it,
            "<answer>...</answer>" and "#### ..." too, when nothing is boxed.
        several: Whether boxes that only a comma, "and" or "or" keeps apart are one list.

    Returns:
        What is in the last box whose braces balance, or behind the last anchor up to the end of
        the sentence; None when there is none, or nothing is in it. Not there are a box in a box,
        thoughts (`<think>...</think>`), and what does not show: `\phantom{...}`.
    """
    window = drop_hidden(restore_backslashes(drop_thoughts(text)[-READ_CHARACTERS:]))
    if boxes := list(_find_boxes(window)):
        return ", ".join(_join_boxes(window, boxes if several else boxes[-1:])) or None
    return find_anchored(window) if extraction == "anchored" else None


def _join_boxes(text: str, boxes: list[_Box]) -> list[str]:
    """The last box, and those that are of one list with it; each once."""
    joined = [_strip_boxes(boxes[-1].content).strip()]
    for before, box in zip(boxes[-2::-1], boxes[:0:-1], strict=False):
        if not joined[-1] or not _BETWEEN.fullmatch(text, before.end, box.start):
            break
        joined.append(_strip_boxes(before.content).strip())
    return list(dict.fromkeys(filter(None, reversed(joined))))


def _find_boxes(text: str) -> Iterator[_Box]:
    """Contents of the boxes that are in no other, in their order."""
    ends = match_braces(text)
    inside = 0
    for box in _BOX.finditer(text):
        start = box.end()
        if start < inside:
            continue
        if start in ends:
            inside = ends[start]
            yield _Box(text[start + 1 : inside], box.start(), inside + 1)
        elif escaped := _ESCAPED_END.match(text, start):
            inside = escaped.end()
            yield _Box(escaped[1], box.start(), inside)
        elif token := _TOKEN.match(text, start):
            yield _Box(token.group().rstrip(".,;:"), box.start(), token.end())


def _strip_boxes(content: str) -> str:
    r"""Return `5 + {1}` for `5 + \boxed{1}`, and 3 for `\boxed{3}`."""
    bare = _BOX.sub("", content)
    if bare == content:
        return content
    ends = match_braces(bare)
    start, end = 0, len(bare)
    while bare[start : start + 1] == "{" and ends.get(start) == end - 1:
        start, end = start + 1, end - 1
    return bare[start:end]
