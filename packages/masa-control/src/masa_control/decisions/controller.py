"""The controller: gate, cutoff, experts, hints and start step, with one state between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from masa_rewards import MetaPrompt
from pydantic import Tag

from masa_control.decisions.audited_gate import AuditedGate, AuditedGateSettings, GateOutcome
from masa_control.decisions.cutoff import (
    CalibratedCutoff,
    CalibratedCutoffSettings,
    CutoffAudits,
    CutoffOff,
    FixedCutoffSettings,
    LengthCutoff,
    LengthOutcome,
    compute_median_length,
)
from masa_control.decisions.experts import Expert, ExpertBuffer, ExpertSettings
from masa_control.decisions.gate import (
    Gate,
    GateAudits,
    GateOff,
    PredictiveGate,
    StaticGateSettings,
)
from masa_control.decisions.hints import Hints, HintsOff, PredictedHints, RecordedHints
from masa_control.decisions.planner import Planner
from masa_control.decisions.schedule import AlignedStart, FixedStart, Schedule
from masa_control.episode.plan import GateDecision
from masa_control.episode.types import Episode
from masa_control.measures.audit import ConfusionCounts
from masa_control.measures.decision_counts import count_gate
from masa_control.settings import Settings, discriminate_by_rule
from masa_control.state import SavedState

_Outcome = TypeVar("_Outcome")
GateSettings = Annotated[
    Annotated[StaticGateSettings, Tag("static")]
    | Annotated[AuditedGateSettings, Tag("audited")]
    | Annotated[GateOff, Tag("off")],
    discriminate_by_rule("static"),
]
CutoffSettings = Annotated[
    Annotated[FixedCutoffSettings, Tag("fixed")]
    | Annotated[CalibratedCutoffSettings, Tag("calibrated")]
    | Annotated[CutoffOff, Tag("off")],
    discriminate_by_rule("fixed"),
]
HintSettings = Annotated[
    Annotated[HintsOff, Tag("off")]
    | Annotated[PredictedHints, Tag("predicted")]
    | Annotated[RecordedHints, Tag("recorded")],
    discriminate_by_rule("off"),
]
ScheduleSettings = Annotated[
    Annotated[FixedStart, Tag("fixed")] | Annotated[AlignedStart, Tag("aligned")],
    discriminate_by_rule("fixed"),
]

_PARTS = ("gate", "cutoff", "experts", "hints", "schedule")


class ControlSettings(Settings):
    """What predictions decide, and by which rules. The defaults are the paper's, with audits."""

    gate: GateSettings = StaticGateSettings()
    """Which problems are not worth rolling out."""
    cutoff: CutoffSettings = FixedCutoffSettings()
    """When a solution is given up."""
    experts: ExpertSettings = ExpertSettings()
    """Which predictions are cloned, with true numbers."""
    hints: HintSettings = HintsOff()
    """Which predicted notions are put to a problem."""
    schedule: ScheduleSettings = FixedStart()
    """From which step on predictions decide."""


class _State(SavedState):
    state_of = "controller"

    parts: dict[str, dict[str, Any]]


