"""Hints: the notions that the policy foresees are put to the problem before it is solved.

The second version of the paper has them. As an option, only notions with a good record are put:
those that stood in a larger share of the correct solutions than of the incorrect ones, over all
problems of which they were predicted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from masa_rewards.lemma import Phrase, to_phrase
from masa_rewards.notion_rules import NotionCount

from masa_control.state import restored, saved

HINT_TEMPLATE = (
    "{problem}\n\nThe problem could be solved using the following math notions: {notions}"
)
"""The paper's wording."""


@dataclass(frozen=True, slots=True)
class HintSettings:
    """Which notions make a hint.

    Attributes:
        max_notions: at most so many, >= 1.
        record: only notions with a good record.
        min_seen: solutions in which a notion must have stood for its record to count, >= 1.
        remembered: notions of which a record is kept, >= 1; those seen least are forgotten first.
    """

    max_notions: int = 5
    record: bool = False
    min_seen: int = 16
    remembered: int = 20_000

    def __post_init__(self) -> None:
        for name in ("max_notions", "min_seen", "remembered"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1, got {getattr(self, name)!r}")


@dataclass(frozen=True, slots=True)
class HintChooser:
    """Chooses a hint from M predictions; a value, not a state.

    Attributes:
        max_notions: at most so many.
        good: notions that may be put; None: all.
    """

    max_notions: int = 5
    good: frozenset[Phrase] | None = None

    def choose(self, notions: Sequence[Sequence[str] | None]) -> tuple[str, ...]:
        """Return the notions that most predictions name, the first spelling of each.

        Args:
            notions: of each of the M predictions; None where unreadable.

        Returns:
            At most ``max_notions``, those named most often first; equals by the alphabet, so that
            the order of the predictions does not matter.
        """
        named: Counter[Phrase] = Counter()
        spelled: dict[Phrase, str] = {}
        for prediction in notions:
            phrases = {to_phrase(notion): notion for notion in sorted(prediction or ())}
            for phrase, notion in phrases.items():
                if phrase and (self.good is None or phrase in self.good):
                    named[phrase] += 1
                    spelled[phrase] = min(notion, spelled.get(phrase, notion))
        ranked = sorted(named, key=lambda phrase: (-named[phrase], spelled[phrase]))
        return tuple(spelled[phrase] for phrase in ranked[: self.max_notions])


class Hints:
    """Keeps the record of notions, and gives the chooser that it calls for.

    Args:
        settings: which notions make a hint.
    """

    def __init__(self, settings: HintSettings | None = None) -> None:
        self.settings = settings or HintSettings()
        self._records: dict[Phrase, NotionCount] = {}

    def observe(self, counts: Mapping[Phrase, NotionCount]) -> None:
        """Add the counts of one problem; does nothing where no record is kept."""
        if not self.settings.record:
            return
        for phrase, count in counts.items():
            before = self._records.get(phrase, NotionCount(0, 0, 0, 0))
            self._records[phrase] = NotionCount(
                *(a + b for a, b in zip(before, count, strict=True))
            )
        if len(self._records) > self.settings.remembered:
            ranked = sorted(self._records.items(), key=lambda item: (-_seen(item[1]), item[0]))
            self._records = dict(ranked[: self.settings.remembered])

    def chooser(self) -> HintChooser:
        """Return the chooser for now."""
        good = None
        if self.settings.record:
            good = frozenset(p for p, count in self._records.items() if self._good(count))
        return HintChooser(self.settings.max_notions, good)

    def _good(self, count: NotionCount) -> bool:
        more = count.correct * count.all_incorrect > count.incorrect * count.all_correct
        return _seen(count) >= self.settings.min_seen and more

    def metrics(self) -> dict[str, float]:
        """Return ``hints/remembered`` and ``hints/good``, where a record is kept."""
        if not self.settings.record:
            return {}
        good = sum(self._good(count) for count in self._records.values())
        return {"hints/remembered": float(len(self._records)), "hints/good": float(good)}

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        rows = [[list(phrase), *count] for phrase, count in self._records.items()]
        return saved("hints", 1, records=rows)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of hints.
        """
        (rows,) = restored("hints", 1, state, "records")
        self._records = {tuple(phrase): NotionCount(*count) for phrase, *count in rows}


def _seen(count: NotionCount) -> int:
    return count.correct + count.incorrect
