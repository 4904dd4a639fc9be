"""The controller: reader, gate, cutoff, experts, hints, start step, with one state of them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from masa_rewards import MetaPrompt

from masa_control.decisions.allocation import WaveSettings
from masa_control.decisions.audited_gate import AuditedGate, AuditedGateSettings
from masa_control.decisions.choice import ChoiceSettings, ProblemChoice
from masa_control.decisions.cutoff import (
    CalibratedCutoff,
    CalibratedCutoffSettings,
    CutoffAudits,
    LengthCutoff,
)
from masa_control.decisions.experts import Expert, ExpertBuffer
from masa_control.decisions.gate import (
    Gate,
    GateAudits,
    PredictiveGate,
    ReadableShare,
)
from masa_control.decisions.hints import Hints, HintsOff
from masa_control.decisions.outcomes import (
    count_outcome,
    derive_gate_outcome,
    derive_length_outcome,
    drop_unknown,
)
from masa_control.decisions.planner import Planner
from masa_control.decisions.schedule import Schedule
from masa_control.decisions.settings import ControlSettings
from masa_control.decisions.threshold_gate import ThresholdGateSettings
from masa_control.decisions.token_costs import TokenCosts
from masa_control.episode.belief import Belief
from masa_control.episode.plan import GateDecision
from masa_control.episode.types import Episode
from masa_control.measures.audit import ConfusionCounts
from masa_control.measures.decision_counts import count_gate
from masa_control.readers.build import build_reader, find_reader_needs
from masa_control.readers.distribution import DistributionReader, require_single_digits
from masa_control.readers.protocol import ProblemView, ReaderNeeds
from masa_control.readers.settings import (
    DistributionReaderSettings,
)
from masa_control.state import SavedState

_PARTS = ("gate", "cutoff", "experts", "hints", "schedule", "reader", "tokens")


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
        self._reader = build_reader(settings.reader)
        self._choice = ProblemChoice(gate) if isinstance(gate, ChoiceSettings) else None
        waves = settings.allocation
        self._waves = waves if isinstance(waves, WaveSettings) else None
        weighs_tokens = (self._choice is not None and self._choice.settings.by_tokens) or (
            self._waves is not None and self._waves.per_token
        )
        self._costs = TokenCosts() if weighs_tokens else None
        self._distribution = self._build_distribution()
        self._gate = self._current_gate()

    def _build_distribution(self) -> DistributionReader | None:
        reader = self.settings.reader
        if not isinstance(reader, DistributionReaderSettings):
            return None
        require_single_digits(self._prompt.scale)
        return DistributionReader(self._prompt, reader.min_mass, self._min_readable)

    @property
    def _min_readable(self) -> float:
        gate = self.settings.gate
        return gate.min_readable if isinstance(gate, ReadableShare) else 0.5

    # -- before a step -----------------------------------------------------------------------------

    def decides(self, step: int) -> bool:
        """Return whether predictions decide anything in ``step``."""
        return self._schedule.decides(step)

    def planner(self, step: int) -> Planner | None:
        """Return what plans the episodes of ``step``; None while predictions decide nothing."""
        if not self.decides(step):
            return None
        gate, cutoff = self.settings.gate, self.settings.cutoff
        cost = None if self._costs is None else self._costs.cost()
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
            reader=self._reads,
            distribution=self._distribution,
            min_readable=self._min_readable,
            waves=self._waves,
            usual_tokens=None if cost is None else cost.usual,
        )

    @property
    def _reads(self) -> Literal["sampled", "distribution", "given"]:
        if self._reader is not None:
            return "given"
        return "sampled" if self._distribution is None else "distribution"

    @property
    def reader_needs(self) -> ReaderNeeds:
        """What the reader has to be shown of a problem before it is tried."""
        return find_reader_needs(self.settings.reader)

    def read(self, view: ProblemView, step: int) -> Belief | None:
        """Return what the reader believes of a problem that is drawn in ``step``.

        To be called of every problem that is drawn, before predictions decide too: a reader learns
        of those alone that it has read. None where it knows too little, and where it is the
        policy's own predictions that are read.
        """
        return self.read_many([view], step)[0]

    def read_many(self, views: Sequence[ProblemView], step: int) -> list[Belief | None]:
        """Return what the reader believes of several problems, in their order."""
        if self._reader is None:
            return [None] * len(views)
        return self._reader.read_many(views, step)

    def _current_gate(self) -> Gate | None:
        if self._audited_gate is not None:
            return self._audited_gate.gate()
        if self._choice is not None:
            return self._choice.gate(None if self._costs is None else self._costs.cost())
        gate = self.settings.gate
        return gate if isinstance(gate, PredictiveGate | ThresholdGateSettings) else None

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
                drop_unknown(derive_length_outcome(e, d) for e, d in pairs), step
            )
        if self._audited_gate is not None:
            self._audited_gate.observe(drop_unknown(derive_gate_outcome(e, d) for e, d in pairs))
            self._gate = self._audited_gate.gate()
        self._observe_outcomes(episodes, decided, step)
        if self._experts is not None:
            self._experts.observe(episodes, self._prompt, step)
        if self._hints is not None:
            for episode in episodes:
                self._hints.observe(episode.notion_counts)

    def _observe_outcomes(
        self, episodes: Sequence[Episode], decided: Sequence[GateDecision | None], step: int
    ) -> None:
        if self._reader is not None:
            self._reader.observe(map(count_outcome, episodes), step)
        if self._costs is not None:
            self._costs.observe(episodes)
        if self._choice is not None:
            scores = (d.score for d in decided if d is not None)
            self._choice.observe(score for score in scores if score is not None)
            self._gate = self._current_gate()

    def _decision(self, episode: Episode) -> GateDecision | None:
        """What the gate decided of an episode, or would have, where it was not asked."""
        if episode.plan is not None:
            return episode.plan.gate
        if self._gate is not None and self._reads != "sampled":
            belief = episode.belief
            if self._distribution is not None:
                belief = self._distribution.read([m.completion for m in episode.meta])
            return self._gate.judge(belief)
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
            self._audited_gate or self._choice,
            self._calibrated,
            self._experts,
            self._hints,
            self._schedule,
            self._reader,
            self._costs,
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
                "of reader, gate, cutoff, experts and hints cannot change within a run; start a "
                "new one"
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
