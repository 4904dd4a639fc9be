"""Brings an answer into one form, without changing its value."""

from __future__ import annotations

import re

_ABOUT = re.compile(r"^\\approx(?![A-Za-z])\s*")
_FRACTION = re.compile(r"\\[dtc]frac(?![A-Za-z])")
_OPERAND = r"\s*(\d|[a-zA-Z]|\\pi(?![A-Za-z])|\{[^{}]*\})"
_TYPESET_COMMA = re.compile(r"(?<=\d)(?:,\\!|\{,\})(?=\d{3})")
_COMMA_IN_FRACTION = re.compile(r"(\\frac\{|\}\{)(\d{1,3}(?:,\d{3})+)(?=\})")
_MIXED = re.compile(r"([-+]?\d+)\s+(\d+)\s*/\s*(\d+)")
_SHORT_FRACTION = re.compile(rf"\\frac(?![A-Za-z]){_OPERAND}{_OPERAND}")
_PRIME = re.compile(r"\^\s*(?:\{(?:\s*\\prime(?![A-Za-z]))+\s*\}|\\prime(?![A-Za-z]))")
_PRIME_SIGNS = str.maketrans({"\u2032": "'", "\u2019": "'", "\u2033": "''"})

# In some data sets the row break of a matrix has lost one of its backslashes.
_LOST_BREAK = re.compile(r"(?<!\\)\\(?=[-+.\d])")

_DELIMITER = re.compile(r"\\(?:left|right|[bB]ig{1,2}[lrm]?)(?![A-Za-z])(?!\s*\.)")
_STYLED = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|mbox|mathrm|mathbf|operatorname)\s*\{((?:[^{}\\]|\\.)*)\}"
)
_BARE_AND = re.compile(r"\{,?\}")  # what is left of \text{, and } in some data sets
_AND = re.compile(r" *,? *(?<![A-Za-z\\])and(?![A-Za-z]) *|, *,")
_BARE_OR = re.compile(r"(?<![\\A-Za-z}^_])\{or\}")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:(?:\\,|,| )\d{3})+(?:\.\d+)?")
_SPACING = re.compile(r"(?<!\\)\\[,;: ]|\\q?quad(?![A-Za-z])|~|\s")
# A space is significant between two digits ("1 2" is not "12"), and where a command ends.
_IDLE_SPACE = re.compile(r"(?<!\d) | (?!\d)")
_COMMAND_END = re.compile(r"(\\[A-Za-z]+) (?=[A-Za-z])")
_WHOLE_GROUP = re.compile(r"\{([^{}\\]*)\}")
_FIRST_GROUP = re.compile(r"^\{([A-Za-z0-9]+)\}")
_DEGREE = r"(?:\^\{?\\circ\}?|°|\\degree)"
_DEGREES = re.compile(rf"[-+]?\d+(?:\.\d+)?{_DEGREE}(?:,[-+]?\d+(?:\.\d+)?{_DEGREE})*")
_ANY_DEGREE = re.compile(_DEGREE)
_OF_NUMBER = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)\(?\d")
_OPTION = re.compile(r"\(([A-Z])\)")


def tidy_answer(text: str) -> str:
    r"""Clean an answer up, as mathematics that a parser will read.

    Dollar signs, punctuation at the end and `\approx` in front go; a long minus becomes "-",
    `\dfrac` `\frac`, `^\prime` "'", `\frac\pi2` `\frac{\pi}{2}` and "3 1/2" `3\frac{1}{2}`. Commas
    between thousands go where nothing else can be meant: `10,\!000`, `\frac{1}{10,000}`.

    Args:
        text: An answer in LaTeX or plain text.

    Returns:
        The same answer.
    """
    text = text.replace("\\$", "").replace("$", "").replace("\u2212", "-")
    text = text if text.isascii() else text.translate(_PRIME_SIGNS)
    # Runs of white space go first: no pattern below may have to try each of their parts.
    text = _ABOUT.sub("", strip_ending(" ".join(text.split())))
    if "matrix}" in text:
        text = _LOST_BREAK.sub(r"\\\\", text)
    if "prime" in text:
        text = _PRIME.sub(lambda match: "'" * match.group().count("\\prime"), text)
    text = _SHORT_FRACTION.sub(_add_braces, _FRACTION.sub(r"\\frac", text))
    text = _TYPESET_COMMA.sub("", text)
    text = _COMMA_IN_FRACTION.sub(lambda match: match.group().replace(",", ""), text)
    if match := _MIXED.fullmatch(text):
        return "{}\\frac{{{}}}{{{}}}".format(*match.groups())
    return text


def normalise_answer(text: str, *, thousands: bool = True) -> str:
    r"""Bring an answer into the form in which equal texts are equal answers.

    Beyond `tidy`: `\left`, idle spaces, styles of text, invisible braces around the whole, commas
    and spaces between thousands, degree signs behind plain numbers and the parentheses of an
    option "(B)" go; "and" becomes a comma.

    Args:
        text: An answer in LaTeX or plain text.
        thousands: Whether "81,256" is one number. As a list of two it is "81, 256" too.

    Returns:
        Its normal form, for comparison only.
    """
    text = _DELIMITER.sub("", tidy_answer(text))
    text = _BARE_OR.sub(" or ", _STYLED.sub(r" \1 ", text))
    text = strip_ending(" ".join(text.split()))
    if thousands and _THOUSANDS.fullmatch(text):
        return re.sub(r"[^\d.+-]", "", text)
    text = _AND.sub(",", _BARE_AND.sub(_strip_braces, text))
    text = _drop_idle_spaces(text)
    if match := _WHOLE_GROUP.fullmatch(text):
        text = match.group(1)
    text = _FIRST_GROUP.sub(r"\1", text)
    if _DEGREES.fullmatch(text):
        text = re.sub(_DEGREE, "", text)
    if match := _OPTION.fullmatch(text):
        text = match.group(1)
    return text


def has_lost_degrees(answer: str, gold: str) -> bool:
    r"""Whether a target is the answer without degrees and spaces, as some of MATH are: `\tan15`."""
    if "\\" not in answer or " " in gold or not _OF_NUMBER.search(gold):
        return False
    if _ANY_DEGREE.search(gold) or not _ANY_DEGREE.search(answer):
        return False
    return normalise_answer(_ANY_DEGREE.sub("", answer)) == normalise_answer(gold)


def strip_ending(text: str) -> str:
    r"""Drop punctuation and spaces at the end, but not the dot of `\right.`, which is a bracket."""
    bare = text.rstrip(" .,;")
    if bare.endswith(("\\left", "\\right")) and text[len(bare) :].startswith("."):
        return f"{bare}."
    return bare


def _add_braces(fraction: re.Match[str]) -> str:
    above, below = (part.strip("{}") for part in fraction.groups())
    return f"\\frac{{{above}}}{{{below}}}"


def _strip_braces(match: re.Match[str]) -> str:
    return match.group().strip("{}")


def _drop_idle_spaces(text: str) -> str:
    text = " ".join(_SPACING.sub(" ", text.replace("\\!", "")).split())
    text = _COMMAND_END.sub("\\1\0", text)
    return _IDLE_SPACE.sub("", text).replace("\0", " ")
