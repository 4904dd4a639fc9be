r"""Systems of equations and functions in pieces: `\begin{cases} x=6 \\ y=5 \end{cases}`."""

from __future__ import annotations

import re

_ENVIRONMENT = re.compile(
    r"(?P<left>(?:\\left\s*)?\\\{\s*|\\left\s*\.\s*)?"
    r"\\begin\s*\{(?P<name>cases|aligned|align\*?|array|gathered|gather\*?|split|dcases|rcases"
    r"|alignedat|equation\*?)\}"
    r"\s*(?:\{[lcr|\s@]*\}|\[[tcb]\])?(?P<body>.*?)\\end\s*\{(?P=name)\}"
    r"\s*(?P<right>\\right\s*(?:\.|\\\})|\\\})?",
    re.DOTALL,
)
_ROW = re.compile(r"\\\\(?:\s*\[[^\]]{0,10}\])?|\\cr(?![A-Za-z])|\\newline")
_RELATION = re.compile(r"^\s*(?:=|[<>]|\\(?:leq?|geq?|neq?|lt|gt)(?![A-Za-z]))")
_IF = re.compile(
    r"\\text\s*\{\s*(?:,?\s*(?:if|when|for|where|,))\s*\}|(?<![A-Za-z\\])(?:if|for)(?![A-Za-z])"
)
_OTHERWISE = re.compile(r"\\text\s*\{\s*(?:otherwise|else)\s*[.,]?\s*\}|\b(?:otherwise|else)\b")


def write_in_line(text: str) -> str:
    r"""Write the rows of a system one after the other.

    Examples:
        >>> write_in_line(r"\begin{cases} x = 6, \\ y = 5. \end{cases}")
        'x = 6, y = 5'

    A row of a function in pieces becomes `\piece{value}{condition}`, for the comparison.

    Args:
        text: An answer. Matrices stay as they are, and arrays that are no system.
    """
    if "\\begin" not in text:
        return text
    return _ENVIRONMENT.sub(_join_rows, text)


def _join_rows(environment: re.Match[str]) -> str:
    if (
        environment["name"] == "array"
        and not environment["left"]
        and "=" not in environment["body"]
    ):
        return environment.group()
    rows = [row.strip() for row in _ROW.split(environment["body"])]
    return ", ".join(_write_row(row) for row in rows if row)


def _write_row(row: str) -> str:
    cells = [cell.strip() for cell in row.split("&")]
    row = " ".join(cells)
    if len(cells) == 2 and cells[0] and not _RELATION.match(cells[1]) and "=" not in cells[0]:
        condition = _IF.sub("", _OTHERWISE.sub("otherwise", cells[1])).strip(" ,.;")
        return f"\\piece{{{cells[0].rstrip(' ,;')}}}{{{condition}}}"
    return row.rstrip(" ,.;")
