r"""Operators that math-verify reads otherwise: `\pm`, `\sin 30^\circ`, `2^\frac12`, `(1101)_2`."""

from __future__ import annotations

import re

from masa_rewards.verify.parts import split_list

_PLUS_MINUS = re.compile(r"\\(pm|mp)(?![A-Za-z])\s*")
_MOST_SIGNS = 3
_BARE_EXPONENT = re.compile(r"\^\s*(\\frac\s*(?:\{[^{}]*\}\s*\{[^{}]*\}|\d\s*\d))")
_DECIMAL_EXPONENT = re.compile(r"\^\s*\{\s*(-?)(\d{0,6})\.(\d{1,6})\s*\}")
_NAMED_EXTREME = re.compile(r"(?:\|([A-Z])[A-Z]{0,2}\||([A-Za-z])\([a-z]\))\s*(?=_\{(?:max|min)\})")
_TRIGONOMETRIC = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?![A-Za-z])")
_DEGREES = re.compile(
    r"(\d+(?:\.\d+)?|\\frac\s*\{[^{}]*\}\s*\{[^{}]*\}|[a-zA-Z]|\\(?:theta|alpha|beta)(?![A-Za-z]))"
    r"\s*(?:\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z]))|°|\\degree(?![A-Za-z]))"
)
_EMPTY = re.compile(r"\\(?:varnothing|emptyset)(?![A-Za-z])")
_EXTREME = re.compile(
    r"_\s*(?:\{\s*(?:\\(?:text|mathrm|textrm|operatorname|mbox)\s*\{\s*([A-Za-z]{2,12})\s*\}"
    r"|\\(max|min|total|ave|avg)(?![A-Za-z])\s*|([A-Za-z]{2,12}))\s*\}"
    r"|\\(max|min)(?![A-Za-z]))"
)
_BASE_NAMES = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "sixteen": 16,
}  # fmt: skip
_NAMED_BASE = re.compile(
    r"(?<=[0-9A-Z)}])\s*_\s*\{?\s*\\?(?:text|mathrm|textrm|mbox)?\s*\{?\s*"
    rf"({'|'.join(_BASE_NAMES)})\s*\}}?\s*\}}?"
)
_BRACKETED_BASE = re.compile(r"^\(([0-9A-Z]{1,99})\)\s*(?=_)")
_INEQUALITIES = re.compile(r"\\(leqslant|leqq|geqslant|geqq|lt|gt)(?![A-Za-z])\s?")
_SAME_SIGN = {
    "leqslant": r"\le ", "leqq": r"\le ", "geqslant": r"\ge ", "geqq": r"\ge ", "lt": "<",
    "gt": ">",
}  # fmt: skip


def rewrite_operators(text: str) -> str:
    r"""Write operators so that math-verify reads them as they are meant.

    Examples:
        >>> rewrite_operators(r"\frac{1 \pm \sqrt5}{2}")
        '\\frac{1 +\\sqrt5}{2}, \\frac{1 -\\sqrt5}{2}'
        >>> rewrite_operators(r"\sin 30^\circ")
        '\\sin {\\frac{30\\pi}{180}}'

    Args:
        text: An answer.
    """
    if "^" in text or "°" in text or "degree" in text:
        text = _BARE_EXPONENT.sub(r"^{\1}", text)
        text = _DECIMAL_EXPONENT.sub(_write_exponent, text)
        if _TRIGONOMETRIC.search(text):
            text = _DEGREES.sub(r"{\\frac{\1\\pi}{180}}", text)
    if "_" in text:
        text = _BRACKETED_BASE.sub(r"\1", text)
        text = _NAMED_BASE.sub(lambda base: f"_{{{_BASE_NAMES[base[1]]}}}", text)
        text = _EXTREME.sub(_shorten_subscript, text)
        text = _NAMED_EXTREME.sub(lambda name: name[1] or name[2], text)
    if "\\" not in text:
        return text
    text = text.replace("\\colon", ":").replace("\\backslash", "\\setminus ")
    text = _EMPTY.sub(r"\\emptyset", text)
    text = _INEQUALITIES.sub(lambda sign: _SAME_SIGN[sign[1]], text)
    return _expand_signs(text) if _PLUS_MINUS.search(text) else text


def _write_exponent(exponent: re.Match[str]) -> str:
    digits = int(exponent[2] + exponent[3])
    return f"^{{{exponent[1]}\\frac{{{digits}}}{{{10 ** len(exponent[3])}}}}}"


def _shorten_subscript(subscript: re.Match[str]) -> str:
    word = next(filter(None, subscript.groups()))
    return f"_{{{word[:3].lower()}}}"


def _expand_signs(text: str) -> str:
    r"""Write both members out, wherever `\pm` stands in them.

    Signs beside a `\mp` go together; else each is either.
    """
    parts, separators = split_list(text)
    wide = [_expand_part(part) for part in parts]
    joined = [", ".join(wide[0])]
    for separator, members in zip(separators, wide[1:], strict=True):
        glue = f"{separator} " if separator in ",;" else f" \\text{{ {separator} }} "
        joined.append(f"{glue}{', '.join(members)}")
    return "".join(joined)


def _expand_part(part: str) -> list[str]:
    signs = _PLUS_MINUS.findall(part)
    if not signs or len(signs) > _MOST_SIGNS:
        return [part]
    if "mp" in signs or len(signs) == 1:
        return [_choose_signs(part, {"pm": one, "mp": other}) for one, other in ("+-", "-+")]
    head = _PLUS_MINUS.search(part)
    assert head is not None
    both = [part[: head.start()] + sign + part[head.end() :] for sign in "+-"]
    return [_drop_plus(one) for start in both for one in _expand_part(start)]


def _choose_signs(part: str, signs: dict[str, str]) -> str:
    return _drop_plus(_PLUS_MINUS.sub(lambda match: signs[match[1]], part))


_LEADING_PLUS = re.compile(r"((?:^|[=({\[,])\s*)\+")


def _drop_plus(part: str) -> str:
    return _LEADING_PLUS.sub(r"\1", part)
