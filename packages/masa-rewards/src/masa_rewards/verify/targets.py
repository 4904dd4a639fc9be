"""Targets that no answer, or only the same text, could be right for: found before training."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from masa_rewards.verify.case import MAX_CHARACTERS, read_gold, reduce_target
from masa_rewards.verify.equality.normal_form import normalise_answer
from masa_rewards.verify.equality.numbers import to_number
from masa_rewards.verify.options import read_choice

TargetFault = Literal[
    "blank", "placeholder", "too long", "sentence", "unreadable", "never equal", "too slow"
]
"""What is wrong with a target.

- "blank": there is nothing in it;
- "placeholder": it stands for an answer that is not there, as "proof" does, and could be stated;
- "too long": more than 1,000 characters;
- "sentence": words, of which only the same ones would be right;
- "unreadable": computer algebra cannot read it, so that only the same text is right;
- "never equal": it is not even equal to itself, as 1/0 is not;
- "too slow": computer algebra is not done with it in time.
"""

_PLACEHOLDERS = frozenset({
    "proof", "notfound", "nan", "null", "n/a", "na", "unknown", "tbd", "todo", "omitted",
    "noanswer", "noanswerfound", "seesolution", "seeproof", "proofomitted", "proofproblem",
    "notavailable", "notprovided", "nofinalanswer", "?", "...", "-",
})  # fmt: skip
_WORDS_ONLY = re.compile(r"[^\W\d_]{2,}(?:[\s',-]+[^\W\d_]+)*\.?")
_MOST_WORDS = 5
_STYLE = re.compile(r"\\(?:text[a-z]*|mathrm|mbox)\s*|[{}$]")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}(?![A-Za-z])")
_PROSE = 8


class TargetToParse(NamedTuple):
    """What of a target computer algebra has to read, part by part."""

    parts: list[str]


def read_target(target: str) -> TargetFault | TargetToParse | None:
    """Check a target as far as that needs no computer algebra.

    Args:
        target: A right answer, as it stands in the data.

    Returns:
        What is wrong with it; None where nothing is; or what is left to be read.
    """
    gold = read_gold(target) if target.strip() else ""
    plain = normalise_answer(gold)
    if not plain:
        return "blank"
    if plain.casefold().strip("().\\") in _PLACEHOLDERS:
        return "placeholder"
    if len(gold) > MAX_CHARACTERS:
        return "too long"
    choice = read_choice(plain)
    if to_number(plain) or (choice and not choice.text):
        return None
    text = _STYLE.sub(" ", gold).strip()
    if _WORDS_ONLY.fullmatch(text):
        return "sentence" if len(text.split()) > _MOST_WORDS else None
    if len(_WORD.findall(text)) >= _PROSE:
        return "sentence"
    return TargetToParse([part for part in reduce_target(gold) if to_number(part) is None])
