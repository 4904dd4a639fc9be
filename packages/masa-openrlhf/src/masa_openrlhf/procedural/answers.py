r"""An answer as a task's scorer is given it: without LaTeX's dress, and without what could run."""

from __future__ import annotations

import re

MOST_CHARACTERS = 2_000
"""A longer answer is not scored."""

_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_STYLE = re.compile(r"\\(?:text[a-z]*|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}")
_SPACE = re.compile(r"\\[,;:! ]")
_SIGNS = {r"\times": "*", r"\cdot": "*", r"\div": "/", r"\left": "", r"\right": "", "\\$": ""}

_CALLED = re.compile(r"([^\W\d]\w*|[\])}'\"])\s*\(")
_FUNCTIONS = frozenset(
    [
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "asin",
        "acos",
        "atan",
        "arcsin",
        "arccos",
        "arctan",
        "sinh",
        "cosh",
        "tanh",
        "exp",
        "log",
        "ln",
        "sqrt",
        "Abs",
        "abs",
    ]
)
_RUNS = re.compile(
    r"__|[^\W\d_]\w*\s*\.|[\])}]\s*\.|\.\s*[^\W\d]|\b(?:lambda|for|if|in)\b|[`;@:'\"\[]"
)


def list_readings(answer: str) -> list[str]:
    r"""Return an answer as it stands, and without LaTeX: of ``\frac{1}{2}`` also ``(1)/(2)``.

    Args:
        answer: what a solution states.

    Returns:
        One text, or two where they differ; none where it is longer than ``MOST_CHARACTERS``.
    """
    if len(answer) > MOST_CHARACTERS:
        return []
    plain = _replace_all(_FRACTION, r"(\1)/(\2)", _replace_all(_STYLE, r"\1", answer))
    for sign, meaning in _SIGNS.items():
        plain = plain.replace(sign, meaning)
    plain = _SPACE.sub(" ", plain).strip().strip("$").strip()
    return list(dict.fromkeys((answer.strip(), plain)))


def is_expression(text: str) -> bool:
    """Return whether a text can be given to a scorer that evaluates it: sympy runs Python.

    Numbers, names, operators and calls of the usual functions are an expression; attributes,
    indices, strings and other calls are not.
    """
    return not _RUNS.search(text) and all(name in _FUNCTIONS for name in _CALLED.findall(text))


def _replace_all(pattern: re.Pattern[str], by: str, text: str) -> str:
    """Replace until nothing is left to, innermost first."""
    while (replaced := pattern.sub(by, text)) != text:
        text = replaced
    return text
