r"""Primes, which computer algebra drops: f'(x) is not f(x), and 6' is not 6."""

from __future__ import annotations

import re
from collections import Counter

from masa_rewards.verify.braces import find_text_groups
from masa_rewards.verify.equality.units import find_stated_unit

_PRIMED = re.compile(r"(\\[A-Za-z]+|[^\s'])\s*('+)")
_FEET = re.compile(r"[-+]?[\d.,\s]+('{1,2})\s*")
_MARKED = {"'": ("ft", "min"), "''": ("in", "s")}
_EQUALS = re.compile(r"(?<![<>!=])=(?!=)")


def has_different_primes(answer: str, gold: str) -> bool:
    """Whether one has a prime where the other has none, or fewer.

    The name in front of an equals sign may be left out, with its primes: f'(x) = 2x is 2x. A number
    with primes may be one of feet, inches or minutes, if the target is.

    Args:
        answer: The stated answer, after `tidy`.
        gold: The right one.
    """
    if "'" not in answer and "'" not in gold:
        return False
    if bool(_EQUALS.search(answer)) != bool(_EQUALS.search(gold)):
        answer, gold = _EQUALS.split(answer)[-1], _EQUALS.split(gold)[-1]
    return _count_primes(answer) != _count_primes(gold) and not (
        _is_mark(answer, gold) or _is_mark(gold, answer)
    )


def _count_primes(text: str) -> Counter[tuple[str, str]]:
    """What is primed, and how often; an apostrophe in a word is none."""
    for group in reversed(find_text_groups(text)):
        if re.search(r"[A-Za-z]{2}", group.words):
            text = f"{text[: group.start]} {text[group.end :]}"
    return Counter(_PRIMED.findall(text))


def _is_mark(text: str, other: str) -> bool:
    match = _FEET.fullmatch(text.strip(" $"))
    unit = find_stated_unit(other) if match else None
    return bool(match and unit and unit.symbol in _MARKED[match.group(1)])
