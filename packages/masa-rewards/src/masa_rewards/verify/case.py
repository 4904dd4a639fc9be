"""What of a text and a target has to be compared; the verdict where that is plain at once."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from masa_rewards.verify.anchors import find_anchored
from masa_rewards.verify.equality.algebra import join_ordered
from masa_rewards.verify.equality.distinctions import is_different_in_form
from masa_rewards.verify.equality.labelled import pair_members
from masa_rewards.verify.equality.normal_form import (
    has_lost_degrees,
    normalise_answer,
    tidy_answer,
)
from masa_rewards.verify.equality.ratios import MemberPairs, pair_congruences, pair_ratios
from masa_rewards.verify.equality.shortcut import decide_at_once
from masa_rewards.verify.equality.units import has_different_marks, has_different_units, split_unit
from masa_rewards.verify.equality.value_tails import drop_words
from masa_rewards.verify.extraction import READ_CHARACTERS, Extraction, find_answer
from masa_rewards.verify.hidden_text import drop_hidden
from masa_rewards.verify.inputs import restore_backslashes
from masa_rewards.verify.notation.rewrite import rewrite_notation
from masa_rewards.verify.notation.scales import fold_scale
from masa_rewards.verify.options import read_choice
from masa_rewards.verify.parts import split_list
from masa_rewards.verify.verdict import Verdict

# Their meaning is compared before; not every version of math-verify ignores them here.
_PERCENT_WORDS = re.compile(r"(\\?%)(?:\s|\\[,;: ]|~)*\\(?:text|mathrm|mbox)\s*\{[^{}]*\}\s*\.?$")
_ANCHORED = re.compile(r"####|\banswer\b|</answer>", re.IGNORECASE)
MAX_CHARACTERS = 1_000
"""A longer answer is not given to computer algebra, which it would only keep busy."""


class AlgebraCase(NamedTuple):
    """Two answers that only computer algebra can compare: the stated one, and both as it reads."""

    answer: str
    stated: str
    wanted: str


class _Pair(NamedTuple):
    stated: str
    wanted: str


def read_case(answer_text: str, gold: str, extraction: Extraction) -> Verdict | AlgebraCase:
    """Read what a text states and decide it, if it needs no computer algebra.

    Nothing of the text is kept but the answer.

    Args:
        answer_text: The solution; its last 8,192 characters are read.
        gold: The right answer.
        extraction: What states an answer.

    Returns:
        The verdict, or the case for computer algebra.

    Raises:
        ValueError: If `gold` is blank.
    """
    if not gold.strip():
        raise ValueError(f"gold is blank ({gold!r}); a problem without an answer has no verdict")
    wanted = read_gold(gold)
    answer = find_answer(answer_text, extraction, several=len(split_list(wanted).parts) > 1)
    if answer is None or not normalise_answer(answer):
        detail = f"no {extraction} answer in the last {READ_CHARACTERS} characters"
        if find_answer(gold, "boxed"):
            detail += "; the target has one: the text comes first, the right answer second"
        return Verdict(status="unparsable", answer=answer, detail=detail)
    if has_lost_degrees(answer, gold):
        return Verdict(status="correct", answer=answer)
    decided = _decide_pair(rewrite_notation(answer), wanted)
    if isinstance(decided, bool):
        return Verdict(status="correct" if decided else "incorrect", answer=answer)
    if len(answer) > MAX_CHARACTERS:
        detail = f"an answer of {len(answer)} > {MAX_CHARACTERS} characters"
        return Verdict(status="unparsable", answer=answer, detail=detail)
    return AlgebraCase(answer, *decided)


@lru_cache(maxsize=1024)
def read_gold(gold: str) -> str:
    """Read a target: what is in its boxes, behind "####" or "the answer is", or all of it."""
    gold = restore_backslashes(gold)
    anchored = find_anchored(gold) if _ANCHORED.search(gold) else None
    return rewrite_notation(
        find_answer(gold, "boxed", several=True) or anchored or drop_hidden(gold)
    )


def reduce_target(gold: str) -> list[str]:
    """Return what of a target that was read goes to computer algebra: its parts, without words."""
    if chosen := read_choice(normalise_answer(gold)):
        gold = chosen.text
    for pair_parts in (pair_ratios, pair_congruences, pair_members):
        paired = pair_parts(gold, gold)
        if paired is True:
            return []
        if isinstance(paired, list) and paired != [(gold, gold)]:
            return [part for _, wanted in paired for part in reduce_target(wanted)]
    text = tidy_answer(gold)
    text = _PERCENT_WORDS.sub(r"\1", fold_scale(text) or text)
    return [drop_words(split_unit(text).value)]


def _decide_pair(answer: str, gold: str) -> bool | _Pair:
    """Decide, or return what is left to compare: without the letter of an option, and units."""
    decided = decide_at_once(answer, gold)
    if decided is not None:
        return decided and not has_different_marks(answer, gold)
    chosen, right = read_choice(normalise_answer(answer)), read_choice(normalise_answer(gold))
    if chosen and right:
        return chosen.letter == right.letter
    if chosen and chosen.text:
        return _decide_pair(chosen.text, gold)
    if right and right.text:
        return _decide_pair(answer, right.text)
    for pair_parts in (pair_ratios, pair_congruences, pair_members):
        paired = pair_parts(answer, gold)
        if isinstance(paired, bool):
            return paired
        if paired is not None and paired != [(answer, gold)]:
            return _decide_parts(paired)
    return _decide_scaled(answer, gold)


def _decide_parts(pairs: MemberPairs) -> bool | _Pair:
    """Decide part by part; what is left is compared together."""
    left: list[_Pair] = []
    for stated, wanted in pairs:
        decided = _decide_pair(stated, wanted)
        if decided is False:
            return False
        if isinstance(decided, _Pair):
            left.append(decided)
    if len(left) < 2:
        return left[0] if left else True
    stated_parts, wanted_parts = zip(*left, strict=True)
    return _Pair(join_ordered(list(stated_parts)), join_ordered(list(wanted_parts)))


def _decide_scaled(answer: str, gold: str) -> bool | _Pair:
    """Decide, with what multiplies a number taken into it: "5 million" is 5,000,000."""
    if has_different_units(answer, gold):
        return False
    answer, gold = tidy_answer(answer), tidy_answer(gold)
    stated, wanted = fold_scale(answer), fold_scale(gold)
    if stated or wanted:
        answer, gold = stated or answer, wanted or gold
        decided = False if has_different_units(answer, gold) else decide_at_once(answer, gold)
        if decided is not None:
            return decided
    return _decide_quantity(answer, gold)


def _decide_quantity(answer: str, gold: str) -> bool | _Pair:
    if is_different_in_form(answer, gold):
        return False
    bare = [_PERCENT_WORDS.sub(r"\1", text) for text in (answer, gold)]
    stated, wanted = (drop_words(split_unit(text).value) for text in bare)
    if (stated, wanted) != (answer, gold):
        decided = decide_at_once(stated, wanted)
        if decided is not None:
            return decided
    return _Pair(stated, wanted)