class Controller:
    """Learns from the episodes of each step, and plans those of the next.

    A round is: ``planner(step)`` before the step's episodes; ``observe(episodes, step)`` after
    them; ``clones(step)``. All of it is a function of the seed and of what was observed.

    Args:
        settings: what is decided.
        meta_prompt: the contract that predictions are read and corrected by.
        seed: of the run; audits and clones are drawn by it.
    """

    def __init__(
        self, settings: ControlSettings, meta_prompt: MetaPrompt, *, seed: int = 0
    ) -> None:
        self.settings, self._prompt, self._seed = settings, meta_prompt, seed
        gate, cutoff, hints = settings.gate, settings.cutoff, settings.hints
        self._audited_gate = AuditedGate(gate) if isinstance(gate, AuditedGateSettings) else None
        self._calibrated = (
            CalibratedCutoff(cutoff) if isinstance(cutoff, CalibratedCutoffSettings) else None
        )
        self._experts = ExpertBuffer(settings.experts) if settings.experts.batch else None
        self._hints = None if isinstance(hints, HintsOff) else Hints(hints)
        self._schedule = Schedule(settings.schedule)
        self._gate = self._current_gate()

    # -- before a step -----------------------------------------------------------------------------

    def decides(self, step: int) -> bool:
        """Return whether predictions decide anything in ``step``."""
        return self._schedule.decides(step)

    def planner(self, step: int) -> Planner | None:
        """Return what plans the episodes of ``step``; None while predictions decide nothing."""
        if not self.decides(step):
            return None
        gate, cutoff = self.settings.gate, self.settings.cutoff
        audits = gate if isinstance(gate, GateAudits) else GateAudits(audit=0)
        return Planner(
            step=step,
            seed=self._seed,
            gate=self._gate,
            gate_audit=audits.audit,
            gate_audit_trivial=audits.audit_trivial,
            cutoff=self._cutoff(),
            cutoff_audit=cutoff.audit if isinstance(cutoff, CutoffAudits) else 0.0,
            hints=None if self._hints is None else self._hints.chooser(),
        )

    def _current_gate(self) -> Gate | None:
        if self._audited_gate is not None:
            return self._audited_gate.gate()
        return self.settings.gate if isinstance(self.settings.gate, PredictiveGate) else None

    def _cutoff(self) -> LengthCutoff | None:
        if self._calibrated is not None:
            return self._calibrated.cutoff()
        return self.settings.cutoff if isinstance(self.settings.cutoff, LengthCutoff) else None

    # -- after it ----------------------------------------------------------------------------------

    def observe(self, episodes: Sequence[Episode], step: int) -> None:
        """Learn from the episodes of ``step``, in the order in which their problems were drawn."""
        decided = [self._decision(episode) for episode in episodes]
        pairs = list(zip(episodes, decided, strict=True))
        if not self._schedule.decides(step):
            self._schedule.observe(
                sum((count_gate(e, d) for e, d in pairs), ConfusionCounts()), step
            )
        if self._calibrated is not None:
            self._calibrated.observe(
                _drop_unknown(derive_length_outcome(e, d) for e, d in pairs), step
            )
        if self._audited_gate is not None:
            self._audited_gate.observe(_drop_unknown(derive_gate_outcome(e, d) for e, d in pairs))
            self._gate = self._audited_gate.gate()
        if self._experts is not None:
            self._experts.observe(episodes, self._prompt, step)
        if self._hints is not None:
            for episode in episodes:
                self._hints.observe(episode.notion_counts)

    def _decision(self, episode: Episode) -> GateDecision | None:
        """What the gate decided of an episode, or would have, where it was not asked."""
        if episode.plan is not None:
            return episode.plan.gate
        rates = [m.prediction.pass_rate for m in episode.meta]
        return self._gate.decide(rates) if self._gate is not None and rates else None

    def clones(self, step: int, number: int = 0) -> list[Expert]:
        """Return the experts that are cloned in ``step``; a ``number`` of its own draws anew."""
        if self._experts is None:
            return []
        return self._experts.draw(
            self.settings.experts.batch, seed=self._seed, step=step, number=number
        )

    def clone_passes(self, step: int) -> list[list[Expert]]:
        """Return the experts of each cloning pass of ``step``: more updates, on experts alone.

        There are ``experts.passes`` of them until predictions decide, and none afterwards. Without
        a token sampled, predictions become accurate sooner.
        """
        if self._experts is None or self.decides(step):
            return []
        numbers = range(1, self.settings.experts.passes + 1)
        drawn = [self.clones(step, number) for number in numbers]
        return [experts for experts in drawn if experts]

    # -- its state ---------------------------------------------------------------------------------

    def _parts(self) -> dict[str, Any]:
        parts = (
            self._audited_gate,
            self._calibrated,
            self._experts,
            self._hints,
            self._schedule,
        )
        return {name: part for name, part in zip(_PARTS, parts, strict=True) if part is not None}

    def metrics(self) -> dict[str, float]:
        """Return the state in figures: limits, margin, experts, hints, start."""
        return {k: v for part in self._parts().values() for k, v in part.metrics().items()}

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        return _State(parts={name: p.state_dict() for name, p in self._parts().items()}).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of a controller with these settings; nothing is changed
                then.
        """
        parts = _State.from_dict(state).parts
        mine = self._parts()
        if set(parts) != set(mine):
            raise ValueError(
                f"the state has {sorted(parts)!r}, these settings need {sorted(mine)!r}: the rules "
                "of gate, cutoff, experts and hints cannot change within a run; start a new one"
            )
        before = self.state_dict()["parts"]
        try:
            for name, part in mine.items():
                part.load_state_dict(parts[name])
        except Exception:
            for name, part in mine.items():
                part.load_state_dict(before[name])
            raise
        self._gate = self._current_gate()


def _drop_unknown(outcomes: Iterable[_Outcome | None]) -> Iterator[_Outcome]:
    return (outcome for outcome in outcomes if outcome is not None)


def derive_gate_outcome(episode: Episode, decided: GateDecision | None) -> GateOutcome | None:
    """Return what an episode says of the gate; None where it was skipped, or nobody knows.

    Solutions that were cut leave open how they would have ended. At the unsolvable end they are
    taken for wrong: a policy that is never right is not so when it runs on either. At the trivial
    end nobody knows, and groups that differ show it all the same while groups that agree mostly do
    not, so that the gate would look worse than it is: where the cutoff is audited, only problems
    whose solutions could run on say something, and the audited ones stand for the others.

    Args:
        episode: an episode.
        decided: what the gate decided of it, or would have.
    """
    if decided is None or decided.end is None or decided.distance is None:
        return None
    plan, weight = episode.plan, episode.weight
    truth = episode.no_variance(decided.end)
    if decided.end == "unsolvable":
        truth = None if episode.pass_rate is None else episode.pass_rate == 0
    elif plan is not None and plan.cutoff_audit and plan.cutoff is not None:
        if not plan.whole:
            return None
        weight = 1 / plan.cutoff_audit if plan.cutoff_audited else weight
    if truth is None:
        return None
    return GateOutcome(decided.end, decided.distance, truth, weight)


def derive_length_outcome(
    episode: Episode, decided: GateDecision | None = None
) -> LengthOutcome | None:
    """Return what an episode says of the cutoff; None where its solutions could not run on.

    Problems that the gate flags say nothing: the cutoff is never asked about them, and with many
    correct solutions each they would draw the margin to what suits them.

    Args:
        episode: an episode.
        decided: what the gate decided of it, or would have.
    """
    plan = episode.plan
    if (plan is not None and not plan.whole) or (decided is not None and decided.skip):
        return None
    predicted = compute_median_length([m.prediction.length for m in episode.meta])
    lengths = episode.correct_lengths
    if not predicted or not lengths:
        return None
    weight = 1 / plan.cutoff_audit if plan is not None and plan.cutoff_audited else 1.0
    return LengthOutcome(tuple(length / predicted for length in lengths), weight)
