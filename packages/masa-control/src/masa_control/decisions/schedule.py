"""From which step on predictions decide (paper: start step, 80 of 314)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from masa_control.decisions.experts import ExpertSettings
from masa_control.episode.settings import MetaSettings
from masa_control.measures.audit import ConfusionCounts, SavedCounts
from masa_control.settings import Settings
from masa_control.state import SavedState


class StartWeights(Settings):
    """From which step on predictions decide, and what changes then."""

    start: int = Field(default=80, ge=0)
    """Number of first steps that are plain MASA (paper: 80 of 314); with schedule.rule = aligned
    the largest such number."""
    meta_weight: float | None = Field(default=None, ge=0)
    """Replaces meta.weight from the start step on; unset: meta.weight throughout."""
    clone_weight: float | None = Field(default=None, ge=0)
    """Replaces experts.weight from the start step on; unset: experts.weight throughout. Accurate
    predictions need less cloning, and cloning takes its share of the policy's optimiser step."""


class FixedStart(StartWeights):
    """Predictions decide from a step on that is named."""

    rule: Literal["fixed"] = "fixed"
    """fixed (the paper): predictions decide after schedule.start steps."""


class AlignedStart(StartWeights):
    """Predictions decide as soon as the gate, watched while it decides nothing, is good enough.

    All that it would have skipped is rolled out until then, so its precision and recall are known.
    """

    rule: Literal["aligned"] = "aligned"
    """aligned: predictions decide as soon as the gate, observed while nothing is skipped, has
    schedule.precision and schedule.recall; after schedule.start steps at the latest."""
    precision: float = Field(default=0.8, gt=0, lt=1)
    """Precision that the lower end of its 95 % confidence interval must exceed, in (0, 1)."""
    recall: float = Field(default=0.3, ge=0, lt=1)
    """Recall that must be exceeded, in [0, 1)."""
    steps: int = Field(default=10, ge=1)
    """Steps over which precision and recall are measured."""


@dataclass(frozen=True, slots=True)
class StepWeights:
    """What the parts of a step's loss weigh (the policy loss of the solutions has weight 1).

    Attributes:
        meta: factor on the advantages of the meta groups.
        clone: weight of the cloning loss.
    """

    meta: float
    clone: float


def choose_step_weights(
    meta: MetaSettings, experts: ExpertSettings, schedule: StartWeights, *, decides: bool
) -> StepWeights:
    """Return the weights of a step: others, where set, once predictions decide.

    Args:
        meta: the weight of predictions until then.
        experts: the weight of cloning until then.
        schedule: the weights from then on.
        decides: whether predictions decide in the step.
    """
    if not decides:
        return StepWeights(meta.weight, experts.weight)
    later_meta, later_clone = schedule.meta_weight, schedule.clone_weight
    return StepWeights(
        meta.weight if later_meta is None else later_meta,
        experts.weight if later_clone is None else later_clone,
    )


class _State(SavedState):
    state_of = "schedule"

    aligned_at: Annotated[int, Field(strict=True, ge=1)] | None
    tallies: list[SavedCounts]


class Schedule:
    """Says from which step on predictions decide: by number, or once they are good enough.

    Args:
        settings: the rule.
    """

    def __init__(self, settings: FixedStart | AlignedStart | None = None) -> None:
        self.settings = settings or FixedStart()
        self._aligned = self.settings if isinstance(self.settings, AlignedStart) else None
        self._aligned_at: int | None = None
        self._tallies = self._empty()

    def _empty(self) -> deque[ConfusionCounts]:
        return deque(maxlen=1 if self._aligned is None else self._aligned.steps)

    def decides(self, step: int) -> bool:
        """Whether predictions decide in ``step``, which counts from 1."""
        early = self._aligned_at is not None and step > self._aligned_at
        return step > self.settings.start or early

    def observe(self, would_have: ConfusionCounts, step: int) -> None:
        """Take in what the gate would have skipped in a step in which nothing was skipped."""
        if self._aligned is None or self._aligned_at is not None:
            return
        self._tallies.append(would_have)
        tally = sum(self._tallies, ConfusionCounts())
        # All of it was rolled out; what counts is what the next problems can expect of the gate.
        precision, recall = tally.expected_precision.low, tally.recall.value
        if (
            len(self._tallies) == self._aligned.steps
            and precision is not None
            and (
                recall is not None
                and precision > self._aligned.precision
                and recall > self._aligned.recall
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
        return _State(aligned_at=self._aligned_at, tallies=list(self._tallies)).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of a schedule.
        """
        read = _State.from_dict(state)
        self._aligned_at = read.aligned_at
        self._tallies = self._empty()
        self._tallies.extend(read.tallies)
