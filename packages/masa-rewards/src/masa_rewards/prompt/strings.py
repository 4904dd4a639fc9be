r"""Reads the strings that models write, in any quotes, with or without their escapes.

A string ends at a quote that something of the object's syntax follows. So an apostrophe within
single quotes does not end it, and every string of valid JSON ends where it should.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from masa_rewards.prompt.signs import CLOSE, COMMA, ESCAPED_GAP, GAP

# Opening quote -> those that close it. A straight one closes a curly one too, as in “sum".
_CLOSING = {
    '"': '"',
    "'": "'",
    "\u201c": '\u201d"\u201c',
    "\u201d": '\u201d"\u201c',
    "\u201e": '\u201d"\u201c',
    "\u2018": "\u2019'",
    "\uff02": '\uff02"',
    "\uff07": "\uff07'",
}
_OPENING = re.compile(rf"(\\{{0,7}})([{''.join(_CLOSING)}])")
# The comma before a new line is missing: a quote or a bare key starts that.
_LINE_END = r"[^\S\n]*\n\s*(?:\\{0,7}[\"'\u201c\u2018]|\w{1,64}[\"'*]?[^\S\n]*[:\uff1a=])"
_AFTER = (
    rf"(?:(?:{GAP}|{ESCAPED_GAP})*"
    rf"(?:{CLOSE}|{COMMA}|[:\uff1a\])\uff3d\u3011#]|//|/\*|```|</|\Z)|{_LINE_END}"
)
# Between double quotes a comma may be missing within the line as well: "sum" "product".
_AFTER_DOUBLE = rf"{_AFTER}|[^\S\n]+\\{{0,7}}[\"\u201c]\w)"
_AFTER_SINGLE = rf"{_AFTER})"
_FOLLOW = {quote: _AFTER_SINGLE if "'" in _CLOSING[quote] else _AFTER_DOUBLE for quote in _CLOSING}
# A comma and then a quote without its escape: the closing quote before the comma is missing.
_OTHER_STRING = re.compile(r",[^\S\n]*\"\w")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([\"'\\/])|([nt])(?=[A-Za-z])|([bfnrt])(?![A-Za-z]))")
_ESCAPED_ESCAPE = re.compile(r"\\([\"'\\/])")
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_COMMAND = re.compile(r"[A-Za-z]+")
# LaTeX that could be taken for a line break or a tab and a word. Other letters are never meant as
# controls: "\frac" is no form feed.
_COMMANDS = """
    nabla natural ncong ne nearrow neg neq nequiv newline nexists ngeq ngtr ni nicefrac nint
    nleftarrow nleq nless nmid nolimits norm normalsize not notag notin nparallel nprec nrightarrow
    nRightarrow nsim nsubset nsubseteq nsucc nsupset nth nu nwarrow nCr nPr tan tanh tau tbinom text
    textbf textit textrm textsf textstyle texttt tfrac tg therefore theta thickapprox thicksim
    thinspace tilde times tiny to top tr triangle triangledown triangleleft triangleq triangleright
    tt twoheadrightarrow
"""
_LATEX = frozenset(_COMMANDS.split())


class QuotedString(NamedTuple):
    """A string's text, and the position behind its closing quote."""

    text: str
    end: int


# Compiled when a quote of the kind is met: all of them would take most of the import's time.
@cache
def _compile_end(quote: str) -> re.Pattern[str]:
    r"""Return what a string is up to its closing quote.

    ``(?=(...))\1`` takes its match as a whole and never gives a part of it back.
    """
    closing = _CLOSING[quote]
    return re.compile(
        rf"(?=((?:[^\\{closing}]+|\\.|[{closing}](?!{_FOLLOW[quote]}))*))\1[{closing}]", re.DOTALL
    )


@cache
def _compile_escaped_end(quote: str, level: int) -> re.Pattern[str]:
    """Return the closing quote behind so many backslashes."""
    return re.compile(rf"(?<!\\)\\{{{level}}}[{_CLOSING[quote]}](?={_FOLLOW[quote]})")


def starts_string(text: str, position: int) -> bool:
    """Whether an opening quote stands at a position."""
    return bool(_OPENING.match(text, position))


def read_string(text: str, position: int) -> QuotedString | None:
    r"""Read the string that opens at a position; None if there is none, or it does not end.

    Args:
        text: Any text.
        position: Where its opening quote stands. With backslashes before it (`\"sum\"`, as in JSON
            inside a JSON string) the closing one has as many.
    """
    opening = _OPENING.match(text, position)
    if not opening:
        return None
    slashes, quote = opening.groups()
    if slashes:
        closing = _compile_escaped_end(quote, len(slashes)).search(text, opening.end())
        body = closing and text[opening.end() : closing.start()]
    else:
        closing = _compile_end(quote).match(text, opening.end())
        body = closing and closing.group(1)
    if closing is None or body is None:
        return None
    if opening.group() == '"' and _OTHER_STRING.search(body):
        return None
    for _ in range(len(slashes).bit_length()):
        body = _ESCAPED_ESCAPE.sub(r"\1", body)
    return QuotedString(_unescape_body(body), closing.end())


def _unescape_body(body: str) -> str:
    if "\\" not in body:
        return body
    # A pair of escapes may spell one character: "\ud835\udc65".
    plain = _ESCAPE.sub(_unescape_one, body).encode("utf-16-le", "surrogatepass")
    return plain.decode("utf-16-le", "replace")


def _unescape_one(escape: re.Match[str]) -> str:
    code, itself, before_letter, control = escape.groups()
    if code:
        return chr(int(code, 16))
    if before_letter:
        command = _COMMAND.match(escape.string, escape.start() + 1)
        if command and command.group() in _LATEX:
            return escape.group()
        return _CONTROLS[before_letter]
    return str(itself or _CONTROLS[control])
