"""Hints: the notions that the policy foresees are put to the problem before it is solved.

The second version of the paper has them. As an option, only notions with a good record are put:
those that more solutions came right with than the pass rates of their problems say, over all
problems of which they were predicted. Pooling the solutions of all problems instead would praise
every notion of easy problems.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

from masa_rewards.notions.phrases import Phrase, to_phrase
from masa_rewards.notions.rules import NotionCount
from pydantic import Field

from masa_control.settings import Settings
from masa_control.state import Number, SavedState


class HintsOff(Settings):
    """No hints: problems are put as they are."""

    rule: Literal["off"] = "off"
    """off: problems are put as they are."""


class PredictedHints(Settings):
    """Predicted notions are put to the problem (the paper's second version)."""

    rule: Literal["predicted"] = "predicted"
    """predicted (the paper's second version): the notions that most predictions name."""
    max_notions: int = Field(default=5, ge=1)
    """Notions in a hint, at most."""


class RecordedHints(PredictedHints):
    """Of the predicted notions only those that more solutions came right with than expected."""

    rule: Literal["recorded"] = "recorded"  # type: ignore[assignment]
    """recorded: of the predicted notions, those that more solutions came right with than the pass
    rates of their problems say."""
    min_seen: int = Field(default=16, ge=1)
    """Judged solutions in which a notion must have occurred before its record counts."""
    remembered: int = Field(default=20_000, ge=1)
    """Notions of which a record is kept; those seen least are dropped first."""


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
            phrases = {
                to_phrase(notion): notion for notion in sorted(prediction or (), reverse=True)
            }
            for phrase, notion in phrases.items():
                if phrase and (self.good is None or phrase in self.good):
                    named[phrase] += 1
                    spelled[phrase] = min(notion, spelled.get(phrase, notion))
        ranked = sorted(named, key=lambda phrase: (-named[phrase], spelled[phrase]))
        return tuple(spelled[phrase] for phrase in ranked[: self.max_notions])


class NotionRecord(NamedTuple):
    """What a notion was good for.

    Attributes:
        seen: judged solutions in which it stood.
        gain: how many more of them were right than the pass rates of their problems say:
            Σ over problems of c1 - (c1 + c0) n1 / (n1 + n0).
    """

    seen: int
    gain: float


class _RecordRow(NamedTuple):
    phrase: Phrase
    seen: Annotated[int, Field(strict=True, ge=1)]
    gain: Number


class _State(SavedState):
    state_of = "hints"

    records: list[_RecordRow]


class Hints:
    """Keeps the record of notions, and gives the chooser that it calls for.

    Args:
        settings: which notions make a hint.
    """

    def __init__(self, settings: PredictedHints | None = None) -> None:
        self.settings = settings or PredictedHints()
        self._record = self.settings if isinstance(self.settings, RecordedHints) else None
        self._records: dict[Phrase, NotionRecord] = {}

    def observe(self, counts: Mapping[Phrase, NotionCount]) -> None:
        """Add the counts of one problem; does nothing where no record is kept."""
        if self._record is None:
            return
        for phrase, count in counts.items():
            seen, judged = count.correct + count.incorrect, count.all_correct + count.all_incorrect
            if seen:
                gain = count.correct - seen * count.all_correct / judged
                before = self._records.get(phrase, NotionRecord(0, 0.0))
                self._records[phrase] = NotionRecord(before.seen + seen, before.gain + gain)
        if len(self._records) > self._record.remembered:
            ranked = sorted(self._records.items(), key=lambda item: (-item[1].seen, item[0]))
            self._records = dict(ranked[: self._record.remembered])

    def chooser(self) -> HintChooser:
        """Return the chooser for now."""
        good = None
        if self._record is not None:
            good = frozenset(p for p, record in self._records.items() if self._good(record))
        return HintChooser(self.settings.max_notions, good)

    def _good(self, record: NotionRecord) -> bool:
        # Sums of fractions: where all solutions of a problem agree, rounding must not tell.
        assert self._record is not None
        return record.seen >= self._record.min_seen and record.gain > 1e-9

    def metrics(self) -> dict[str, float]:
        """Return ``hints/remembered`` and ``hints/eligible``, where a record is kept."""
        if self._record is None:
            return {}
        good = sum(map(self._good, self._records.values()))
        return {"hints/remembered": float(len(self._records)), "hints/eligible": float(good)}

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        # By the alphabet: what a step adds comes from a set, whose order no two processes share.
        rows = [_RecordRow(phrase, *record) for phrase, record in sorted(self._records.items())]
        return _State(records=rows).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of hints.
        """
        rows = _State.from_dict(state).records
        self._records = {row.phrase: NotionRecord(row.seen, row.gain) for row in rows}
