r"""Where braces close, and what stands in groups of text: `\text{...}`, `\mathrm{...}`.

Linear in the text, whatever it holds.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_STYLE = re.compile(
    r"\\(?:text(?!color|style)[a-z]*|math(?:rm|it|bf|sf|tt|normal)|mbox|hbox|operatorname|emph)"
    r"\*?\s*(?=\{)"
)
_UNITS_IN_LATEX = re.compile(r"\\(?:(mu)|(Omega))(?![A-Za-z])\s*")
_MARKUP = re.compile(r"\\[A-Za-z]+|\\[^A-Za-z]|[{}~]")


class TextGroup(NamedTuple):
    """A group of text: from where to where it stands, and its words without markup."""

    start: int
    end: int
    words: str


def match_braces(text: str) -> dict[int, int]:
    r"""Position of each brace that opens -> position of the one that closes it; `\{` is none."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACE.finditer(text):
        if match.group() == "{":
            opened.append(match.start())
        elif match.group() == "}" and opened:
            ends[opened.pop()] = match.start()
    return ends


def find_text_groups(text: str) -> list[TextGroup]:
    r"""Groups of text that are in no other, in their order; of nested ones the outermost.

    Examples:
        >>> find_text_groups(r"6 \textbf{\textit{ million}}")
        [TextGroup(start=2, end=28, words='   million ')]

    Args:
        text: An answer in LaTeX.

    Returns:
        The groups. A power in braces keeps its digits: `m^{2}` is m^2.
    """
    if "\\" not in text:
        return []
    ends: dict[int, int] | None = None
    groups: list[TextGroup] = []
    inside = 0
    for style in _STYLE.finditer(text):
        ends = match_braces(text) if ends is None else ends
        if style.start() < inside or style.end() not in ends:
            continue
        inside = ends[style.end()] + 1
        content = text[style.end() + 1 : inside - 1]
        groups.append(TextGroup(style.start(), inside, strip_markup(content)))
    return groups


def strip_markup(text: str) -> str:
    r"""Return text without its LaTeX commands; `\mu` and `\Omega`, which are in units, stay."""
    return _MARKUP.sub(" ", _UNITS_IN_LATEX.sub(_spell_unit_letter, text)).replace("^ ", "^")


def _spell_unit_letter(match: re.Match[str]) -> str:
    return "µ" if match.group(1) else "Ω"
