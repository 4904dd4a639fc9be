"""Finds an answer that no box states: "the answer is ...", "**Answer**", "<answer>", "####"."""

from __future__ import annotations

import re

_LEAD = r"[ \t#*_>\-]"
_ANCHOR = re.compile(
    rf"(?:\banswer[*_]{{0,3}}[ \t]{{0,9}}(?:is\b|are\b|equals\b|[:=]"
    r"|(?:would|should|must|will|to)[ \t]be\b)"
    r"|(?:答案|정답)[*_]{0,3}\s{0,9}(?:是|为|爲|은|[:：])|\bответ[*_]{0,3}[ \t]{0,9}[:—-]"
    r"|\b(?:respuesta|réponse|antwort|risposta|resposta)[*_]{0,3}[ \t]{0,9}"
    r"(?:es\b|est\b|ist\b|è\b|é\b|:)"
    rf"|^{_LEAD}{{0,9}}[#*]{_LEAD}{{0,9}}(?:(?:the|my|final|correct)[ \t]){{0,3}}"
    r"answers?[*_:]{0,5}"
    rf"(?=[ \t]*$|(?<=[*_]))"
    r"|####(?!#))[\s:：*_]*"
    r"((?:[^\n.。]|\.(?=\S))+)",
    re.IGNORECASE | re.MULTILINE,
)
_REASON = re.compile(
    r"(?<!\s)(?:\s*[,;]\s*|\s+)\(?(?:because|since|as(?!\s+(?:a|an|the)\s)|so(?:\s+that)?"
    r"|which|therefore|thus|hence|given\s+that|where(?=\s+we)|and\s+(?:we|this|so|that))\b.*",
    re.DOTALL | re.IGNORECASE,
)
_FILLER = re.compile(
    r"\s*(?:(?:therefore|thus|hence|indeed|simply|just|then|clearly|equal\s+to)\b\s*,?\s*)+",
    re.IGNORECASE,
)
_OPEN, _CLOSE = "<answer>", "</answer>"


def find_anchored(text: str) -> str | None:
    r"""Find the answer that words state last; that in the last tags of an answer goes before.

    Examples:
        >>> find_anchored("### Final answer\n\n42, as required.")
        '42'

    Args:
        text: The end of a solution, without thoughts.

    Returns:
        What stands up to the end of the sentence, without a reason behind it; None without any.
    """
    if tagged := _find_tagged(text):
        return tagged
    anchors = _ANCHOR.findall(text)
    if not anchors:
        return None
    stated = _REASON.sub("", anchors[-1], count=1)
    if filler := _FILLER.match(stated):
        stated = stated[filler.end() :]
    return stated.replace("**", "").strip(" \t*_.:：") or None


def _find_tagged(text: str) -> str | None:
    lower = text.lower()
    end = lower.rfind(_CLOSE)
    start = lower.rfind(_OPEN, 0, max(end, 0))
    if start < 0:
        return None
    inside = text[start + len(_OPEN) : end].strip()
    return find_anchored(inside) or inside or None
