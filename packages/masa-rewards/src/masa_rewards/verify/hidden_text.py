r"""Takes out of LaTeX what does not show: `\phantom{6}`, `\hspace{6em}`, white ink, comments."""

from __future__ import annotations

import re

from masa_rewards.verify.braces import match_braces

_HIDING = re.compile(
    r"(?P<group>\\(?:[hv]?phantom(?![A-Za-z])|(?:[hv]|m)space(?![A-Za-z])\*?|label(?![A-Za-z])"
    r"|textcolor\s*(?P<ink>(?:\[[A-Za-z]*\]\s*)?\{[^{}]{0,40}\}))\s*)"
    r"|(?P<rest>\\color\s*(?P<colour>(?:\[[A-Za-z]*\]\s*)?\{[^{}]{0,40}\}))"
    r"|(?P<gone>\\(?:[hvm]skip|m?kern)(?![A-Za-z])\s*-?[\d.]{0,9}\s*(?:[a-z]{2}(?![A-Za-z]))?"
    r"|\\(?:math)?strut(?![A-Za-z]))"
    r"|(?P<until>\\iffalse(?![A-Za-z])|<!--)"
)
_WHITE = re.compile(
    r"(?:\[[A-Za-z]*\])?\{(?:white|transparent|#?f{3}(?:f{3})?|1(?:\.0*)?(?:,1(?:\.0*)?){2}"
    r"|255,255,255|\w+!0)\}|\[gray\]\{1(?:\.0*)?\}",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[^\s{}\\]", re.DOTALL)
_SCOPE = re.compile(r"\\color(?![A-Za-z])|\\.|[{}]", re.DOTALL)


def drop_hidden(text: str) -> str:
    r"""Put a space in the place of whatever a reader of the typeset text does not see.

    Examples:
        >>> drop_hidden(r"5\phantom{6}")
        '5 '

    Gone are `\phantom`, `\hphantom` and `\vphantom`, spaces of any length, struts, labels, what is
    coloured white (to the end of its group, or to the next `\color`), `\iffalse` to `\fi`, and
    comments of HTML. A comment of LaTeX stays: models write "50%" without a backslash.

    Args:
        text: LaTeX.

    Returns:
        What of it shows.
    """
    if not _HIDING.search(text):
        return text
    ends = match_braces(text)
    shown: list[str] = []
    position = 0
    for match in _HIDING.finditer(text):
        if match.start() < position:
            continue  # within what is hidden already
        end = _find_hidden_end(text, match, ends)
        if end is not None:
            shown += [text[position : match.start()], " "]
            position = end
    return "".join([*shown, text[position:]])


def _find_hidden_end(text: str, match: re.Match[str], ends: dict[int, int]) -> int | None:
    """Position behind what a command hides; None when it shows."""
    if match["gone"]:
        return match.end()
    if match["until"]:
        mark = "-->" if match["until"] == "<!--" else "\\fi"
        found = text.find(mark, match.end())
        return len(text) if found < 0 else found + len(mark)
    if match["rest"]:
        return _find_colour_end(text, match.end()) if _is_white(match["colour"]) else None
    if match["ink"] and not _is_white(match["ink"]):
        return None
    if match.end() in ends:
        return ends[match.end()] + 1
    token = _TOKEN.match(text, match.end())
    return token.end() if token else None


def _find_colour_end(text: str, start: int) -> int:
    """A colour holds to the end of its group, or to the next one in it."""
    depth = 0
    for match in _SCOPE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        if depth < 0 or (not depth and match.group() == "\\color"):
            return match.start()
    return len(text)


def _is_white(colour: str) -> bool:
    return bool(_WHITE.fullmatch("".join(colour.split())))
