r"""Words and signs around a value: labels in front, currencies, hedges, remarks behind."""

from __future__ import annotations

import re

_LEAD = re.compile(
    r"(?:\\(?:therefore|because|implies|Rightarrow|Longrightarrow|rightarrow|to)(?![A-Za-z])"
    r"|=(?!=))\s*"
)
_REMARK = re.compile(
    r"(?:\s|\\[,;: ]|~)*\(\s*"
    r"(?:exact(?:ly)?|approx(?:imately|\.)?|simplified|rounded|in total)\s*\)$"
)
_HEDGED = re.compile(
    r"(?:\\(?:text|mathrm|mbox|textrm)\s*\{\s*(?:about|approx(?:\.|imately)?|around|roughly|exactly"
    r"|only|therefore,?|so,?|thus,?|hence,?)\s*:?\s*\}"
    r"|(?:about|approx(?:\.|imately)?|around|roughly|exactly)(?![A-Za-z])\s+(?=[\d.\\$£€-])"
    r"|\\sim(?![A-Za-z])|~=)(?:\s|\\[,;: ]|~)*",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?P<before>^|,|;)(?P<gap>(?:\s|\\[,;: ]|~)*)\\(?:text(?:bf|it|rm)?|mathrm|mbox)\s*"
    r"\{[\s,]*(?P<words>[^{}:=]{1,40}?)\s*(?P<sign>[:=]|\bis\b|\bare\b)?\s*\}"
    r"(?:\s|\\[,;: ]|~)*(?P<outside>[:=])?(?:\s|\\[,;: ]|~)*"
    r"(?P<value>[^,;{}]*(?:\{[^{}]*\}[^,;{}]*)*)"
)
_PLAIN_LABEL = re.compile(
    r"^(?:the\s+)?(?:(?:final|correct|exact)\s+)?(?:answer|result|area|volume|sum|total|value"
    r"|perimeter|probability|solution)\s*(?::|is|=)\s*(?=\S)",
    re.IGNORECASE,
)
_TEXT_LABEL = re.compile(
    r"^\\(?:text(?:bf|it|rm)?|mathrm|mbox)\s*\{\s*(?:the\s+)?(?:(?:final|correct|exact)\s+)?"
    r"(?:answers?|results?|solutions?|values?)\s*(?:is|are)?\s*[:=]?\s*\}(?:\s|\\[,;: ]|~)*(?=.)",
    re.IGNORECASE,
)
# Of a label with one of these the value is another one without it.
_HARMFUL = re.compile(
    r"(?<![a-z])(?:not?|nor|never|n't|negative|minus|less|more|least|most|fewer|greater|under|over"
    r"|above|below|between|except|wrong|incorrect|false|half|twice|double|square|root|per|percent"
    r"|if|or|and|other|than|up|down|option|choice)(?![a-z])|^\(?[A-J]\)?\.?$",
    re.IGNORECASE,
)
_TO = re.compile(r"(\d+(?:\.\d+)?)\s*(?:\\text\s*\{\s*to\s*\}|(?<=\s)to(?=\s))\s*(\d+(?:\.\d+)?)")
_NO_SOLUTION = re.compile(
    r"(?:\\(?:text|mathrm|mbox)\s*\{)?\s*(?:(?:there\s+(?:is|are)\s+)?no\s+(?:real\s+)?solutions?"
    r"(?:\s+exists?)?|(?:the\s+)?empty\s+set)\s*\}?",
    re.IGNORECASE,
)
_UNITS = re.compile(
    r"(?<=[\d})])(?:\s|\\[,;: ]|~)*(?:sq(?:uare)?|cu(?:bic)?)\.?\s*units?\.?$", re.IGNORECASE
)
_VALUE = re.compile(r"[\d\\(\[]")
_CURRENCIES = {
    "€": "euros", "\\euro": "euros", "£": "pounds", "\\pounds": "pounds", "¥": "yen",
    "\\yen": "yen", "₹": "rupees",
}  # fmt: skip
_SIGN = r"(?:€|£|¥|₹|\\(?:euro|pounds|yen)(?:\{\})?(?![A-Za-z]))"
_CURRENCY = re.compile(
    rf"^(?P<minus>[-+]?)\s*(?P<sign>{_SIGN})(?:\s|\\[,;: ]|~)*(?P<value>[^£€¥₹]+)$"
    rf"|^(?P<other>[^£€¥₹]*?[\d}}])(?:\s|\\[,;: ]|~)*(?P<behind>{_SIGN})$"
)
_RUPEES = re.compile(
    r"^(?:\\(?:text|mathrm|mbox)\s*\{\s*(Rs\.?|USD|US|EUR|INR|GBP)\s*\}|(Rs\.?|USD|EUR|INR|GBP|US))"
    r"(?:\s|\\[,;: ]|~)*(?:\\?\$)?\s*(?=[\d.])",
    re.IGNORECASE,
)
_CODES = {"rs": "rupees", "inr": "rupees", "usd": "dollars", "us": "dollars", "eur": "euros",
          "gbp": "pounds"}  # fmt: skip
_TEXT_CONNECTED = re.compile(
    r"\\(text|mathrm|mbox|textrm)\s*\{\s*([^{}]*?[A-Za-z])\s*,?\s+and\s*\}(?=[\s~]*[\d\\(-])"
)


def strip_words(text: str) -> str:
    r"""Bring what words and signs stand around a value into one order: the value, then they.

    Examples:
        >>> strip_words(r"\text{Area: } 5")
        '5\\text{ Area}'
        >>> strip_words("£75")
        '75\\text{ pounds}'

    Hedges ("about"), remarks ("(exact)") and signs that a conclusion follows go.

    Args:
        text: An answer.
    """
    text = _LEAD.sub("", text, count=1) if _LEAD.match(text) else text
    if match := _TO.fullmatch(text):
        return f"{match[1]}:{match[2]}"
    if _NO_SOLUTION.fullmatch(text):
        return "\\emptyset"
    if "unit" in text[-8:]:
        text = _UNITS.sub("", text)
    if text[-1:] == ")":
        text = _REMARK.sub("", text)
    if match := _HEDGED.match(text):
        text = text[match.end() :]
    if match := _PLAIN_LABEL.match(text) or _TEXT_LABEL.match(text):
        text = text[match.end() :]
    if not text.isascii() or "\\" in text or text[:1] in "RrUuEIiGg":
        text = _move_currency(text)
    if "\\text" in text or "\\m" in text:
        text = _TEXT_CONNECTED.sub(r"\\\1{ \2}\\text{ and }", text)
        text = _LABEL.sub(_move_label, text)
    return text


def _move_currency(text: str) -> str:
    if match := _RUPEES.match(text):
        name = _CODES[(match[1] or match[2]).lower().rstrip(".")]
        return f"{text[match.end() :]}\\text{{ {name}}}"
    match = _CURRENCY.match(text)
    if not match:
        return text
    name = _CURRENCIES[(match["sign"] or match["behind"]).replace("{}", "")]
    value = match["minus"] + match["value"] if match["sign"] else match["other"]
    return f"{value.strip()}\\text{{ {name}}}"


def _move_label(label: re.Match[str]) -> str:
    r"""Put a label behind its value; leave one that changes it."""
    words, value = label["words"].strip(), label["value"].rstrip()
    named = label["sign"] or label["outside"] or label.string.count(",") or label["before"]
    if (
        not named
        or _HARMFUL.search(words)
        or not _VALUE.search(value)
        or value.startswith(("^", "_"))
    ):
        return label.group()
    space = label["value"][len(value) :]
    return f"{label['before']}{label['gap']}{value}\\text{{ {words}}}{space}"
