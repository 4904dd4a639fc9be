"""From which step on predictions decide (paper: start step, 80 of 314)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from masa_control.measures.audit import Tally
from masa_control.state import restored, saved, sums, whole


@dataclass(frozen=True, slots=True)
class Alignment:
    """When predictions are good enough to decide by.

    Measured before the start on what the gate would have skipped: all of it is rolled out then, so
    its precision and its recall are known.

    Attributes:
        precision: the lower end of the precision's interval (95 %) must be above it, in (0, 1).
        recall: the recall must be above it, in [0, 1).
        steps: over so many steps, >= 1.
    """

    precision: float = 0.8
    recall: float = 0.3
    steps: int = 10

    def __post_init__(self) -> None:
        if not (0 < self.precision < 1 and 0 <= self.recall < 1):
            raise ValueError(
                f"precision must lie in (0, 1) and recall in [0, 1), got {self.precision!r}, "
                f"{self.recall!r}"
            )
        if self.steps < 1:
            raise ValueError(f"steps must be >= 1, got {self.steps!r}")


class Schedule:
    """Says from which step on predictions decide: by number, or once they are good enough.

    Args:
        start: the first k steps are plain MASA (paper: 80); with `aligned` the latest k.
        aligned: start as soon as predictions are as good as this; None: by number alone.
    """

    def __init__(self, start: int = 80, aligned: Alignment | None = None) -> None:
        if start < 0:
            raise ValueError(f"start must be >= 0, got {start!r}")
        self.start, self.aligned = start, aligned
        self._aligned_at: int | None = None
        self._tallies = self._empty()

    def _empty(self) -> deque[Tally]:
        return deque(maxlen=1 if self.aligned is None else self.aligned.steps)

    def decides(self, step: int) -> bool:
        """Whether predictions decide in ``step``, which counts from 1."""
        early = self._aligned_at is not None and step > self._aligned_at
        return step > self.start or early

    def observe(self, would_have: Tally, step: int) -> None:
        """Take in what the gate would have skipped in a step in which nothing was skipped."""
        if self.aligned is None or self._aligned_at is not None:
            return
        self._tallies.append(would_have)
        tally = sum(self._tallies, Tally())
        # All of it was rolled out; what counts is what the next problems can expect of the gate.
        precision, recall = tally.precision_to_come.low, tally.recall.value
        if (
            len(self._tallies) == self.aligned.steps
            and precision is not None
            and (
                recall is not None
                and precision > self.aligned.precision
                and recall > self.aligned.recall
            )
        ):
            self._aligned_at = step

    def metrics(self) -> dict[str, float]:
        """Return ``schedule/aligned_at``, the step after which predictions were good enough."""
        if self._aligned_at is None:
            return {}
        return {"schedule/aligned_at": float(self._aligned_at)}

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        tallies = [asdict(tally) for tally in self._tallies]
        return saved("schedule", 1, aligned_at=self._aligned_at, tallies=tallies)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of a schedule.
        """
        aligned_at, tallies = restored("schedule", 1, state, "aligned_at", "tallies")
        made = [sums(Tally, tally) for tally in tallies]
        self._aligned_at = None if aligned_at is None else whole("aligned_at", aligned_at, 1)
        self._tallies = self._empty()
        self._tallies.extend(made)
