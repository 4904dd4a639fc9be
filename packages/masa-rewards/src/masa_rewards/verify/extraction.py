r"""Finds the answer that a solution states: its last box, or the end of "the answer is ...".

Linear in the text, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from masa_rewards.verify.braces import match_braces
from masa_rewards.verify.hidden_text import drop_hidden

READ_CHARACTERS = 8_192
"""Only so many characters from the end of a solution are read."""

Extraction = Literal["boxed", "anchored"]
"""What states an answer: a box only, or "the answer is ..." too, where nothing is boxed."""

_BOX = re.compile(r"\\f?box(?:ed)?(?![A-Za-z])\s*")
_TOKEN = re.compile(r"[^\s{}$\\]+")
_ANCHOR = re.compile(
    r"(?:\banswer\s+is\b|\banswer\s*(?=:)|####)[\s:*]*"
    r"((?:[^\n.]|\.(?=\S))+)",
    re.IGNORECASE,
)


def find_answer(text: str, extraction: Extraction) -> str | None:
    r"""Find the answer stated last.

    Args:
        text: A solution. At most its last 8,192 characters are read.
        extraction: "boxed" reads `\boxed{...}`, `\fbox{...}` and `\boxed 5`. "anchored" reads
            "the answer is ...", "Answer: ..." and "#### ..." too, when nothing is boxed.

    Returns:
        What is in the last box whose braces balance, or behind the last anchor up to the end of
        the sentence; None when there is none, or nothing is in it. A box in a box is not there, and
        nothing that does not show: `\phantom{...}`.
    """
    window = drop_hidden(text[-READ_CHARACTERS:])
    boxes = list(_find_boxes(window))
    if boxes:
        return _strip_boxes(boxes[-1]).strip() or None
    if extraction == "anchored" and (anchors := _ANCHOR.findall(window)):
        return str(anchors[-1]).strip(" \t*.:") or None
    return None


def _find_boxes(text: str) -> Iterator[str]:
    """Contents of the boxes that are in no other, in their order."""
    ends = match_braces(text)
    inside = 0
    for box in _BOX.finditer(text):
        start = box.end()
        if start < inside:
            continue
        if start in ends:
            inside = ends[start]
            yield text[start + 1 : inside]
        elif token := _TOKEN.match(text, start):
            yield token.group().rstrip(".,;:")


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
