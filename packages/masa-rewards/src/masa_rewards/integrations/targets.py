"""Says before training which targets answers cannot be compared with."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable

from masa_rewards.verify.verifier import AnswerVerifier

_logger = logging.getLogger("masa_rewards")


def warn_of_targets(answers: Iterable[str], verifier: AnswerVerifier | None = None) -> Counter[str]:
    r"""Log one warning with the targets that no answer, or only the same text, is right for.

    >>> warn_of_targets(["5", r"\\frac{1}{2}"])
    Counter()

    Args:
        answers: The right answers of a data set.
        verifier: Checks them; by default one of its own, which is closed at the end.

    Returns:
        How many, by reason: see `AnswerVerifier.check_target`.
    """
    answers = list(answers)
    if verifier is None:
        with AnswerVerifier() as own:
            faults = own.check_targets(answers)
    else:
        faults = verifier.check_targets(answers)
    counts = Counter(str(fault) for fault in faults if fault)
    if counts:
        first = next(answer for answer, fault in zip(answers, faults, strict=True) if fault)
        _logger.warning(
            "%d of %d targets cannot be compared with answers by value (%s), so only the same text "
            "is right for them; the first is %r. AnswerVerifier.check_target tells of each",
            counts.total(),
            len(answers),
            ", ".join(f"{count} {reason}" for reason, count in counts.items()),
            first[:200],
        )
    return counts
