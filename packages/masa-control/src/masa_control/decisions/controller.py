"""The controller: gate, cutoff, experts, hints and start step, with one state between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from masa_rewards import MetaPrompt

from masa_control.decisions.audited_gate import AuditedGate, AuditedGateSettings, GateOutcome
from masa_control.decisions.cutoff import (
    CalibratedCutoff,
    CalibratedCutoffSettings,
    LengthCutoff,
    LengthOutcome,
    predicted_length,
)
from masa_control.decisions.experts import Expert, ExpertBuffer, ExpertSettings
from masa_control.decisions.gate import Gate, PredictiveGate
from masa_control.decisions.hints import Hints, HintSettings
from masa_control.decisions.planner import Planner
from masa_control.decisions.schedule import Alignment, Schedule
from masa_control.episode.plan import GateDecision
from masa_control.episode.types import Episode
from masa_control.measures.audit import Tally
from masa_control.measures.decision_counts import gate_tally
from masa_control.state import restored, saved

_Outcome = TypeVar("_Outcome")
_PARTS = ("gate", "cutoff", "experts", "hints", "schedule")


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """What is decided, and by which rule. The defaults are the paper's.

    Attributes:
        gate: the static rule, or the settings of the audited one; None: nothing is skipped.
        gate_audit: ε of the gate, in [0, 1].
        gate_audit_trivial: another ε for what it would skip as trivial; None: the same. Problems
            that are always solved have short solutions, so that looking is cheap there, and a
            policy forgets: they do not stay trivial.
        cutoff: the fixed margin, or the settings of the calibrated one; None: nothing is cut.
        cutoff_audit: ε of the cutoff, in [0, 1].
        experts: what is kept to be cloned; None: nothing is cloned.
        clones: experts cloned a step, >= 0.
        hints: which notions are put to a problem; None: none.
        start: the first k steps are plain MASA.
        aligned: start before k, once predictions are this good; None: by number alone.
    """

    gate: PredictiveGate | AuditedGateSettings | None = field(default_factory=PredictiveGate)
    gate_audit: float = 0.0
    gate_audit_trivial: float | None = None
    cutoff: LengthCutoff | CalibratedCutoffSettings | None = field(default_factory=LengthCutoff)
    cutoff_audit: float = 0.0
    experts: ExpertSettings | None = field(default_factory=ExpertSettings)
    clones: int = 0
    hints: HintSettings | None = None
    start: int = 80
    aligned: Alignment | None = None

    def __post_init__(self) -> None:
        trivial = self.gate_audit_trivial
        if trivial is not None and bool(trivial) != bool(self.gate_audit):
            raise ValueError(
                f"gate_audit is {self.gate_audit!r} and gate_audit_trivial {trivial!r}: with "
                "audits at one end alone nobody knows how right the gate is; give both a share, "
                "or neither"
            )
        if isinstance(self.gate, AuditedGateSettings) and not self.gate_audit:
            raise ValueError(
                "the audited gate needs audits, and gate_audit is 0: behind its limits it would "
                "see nothing; set a share, as 0.05, or take the static rule"
            )
        if isinstance(self.cutoff, CalibratedCutoffSettings) and not self.cutoff_audit:
            raise ValueError(
                "the calibrated cutoff needs audits, and cutoff_audit is 0: it would see only "
                "problems that it does not cut; set a share, as 0.05, or take a fixed margin"
            )


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
        self._audited_gate = (
            AuditedGate(settings.gate) if isinstance(settings.gate, AuditedGateSettings) else None
        )
        self._calibrated = (
            CalibratedCutoff(settings.cutoff)
            if isinstance(settings.cutoff, CalibratedCutoffSettings)
            else None
        )
        self._experts = None if settings.experts is None else ExpertBuffer(settings.experts)
        self._hints = None if settings.hints is None else Hints(settings.hints)
        self._schedule = Schedule(settings.start, settings.aligned)
        self._gate = self._current_gate()

    # -- before a step -----------------------------------------------------------------------------

    def decides(self, step: int) -> bool:
        """Return whether predictions decide anything in ``step``."""
        return self._schedule.decides(step)

    def planner(self, step: int) -> Planner | None:
        """Return what plans the episodes of ``step``; None while predictions decide nothing."""
        if not self.decides(step):
            return None
        return Planner(
            step=step,
            seed=self._seed,
            gate=self._gate,
            gate_audit=self.settings.gate_audit,
            gate_audit_trivial=self.settings.gate_audit_trivial,
            cutoff=self._cutoff(),
            cutoff_audit=self.settings.cutoff_audit,
            hints=None if self._hints is None else self._hints.chooser(),
        )

    def _current_gate(self) -> Gate | None:
        if self._audited_gate is not None:
            return self._audited_gate.gate()
        assert not isinstance(self.settings.gate, AuditedGateSettings)
        return self.settings.gate

    def _cutoff(self) -> LengthCutoff | None:
        if self._calibrated is not None:
            return self._calibrated.cutoff()
        assert not isinstance(self.settings.cutoff, CalibratedCutoffSettings)
        return self.settings.cutoff

    # -- after it ----------------------------------------------------------------------------------

    def observe(self, episodes: Sequence[Episode], step: int) -> None:
        """Learn from the episodes of ``step``, in the order in which their problems were drawn."""
        decided = [self._decision(episode) for episode in episodes]
        pairs = list(zip(episodes, decided, strict=True))
        if not self._schedule.decides(step):
            self._schedule.observe(sum((gate_tally(e, d) for e, d in pairs), Tally()), step)
        if self._calibrated is not None:
            self._calibrated.observe(_known(length_outcome(e, d) for e, d in pairs), step)
        if self._audited_gate is not None:
            self._audited_gate.observe(_known(gate_outcome(e, d) for e, d in pairs))
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
        return self._experts.draw(self.settings.clones, seed=self._seed, step=step, number=number)

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
        return saved(
            "controller", 1, parts={name: p.state_dict() for name, p in self._parts().items()}
        )

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of a controller with these settings; nothing is changed
                then.
        """
        (parts,) = restored("controller", 1, state, "parts")
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


def _known(outcomes: Iterable[_Outcome | None]) -> Iterator[_Outcome]:
    return (outcome for outcome in outcomes if outcome is not None)


def gate_outcome(episode: Episode, decided: GateDecision | None) -> GateOutcome | None:
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


def length_outcome(episode: Episode, decided: GateDecision | None = None) -> LengthOutcome | None:
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
    predicted = predicted_length([m.prediction.length for m in episode.meta])
    lengths = episode.correct_lengths
    if not predicted or not lengths:
        return None
    weight = 1 / plan.cutoff_audit if plan is not None and plan.cutoff_audited else 1.0
    return LengthOutcome(tuple(length / predicted for length in lengths), weight)
