"""Gold answers that no answer can match, found before training: they would earn 0 silently."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from masa_control import Problem
from masa_rewards import AnswerVerifier
from masa_rewards.verify.targets import TargetToParse, read_target

from masa_openrlhf.data.errors import DataError

MOST_READ = 1000
"""Golds that computer algebra is given, at most: it takes some 10 ms for each."""

_NO_ANSWER = ("blank", "placeholder")
_MOST_WORKERS = 8


class CheckedTargets(NamedTuple):
    """Problems whose gold answers were looked at.

    Of a problem whose gold is "unreadable", "too long", a "sentence" or the like only an answer of
    the same text is right: see `masa_rewards.AnswerVerifier.check_target`. It is kept, and counted.

    Attributes:
        problems: those that have an answer.
        left_out: those whose gold stands for none, as "proof", by reason.
        doubtful: of those kept, whose gold only the same text matches, by reason.
        first_doubtful: the gold of the first of them; "" where there is none.
        unread: of those kept, whose gold computer algebra has to read and was not given: of so
            many, `MOST_READ` are.
    """

    problems: list[Problem]
    left_out: Mapping[str, int]
    doubtful: Mapping[str, int]
    first_doubtful: str
    unread: int


def check_targets(source: str, problems: Sequence[Problem], largest_share: float) -> CheckedTargets:
    """Look at the gold answers of problems.

    Args:
        source: where they are from, for messages.
        problems: at least one.
        largest_share: of golds that no answer, or only the same text, can match; 0 to 1. Of golds
            that computer algebra was not given, the share is taken to be that of those it was.

    Raises:
        DataError: their share is larger, or no problem is left.
    """
    faults = _find_faults(list(dict.fromkeys(problem.answer for problem in problems)))
    known = faults.plain | faults.read
    found = [problem for problem in problems if known.get(problem.answer)]
    kept = [problem for problem in problems if known.get(problem.answer) not in _NO_ANSWER]
    reasons = Counter(known[problem.answer] for problem in found)
    unread = sum(problem.answer not in known for problem in kept)
    if not kept or _estimate_share(problems, faults) > largest_share:
        more = f"; {unread:,} more were not looked into, and count as those were" if unread else ""
        told = _explain_faults(found, reasons, len(problems)) + more
        raise DataError(
            f"{source}: {told}. Name the column of the answers by data.answer_key, or train on the "
            f"rest by data.max_unmatchable (the largest share, now {largest_share:g})"
        )
    doubtful = [problem for problem in kept if known.get(problem.answer)]
    return CheckedTargets(
        kept,
        {f"{why} for an answer": n for why, n in reasons.items() if why in _NO_ANSWER},
        {why: n for why, n in reasons.items() if why not in _NO_ANSWER},
        doubtful[0].answer if doubtful else "",
        unread,
    )


class _Faults(NamedTuple):
    """Why nothing matches a gold, "" where something does: told by its text, and by reading it."""

    plain: dict[str, str]
    read: dict[str, str]


def _find_faults(golds: Sequence[str]) -> _Faults:
    looked_at = {gold: read_target(gold) for gold in golds}
    plain: dict[str, str] = {
        gold: one or "" for gold, one in looked_at.items() if not isinstance(one, TargetToParse)
    }
    unread = [gold for gold in golds if gold not in plain]
    some = unread[:: max(1, -(-len(unread) // MOST_READ))]  # evenly over the data
    workers = max(1, min(_MOST_WORKERS, len(os.sched_getaffinity(0))))
    with AnswerVerifier(workers=workers) as verifier:
        read = zip(some, verifier.check_targets(some), strict=True)
        return _Faults(plain, {gold: fault or "" for gold, fault in read})


def _estimate_share(problems: Sequence[Problem], faults: _Faults) -> float:
    """Share of the golds that nothing matches: those not read count as those that were."""
    plain = [faults.plain[p.answer] for p in problems if p.answer in faults.plain]
    read = [faults.read[p.answer] for p in problems if p.answer in faults.read]
    wrong = float(sum(map(bool, plain)))
    if read:
        wrong += sum(map(bool, read)) / len(read) * (len(problems) - len(plain))
    return wrong / len(problems)


def _explain_faults(found: Sequence[Problem], reasons: Counter[str], of: int) -> str:
    counted = ", ".join(f"{count:,} {why}" for why, count in reasons.most_common())
    return (
        f"{len(found):,} of {of:,} gold answers are such that no answer, or only the same text, "
        f"can match them ({counted}); the first is {found[0].answer[:80]!r}, of problem "
        f"{found[0].id!r}"
    )
