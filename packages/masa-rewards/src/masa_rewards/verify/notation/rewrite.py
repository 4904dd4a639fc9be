"""All rewriting of notation, in its order."""

from __future__ import annotations

import re
from functools import lru_cache

from masa_rewards.verify.equality.normal_form import strip_ending
from masa_rewards.verify.notation.compounds import add_compounds
from masa_rewards.verify.notation.conditions import drop_conditions
from masa_rewards.verify.notation.digits import write_numbers_plainly
from masa_rewards.verify.notation.operators import rewrite_operators
from masa_rewards.verify.notation.styles import strip_styles
from masa_rewards.verify.notation.systems import write_in_line
from masa_rewards.verify.notation.unicode_signs import spell_unicode
from masa_rewards.verify.notation.words import strip_words

LONGEST = 2_000
"""Longer answers are left as they are: only the same text could be right."""

_PLAIN = re.compile(r"-?(?:[0-9]+|[0-9]*\.[0-9]+)|[A-Z]|-?\\frac\{[0-9]+\}\{[0-9]+\}")
_BREAK = re.compile(r"(?:\\\\\[[^\[\]]{0,10}\]|\\(?:newline|par|hfil|null)(?![A-Za-z]))$")
_EDGE = re.compile(r"(?:\s|~|\\[,;:! ]|\\(?:q?quad|hfill)(?![A-Za-z]))+")
_DOLLAR = re.compile(r"(?<!\\)\$")


@lru_cache(maxsize=1024)
def rewrite_notation(text: str) -> str:
    r"""Bring an answer into the notation that the comparison reads.

    Examples:
        >>> rewrite_notation(r"x² ≤ 1,000 \text{ for all } x \,")
        'x^{2} \\le  1000'

    Args:
        text: An answer in LaTeX or plain text, as it was found.

    Returns:
        The same answer.
    """
    if _PLAIN.fullmatch(text) or len(text) > LONGEST:
        return text
    # Runs of white space go first: no pattern may have to try each of their parts.
    text = " ".join(_DOLLAR.sub("", text).split())
    text = strip_edges(spell_unicode(text))
    text = text if text.endswith("..") else strip_ending(text)
    text = strip_styles(text)
    text = write_in_line(text)
    text = drop_conditions(strip_words(add_compounds(text)))
    return strip_edges(rewrite_operators(write_numbers_plainly(text)))


def strip_edges(text: str) -> str:
    r"""Drop spaces of LaTeX, and backslashes that no command follows, around an answer."""
    if text[:1] in " ~\\\n\t" and (match := _EDGE.match(text)):
        text = text[match.end() :]
    while True:
        bare = _BREAK.sub("", text.rstrip(" ~\n\t"))
        if bare.endswith(("\\,", "\\;", "\\:", "\\!", "\\\\")):
            text = bare[:-2]
        elif bare.endswith("\\"):
            text = bare[:-1]
        elif bare.endswith(("\\quad", "\\qquad", "\\hfill")):
            text = bare[: bare.rindex("\\")]
        else:
            return bare
