r"""Separates the name of a notion from what models write around it.

Around a name are a list number ("1. "), an abbreviation or a remark in brackets, a formula, a
remark after a colon or a dash. Only the name is searched for, or its abbreviation.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_MARKS = re.compile(r"[(\[\uff08:\uff1a$\\=^]|^\s*(?:\d|[-*\u2022\u2013])|\s[-\u2013\u2014]")
_NUMBER = re.compile(r"\s*(?:\(?\d{1,2}[.)]|\(?[a-z]\)|[-*\u2022\u2013])\s+(?=\S)")
_OPENING = re.compile(r"\s[(\[\uff08]")
_CLOSING = ")]\uff09"
_COLON = re.compile(r"(?<!\d)[:\uff1a]|[:\uff1a](?!\d)")
_DASH = re.compile(r"\s(?:-{1,3}|[\u2013\u2014])\s")
_FORMULA = re.compile(r"[\d=^\\<>+*/\u00b1\u00b2\u00b3\u2211\u221a\u222b\u2264\u2265]")
_FORMULA_WORD = re.compile(r"[$\\]|.*[=^]")
_LETTERS = re.compile(r"[^\W\d_]+")
# A name is complete after such a word: what follows is not part of it.
_KIND_LIST = """
    algorithm coefficient coefficients congruence criteria criterion divisor equation equations
    expansion formula formulae formulas function functions identities identity inequalities
    inequality law laws lemma method methods multiple number numbers principle properties
    property rule rules sequence series substitution test theorem theorems theory trick
"""
_KINDS = frozenset(_KIND_LIST.split())


class NotionNames(NamedTuple):
    """The name of a notion, and what else it is called; "" if nothing."""

    name: str
    other: str = ""


def split_notion_names(notion: str) -> NotionNames:
    """Separate the name of a notion from what is written around it.

    Examples:
        >>> split_notion_names("2. Chinese Remainder Theorem (CRT): x = a mod m")
        NotionNames(name='Chinese Remainder Theorem', other='CRT')
        >>> split_notion_names("the ratio 3:4")
        NotionNames(name='the ratio 3:4', other='')

    Args:
        notion: Any text.

    Returns:
        The name, not blank unless the notion is; and an alternative name from brackets, if one of
        the two consists of the other's initials.
    """
    if not _MARKS.search(notion):
        return NotionNames(notion)
    number = _NUMBER.match(notion)
    name = notion[number.end() :] if number else notion
    name = _drop_after_colon(_drop_after_dash(name))
    name, remark = _split_brackets(name)
    name = _drop_formula(name)
    if not _LETTERS.search(name):
        return NotionNames(notion)
    abbreviated = _is_short_for(remark, name) or _is_short_for(name, remark)
    return NotionNames(name, remark if abbreviated else "")


def _split_brackets(name: str) -> tuple[str, str]:
    """Take off brackets at the end, with a space before them: f(x) is no remark."""
    stripped = name.rstrip()
    opening = _OPENING.search(stripped)
    if not opening or stripped[-1] not in _CLOSING:
        return name, ""
    remark = stripped[opening.end() : -1]
    if _OPENING.search(remark) or any(sign in remark for sign in _CLOSING):
        return name, ""
    return stripped[: opening.start()], remark.strip()


def _drop_after_colon(name: str) -> str:
    colon = _COLON.search(name)
    if not colon:
        return name
    before, behind = name[: colon.start()], name[colon.end() :]
    words = _LETTERS.findall(before)
    # One word and then words: "Algebra: factoring" is no remark on algebra.
    is_name = len(words) > 1 or (bool(words) and len(words[0]) > 2 and _FORMULA.search(behind))
    return before if is_name and not _is_kind_alone(words) else name


def _drop_after_dash(name: str) -> str:
    dash = _DASH.search(name)
    if not dash:
        return name
    words = _LETTERS.findall(name[: dash.start()])
    # "Cauchy - Schwarz" and "arithmetic mean - geometric mean" are names of two.
    whole = len(words) > 1 and words[-1].lower() in _KINDS
    return name[: dash.start()] if whole else name


def _drop_formula(name: str) -> str:
    r"""Take off a formula behind a whole name: "quadratic formula $x = ...$", "... \phi(n)"."""
    words = name.split()
    formulas = (i for i, word in enumerate(words[:_MAX_WORDS]) if _FORMULA_WORD.match(word))
    index = next(formulas, 0)
    last = words[index].startswith("$") and name.rstrip().endswith("$") if index else False
    if index > 1 and words[index][0] in "=^" and len(words[index - 1]) < _WORD:
        index -= 1  # the A of A = bh
    if index < 2:
        return name
    before = words[index - 1].strip(",").lower()
    is_whole = before in _KINDS or (
        last and len(words[index]) > len("$n$") and len(before) >= _WORD
    )
    return " ".join(words[:index]) if is_whole else name


_WORD = 3  # letters
_MAX_WORDS = 32


def _is_kind_alone(words: list[str]) -> bool:
    return len(words) == 1 and words[0].lower() in _KINDS


def _is_short_for(short: str, name: str) -> bool:
    """Whether capitals are the initials of a name, with or without those of its small words."""
    letters = "".join(filter(str.isalpha, short))
    if not 2 <= len(letters) <= 8 or sum(map(str.isupper, letters)) < 2 or " " in short.strip():
        return False
    words = _LETTERS.findall(name.replace("'s", "").replace("\u2019s", ""))
    great = [word for word in words if word.lower() not in _SMALL]
    named = [word for word in great if word.lower() not in _KINDS]  # "CS" of an inequality
    initials = {"".join(word[0] for word in some).lower() for some in (words, great, named)}
    return letters.lower() in initials | {initial + "s" for initial in initials}


_SMALL = frozenset(["a", "an", "and", "by", "for", "in", "of", "on", "or", "the", "to", "with"])
