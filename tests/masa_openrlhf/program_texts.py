"""What the program can say, read from its sources, and the pages that quote it."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs" / "guides"
SOURCES = sorted((ROOT / "packages").glob("*/src/**/*.py"))


@cache
def list_templates():
    """Every text of the program, with None where a value goes."""
    found = []
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else None for p in node.values]
                found.append(tuple(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append((node.value,))
    return found


@cache
def list_literals():
    """Every piece of text between two values."""
    return [part for parts in list_templates() for part in parts if part]


@cache
def _join_templates():
    return ["\0".join(part or "" for part in parts) for parts in list_templates()]


def is_quoted(quote):
    """Whether the words stand in one text of the program, with a value for each `` ... ``."""
    pattern = r"[^\0]*\0.*?".join(map(re.escape, quote.split(" ... ")))
    return any(re.search(pattern, text, re.DOTALL) for text in _join_templates())


def matches_template(line):
    """Whether a line is one of the program's texts, with values in their places."""
    for parts in list_templates():
        if len("".join(filter(None, parts)).strip()) >= 8:
            pattern = "".join(".*?" if part is None else re.escape(part) for part in parts)
            if re.search(pattern, line):
                return True
    return False


def read_blocks(page, language):
    """The code blocks of a page's text, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def read_tables(page):
    """Each table of a page's text: its heading row, and its rows, as cells."""
    for table in re.findall(r"(?:^\|.*\n?)+", page, re.MULTILINE):
        heads, _, *rows = (
            [c.strip() for c in row.strip("|").split(" | ")] for row in table.splitlines()
        )
        yield heads, rows
