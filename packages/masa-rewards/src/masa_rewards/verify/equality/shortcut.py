r"""Decides at once what needs no computer algebra: the same text, or plain numbers.

Nothing here may take two different values for one: what is not certain is left open.
"""

from __future__ import annotations

import re

from masa_rewards.verify.equality.chains import is_false_chain
from masa_rewards.verify.equality.normal_form import normalise_answer
from masa_rewards.verify.equality.numbers import is_same_number, to_number

_BASED = re.compile(r"([0-9A-Z]{1,99})_\{?([0-9]{1,2})\}?")
# A number behind a base or an exponent is no gap: `\log_2 8`.
_GAP = re.compile(r"(?<![\d_^])\d+ \d")
# Computer algebra would read a product of letters, and take "evil" for "live", and "on" for "no".
_WORD = re.compile(r"[^\W\d_]{4,}|[A-Z]{3}")
_SHORT_WORD = re.compile(r"yes|no|odd", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+")


def decide_at_once(answer: str, gold: str) -> bool | None:
    """Decide whether an answer is right, if that needs no computer algebra.

    Args:
        answer: The extracted answer.
        gold: The right one.

    Returns:
        True when both are the same text after `normalise`, or the same number. False when both are
        numbers that differ, or two words that do, or when the answer is two numbers without
        anything between them, or states that two different ones are equal. None when it
        takes more.
    """
    if normalise_answer(answer, thousands=False) == normalise_answer(gold, thousands=False):
        return True
    answer, gold = normalise_answer(answer), normalise_answer(gold)
    if answer == gold:
        return True
    if _GAP.search(answer) or is_false_chain(answer):
        return False
    if _is_word_pair(answer, gold):
        return answer.casefold() == gold.casefold()
    return _compare_numbers(answer, gold)


def _is_word_pair(answer: str, gold: str) -> bool:
    if _SHORT_WORD.fullmatch(gold):
        return bool(_LETTERS.fullmatch(answer))
    return bool(_WORD.fullmatch(answer) and _WORD.fullmatch(gold))


def _compare_numbers(answer: str, gold: str) -> bool | None:
    stated, wanted = to_number(answer), to_number(gold)
    if stated and wanted:
        return is_same_number(stated, wanted)
    based, wanted_based = _parse_based_number(answer), _parse_based_number(gold)
    # A number without a base is one of base ten, and one that its base has not is no number.
    if based is not None and (wanted or wanted_based is not None):
        return based == (wanted.value if wanted else wanted_based)
    if wanted_based is not None and stated:
        return wanted_based == stated.value
    if wanted and _BASED.fullmatch(answer):
        return False
    return None


def _parse_based_number(text: str) -> int | None:
    """Read "1101_2" or "A5_{11}"."""
    match = _BASED.fullmatch(text)
    if not match or not 2 <= int(match.group(2)) <= 36:
        return None
    try:
        return int(match.group(1), int(match.group(2)))
    except ValueError:
        return None
