r"""Ways to write a number: `33\frac13\%`, "1.5e3", `0.\dot{3}`, "x = 10,000", `12^{\text{th}}`."""

from __future__ import annotations

import re

_MIXED = re.compile(
    r"(?<![\d.}\\^_A-Za-z])(?<![\^_]\s)(?<![\^_]-)(\d{1,15})\s*\\[dtc]?frac\s*"
    r"(?:\{(\d{1,15})\}\s*\{(\d{1,15})\}|(\d)\s*(\d))"
)
_POWER_OF_TEN = re.compile(
    r"(?<![\w.\\])(\d{1,40})(?:\.(\d{0,40}))?[eE]([-+]?\d{1,3})(?![\w.({\\])"
)
_SCIENTIFIC = re.compile(
    r"(?<![\w.\\])(\d{1,40})(?:\.(\d{0,40}))?\s*\\(?:times|cdot)\s*10\s*\^\s*"
    r"(?:\{\s*([-+]?\d{1,3})\s*\}|(\d))(?![\w.({\\^!])"
)
_LARGEST_POWER = 300
_DOTTED = re.compile(r"(\d*\.\d*?)\\dot\s*\{?(\d)\}?(?:(\d*)\\dot\s*\{?(\d)\}?)?(?!\d)")
_BARRED = re.compile(r"(\.\d*)(?:\\bar\s*\{?\s*(\d+)\s*\}?|\((\d+)\)(?![\d(]))")
_GOES_ON = re.compile(r"(?<![\d.])(\d*\.\d{0,12}?)(\d{1,12}?)\2{2,}(?:\\[lc]?dots|\.\.\.)\s*$")
_GOES_ON_TWICE = re.compile(r"(?<![\d.])(\d*\.\d{0,12}?)(\d{3,12}?)\2+(?:\\[lc]?dots|\.\.\.)\s*$")
_THOUSANDS = re.compile(r"(?<![\d.,_^])(\d{1,3}(?:,\d{3})+)(?!\d|,\d|\.\d*,\d)")
_ALONE = re.compile(r"[-+]?(?:\\?\$)?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_ORDINAL = re.compile(
    r"(?<=\d)(?:\s*\^\s*\{\s*\\(?:text|mathrm|textrm|rm|mbox)\s*\{\s*(?:st|nd|rd|th)\s*\}\s*\}"
    r"|\s*(?:\^\s*)?\\(?:text|mathrm|textrm|mbox|textsuperscript)\s*\{\s*(?:st|nd|rd|th)\s*\}"
    r"|\s*\^\s*\{\s*(?:\\rm\s*)?(?:st|nd|rd|th)\s*\}|\^?(?:st|nd|rd|th)(?![A-Za-z]))"
)
_LISTED = re.compile(r",\s|;|(?<![A-Za-z])(?:and|or)(?![A-Za-z])")
_BRACKET = re.compile(r"[(\[]|\\\{")


def write_numbers_plainly(text: str) -> str:
    r"""Write numbers as digits and fractions.

    Examples:
        >>> write_numbers_plainly(r"33\frac13\% \text{ of } 1.5e3")
        '\\frac{100}{3}\\% \\text{ of } 1500'

    Args:
        text: An answer.

    Returns:
        The same answer: mixed numbers are improper fractions, powers of ten behind an "e" and
        thousands are digits, ordinals lose their ending, and decimals that repeat, by dots, a bar,
        brackets or `\ldots`, have an `\overline`.
    """
    if "frac" in text:
        # In front of an equals sign it may be a product: what is stated to be equal shows which.
        start = text.rfind("=") + 1
        text = text[:start] + _MIXED.sub(_join_mixed, text[start:])
    if "e" in text or "E" in text:
        text = _POWER_OF_TEN.sub(_expand_power, text)
    if "10" in text and "^" in text:
        text = _SCIENTIFIC.sub(_expand_power, text)
    if "." in text:
        text = _mark_period(text)
    if "," in text and not _ALONE.fullmatch(text.strip()):
        text = _join_thousands(text)
    return _ORDINAL.sub("", text) if "t" in text or "d" in text else text


def _join_mixed(mixed: re.Match[str]) -> str:
    whole = int(mixed[1])
    above, below = int(mixed[2] or mixed[4]), int(mixed[3] or mixed[5])
    if not 0 < above < below:  # 3\frac{5}{2} may be a product
        return mixed.group()
    return f"\\frac{{{whole * below + above}}}{{{below}}}"


def _expand_power(number: re.Match[str]) -> str:
    digits, behind, power = number[1], number[2] or "", int(number[number.lastindex or 3])
    if abs(power) > _LARGEST_POWER:
        return number.group()
    places = len(behind) - power
    digits = digits + behind
    if places <= 0:
        return (digits + "0" * -places).lstrip("0") or "0"
    digits = digits.zfill(places + 1)
    return f"{digits[:-places]}.{digits[-places:]}"


def _mark_period(text: str) -> str:
    if "dot" in text and "\\" in text:
        text = _DOTTED.sub(_mark_dotted, text)
    if "bar" in text or "(" in text:
        text = _BARRED.sub(lambda bar: f"{bar[1]}\\overline{{{bar[2] or bar[3]}}}", text)
    if "dots" in text or "..." in text:
        text = _GOES_ON.sub(r"\1\\overline{\2}", text)
        text = _GOES_ON_TWICE.sub(r"\1\\overline{\2}", text)
    return text


def _mark_dotted(decimal: re.Match[str]) -> str:
    last = (decimal[3] or "") + (decimal[4] or "")
    return f"{decimal[1]}\\overline{{{decimal[2]}{last}}}"


def _join_thousands(text: str) -> str:
    """Join digits where their commas cannot be those of a list.

    In brackets and lists they are commas between thousands only if the list has others, with a
    space, or if "000" would be a member.
    """
    listed = bool(_LISTED.search(text) or _BRACKET.search(text))
    spaced = bool(_LISTED.search(text))

    def join(number: re.Match[str]) -> str:
        parts = number[1].split(",")
        zeros = any(part.startswith("0") for part in parts[1:])
        return "".join(parts) if not listed or spaced or zeros else number[1]

    return _THOUSANDS.sub(join, text)
