"""Says before training which targets answers cannot be compared with."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable
from functools import partial

from masa_rewards.verify.verifier import AnswerVerifier

_logger = logging.getLogger("masa_rewards")


def warn_of_targets(answers: Iterable[str], verifier: AnswerVerifier | None = None) -> Counter[str]:
    r"""Log one warning with the targets that no answer, or only the same text, is right for.

    Examples:
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


class TargetWatch:
    """Warns once, by `warn_of_targets`, where a stack shows targets one at a time.

    The first distinct targets are gathered, and checked in a thread of their own: whoever rewards
    a sample does not wait. Of a set that is smaller they are checked after eight times as many
    samples.
    """

    def __init__(self, verifier: AnswerVerifier, size: int = 256) -> None:
        """Gather nothing yet.

        Args:
            verifier: Checks the targets.
            size: Number of distinct targets that are checked. At least 1.

        Raises:
            ValueError: If `size` is below 1.
        """
        if size < 1:
            raise ValueError(f"size must be at least 1: got {size}")
        self._verifier, self._size = verifier, size
        self._lock = threading.Lock()
        self._targets: dict[str, None] | None = {}
        self._seen = 0

    def see(self, target: str) -> None:
        """Take the target of one sample."""
        with self._lock:
            if self._targets is None:
                return
            self._seen += 1
            self._targets[target] = None
            if len(self._targets) < self._size and self._seen < 8 * self._size:
                return
            gathered, self._targets = list(self._targets), None
        threading.Thread(
            target=warn_of_targets, args=(gathered, self._verifier), daemon=True
        ).start()

    def __reduce__(self) -> tuple[partial[TargetWatch], tuple[()]]:
        """Begin anew in another process."""
        return partial(TargetWatch, self._verifier, self._size), ()
