r"""Splits off what stands behind the value of an answer: `5\text{ km}^2`, `6\,\mathrm{kN}`."""

from __future__ import annotations

import re
from typing import NamedTuple

from masa_rewards.verify.braces import TextGroup, find_text_groups, strip_markup

_STYLED = r"(\\(?:text|math)[a-z]*\s*\{[^{}]*\})"
_FRACTION = re.compile(rf"\\frac\s*\{{\s*{_STYLED}\s*\}}\s*\{{\s*{_STYLED}\s*\}}$")
# What may stand between groups of text, and behind the last, when all of them are one unit.
_GLUE = re.compile(
    r"(?:\\[,;:! ]|~|\s|\\(?:cdot|times|mu|Omega|left|right)(?![A-Za-z])|[/().·µμΩ]"
    r"|\^\s*(?:-?\d|\{\s*-?\d\s*\}))*"
)
_LEAD = re.compile(r"(?:\\[,;:! ]|~|\s|\\(?:mu|Omega)(?![A-Za-z])|[µμΩ]|\()*$")
_LEAD_LENGTH = 30
# Nothing that a number or an expression ends with.
_OPEN_END = re.compile(
    r"(?:[-+*/=<>^_(\[{,:;|&]|\\(?:cdot|times|div|pm|mp|in|to|leq?|geq?|neq?|lt|gt|cup|cap|frac"
    r"|sqrt|equiv|approx|sim|quad|sin|cos|tan|ln|log))$"
)
_PLAIN = re.compile(r"(?<=[\d})!°])(?:\s|\\[,;: ]|~)*(?P<tail>[A-Za-zµμΩ°][^\\$=<>+,;|\[\]]*)$")
_SPACED = re.compile(r"(?:\s|\\[,;: ]|~)")
_LONGEST = 60
_PLAIN_WORD = r"(?!(?:and|or|not|sin|cos|tan|log|exp|mod|choose)\b)(?:[A-Za-z]{3,}|of|in)\.?"
_PLAIN_WORDS = re.compile(rf"\s*{_PLAIN_WORD}(?:[\s-]+{_PLAIN_WORD})*\s*")


class Tail(NamedTuple):
    """An answer in two: its value, and the words and signs behind it.

    Attributes:
        value: What stands in front.
        words: What stands behind, without LaTeX.
        styled: Whether a style marks it off as text: letters that none does could be variables.
        spaced: Whether a space does.
    """

    value: str
    words: str
    styled: bool
    spaced: bool


def split_tail(text: str) -> Tail | None:
    r"""Split an answer where its value ends and words begin.

    Args:
        text: An answer, after `tidy`.

    Returns:
        Its two parts; None when nothing but words, or no word, is there, or something else follows.
    """
    if text.endswith("}") and "\\frac" in text:
        text = _FRACTION.sub(r"\1/\2", text)
    groups = find_text_groups(text)
    if len(groups) == 1 and groups[0][:2] == (0, len(text)):  # all of it in one style
        text, groups = groups[0].words.strip(), []
    if groups:
        return _split_styled(text, groups)
    match = _PLAIN.search(text, max(0, len(text) - _LONGEST))
    if not match:
        return None
    value = text[: match.start()]
    spaced = match.start() < match.start("tail")
    return Tail(value.strip(), strip_markup(match["tail"]), styled=False, spaced=spaced)


def drop_words(text: str) -> str:
    r"""Drop words behind a value that no unit and no rule knows: `5\text{ apples}`, "5 apples".

    Letters that no style marks off go only where they are words: behind a space, three and more.

    Args:
        text: An answer, after `tidy`; what its words mean was compared before.
    """
    tail = split_tail(text)
    if tail is None or not re.search(r"[^\W_]", tail.value):
        return text
    if tail.styled or (tail.spaced and _PLAIN_WORDS.fullmatch(tail.words)):
        return tail.value
    return text


def _split_styled(text: str, groups: list[TextGroup]) -> Tail | None:
    """The last groups of all that only glue keeps apart."""
    first = len(groups)
    behind = len(text)
    while first and _GLUE.fullmatch(text, groups[first - 1].end, behind):
        first -= 1
        behind = groups[first].start
    if first == len(groups):
        return None
    # "5", the first of the groups, may be the value itself: `\mathbf{5}\text{ km}`.
    if groups[first].start == 0 and first + 1 < len(groups):
        first += 1
        behind = groups[first].start
    lead = _LEAD.search(text, max(0, behind - _LEAD_LENGTH), behind)
    start = lead.start() if lead else behind
    value = text[:start].strip()
    if not value or _OPEN_END.search(value):
        return None
    words = [strip_markup(text[start:behind])]
    for group, after in zip(groups[first:], [*groups[first + 1 :], None], strict=True):
        words.append(group.words)
        words.append(strip_markup(text[group.end : after.start if after else len(text)]))
    return Tail(value, " ".join("".join(words).split()), styled=True, spaced=True)
