r"""Takes styles off what they dress: `\boldsymbol{5}`, `\textcolor{red}{5}`, `{\bf 5}`, `**5**`."""

from __future__ import annotations

import re

from masa_rewards.verify.braces import match_braces

_WRAPPER = re.compile(
    r"\\(?:boldsymbol|bm|pmb|mathsf|mathtt|mathnormal|mathring|underline|uline|ensuremath|mathord"
    r"|smash|fcolorbox\s*\{[^{}]{0,40}\}\s*\{[^{}]{0,40}\}"
    r"|(?:text|math)?color(?:box)?\s*(?:\[[A-Za-z]*\]\s*)?\{[^{}]{0,40}\})\s*(?=\{)"
)
_SWITCH = re.compile(
    r"\\(?:bf|rm|it|sf|tt|bfseries|itshape|large|Large|LARGE|huge|Huge|small|footnotesize"
    r"|normalsize|tiny|displaystyle|textstyle|scriptstyle|boldmath|color\s*\{[^{}]{0,40}\})"
    r"(?![A-Za-z])\s*"
)
_WORDS_IN_SWITCH = re.compile(r"\{\s*\\(?:bf|rm|it|sf|tt)(?![A-Za-z])\s*([A-Za-z. ]+)\}")
_OTHER_TEXT = re.compile(r"\\text(?:up|sc|sl|md|up|sf|tt)\s*(?=\{)")
_FUNCTION = re.compile(
    r"\\(?:mathrm|text|textrm|operatorname|mathop)\s*\{\s*"
    r"(ln|log|lg|sin|cos|tan|cot|csc|arcsin|arccos|arctan|sinh|cosh|tanh|exp)\s*\}\s*"
)
_LETTER = re.compile(r"(?<![\d\s,;~}])\\mathrm\s*\{\s*([ei])\s*\}|^\\mathrm\s*\{\s*([ei])\s*\}")
_CONSTANT = re.compile(r"\\mathrm\s*\{\s*([ei])\s*\}(?=\s*[\^+\-])")
_WHOLE_TEXT = re.compile(r"\\(?:text|textrm|mbox|mathrm)\s*\{([^{}\\]*\d[^{}\\]*)\}")
_BOLD_MARK = re.compile(r"\*\*([^*]+)\*\*|__([^_]+)__")


def strip_styles(text: str) -> str:
    r"""Return an answer without what only changes how it looks.

    Examples:
        >>> strip_styles(r"\boldsymbol{\frac12} \mathrm{ln}\, 2")
        '\\frac12 \\ln \\, 2'

    Functions in roman type become the commands of LaTeX; words in a switch stay words.

    Args:
        text: An answer. What is white was taken out before.
    """
    if "**" in text or "__" in text:
        text = _BOLD_MARK.sub(lambda bold: bold[1] or bold[2], text)
    if "\\" not in text:
        return text
    if whole := _WHOLE_TEXT.fullmatch(text):
        return whole[1].strip()
    text = _WORDS_IN_SWITCH.sub(r"\\text{\1}", text)
    text = _unwrap_groups(_SWITCH.sub("", _unwrap_groups(text, _WRAPPER)), None)
    text = _OTHER_TEXT.sub(r"\\text", text)
    if "{" in text:
        text = _FUNCTION.sub(r"\\\1 ", text)
        text = _CONSTANT.sub(r"\1", _LETTER.sub(lambda letter: letter[1] or letter[2], text))
    return text


def _unwrap_groups(text: str, command: re.Pattern[str] | None) -> str:
    """Drop each command with its braces; without a command, braces around the whole."""
    if command is None:
        bare = text.strip()
        whole = bare.startswith("{") and match_braces(bare).get(0) == len(bare) - 1
        return bare[1:-1].strip() if whole and "\\" in bare else text
    if not command.search(text):
        return text
    ends = match_braces(text)
    gone: list[tuple[int, int]] = []
    for match in command.finditer(text):
        if match.end() in ends:
            gone += [(match.start(), match.end() + 1), (ends[match.end()], ends[match.end()] + 1)]
    kept, position = [], 0
    for start, end in sorted(gone):
        kept.append(text[position:start])
        position = max(position, end)
    return "".join([*kept, text[position:]])
