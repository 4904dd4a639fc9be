r"""Drops what letters stand for: `k \in \mathbb{Z}`, "where c is a constant", "for all x"."""

from __future__ import annotations

import re

# What makes a condition of words, and what else may stand in one.
_KINDS = r"all|any|every|each|some|integers?|constants?|reals?|arbitrary|real"
_FILLERS = (
    r"where|for|with|and|or|is|are|be|being|an?|the|of|numbers?|values?|fixed|given|natural|whole"
    r"|rational|complex|positive|non-?negative|non-?zero|non-?constant|denotes?|represents?"
)
_IN = re.compile(r"\\in(?![A-Za-z])")
_KIND = re.compile(rf"(?<![A-Za-z])(?:{_KINDS})(?![A-Za-z])", re.IGNORECASE)
_HINT = re.compile(rf"\\in(?![A-Za-z])|(?<![A-Za-z])(?:{_KINDS})(?![A-Za-z])", re.IGNORECASE)
_START = re.compile(
    r"[,;(\[]|\\(?:q?quad|forall)(?![A-Za-z])|\\(?:text|mathrm|mbox|textrm)\s*\{"
    r"|(?<=\s)(?:where|for|with)(?![A-Za-z])"
)
_SETS = r"\\(?:mathbb|mathbf|Bbb|mathrm|mathcal)\s*(?:\{\s*[ZNRCQ]\s*\}|[ZNRCQ](?![A-Za-z]))"
_SAFE = re.compile(
    rf"(?:\s|[,;:.()\[\]{{}}$~]|\\[,;:! ]|\\q?quad(?![A-Za-z])|\\(?:left|right)(?![A-Za-z])"
    rf"|\\(?:text|mathrm|mbox|textrm)\s*\{{|{_SETS}(?:\s*[\^_]\s*(?:\{{[+*0>\s]{{1,4}}\}}|[+*0]))?"
    rf"|\\(?:in|forall|exists)(?![A-Za-z])|(?:{_KINDS}|{_FILLERS})(?![A-Za-z])"
    r"|\\(?:alpha|beta|gamma|delta|lambda|mu|theta|phi)(?![A-Za-z])"
    r"|[A-Za-z](?:_\{?\w\}?)?(?![A-Za-z^_]))",
    re.IGNORECASE,
)
# What the condition is the answer of: words, or letters; a product is none.
_NAMES = re.compile(r"[A-Za-z,\s]*|\s*\\[A-Za-z]+\s*(?:,\s*\\?[A-Za-z]+\s*)*")
_LONGEST = 120


def drop_conditions(text: str) -> str:
    r"""Drop what is said of the letters of an answer at its end.

    Examples:
        >>> drop_conditions(r"x = k\pi, k \in \mathbb{Z}")
        'x = k\\pi'
        >>> drop_conditions(r"f(x) = cx \text{ for some constant } c")
        'f(x) = cx'

    Only that they are numbers of a kind, or any: `x > 0` and "for x > 0" stay.

    Args:
        text: An answer.
    """
    if not _HINT.search(text):
        return text
    for start in _START.finditer(text, max(0, len(text) - _LONGEST)):
        tail = text[start.start() :]
        if not _is_safe(tail) or not (_IN.search(tail) or _KIND.search(tail)):
            continue
        bare = text[: start.start()].rstrip(" ,;~")
        bare = re.sub(r"\\(?:left|,|;|q?quad)$", "", bare).rstrip(" ,;~")
        return text if _NAMES.fullmatch(bare) else bare
    return text


def _is_safe(tail: str) -> bool:
    """Whether nothing else stands in it; token by token, since a letter may be a word, too."""
    position = 0
    while position < len(tail):
        token = _SAFE.match(tail, position)
        if token is None:
            return False
        position = token.end()
    return True
