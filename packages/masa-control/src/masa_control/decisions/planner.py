"""The planner of a step: what is decided of each problem before a solution is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from masa_rewards import MetaPrediction

from masa_control.decisions.allocation import WaveSettings, plan_waves
from masa_control.decisions.cutoff import LengthCutoff, compute_median_length
from masa_control.decisions.gate import Gate, believe_predictions
from masa_control.decisions.hints import HintChooser
from masa_control.episode.belief import Belief
from masa_control.episode.plan import CutoffDecision, GateDecision, Plan
from masa_control.episode.protocols import Completion
from masa_control.episode.waves import WavePlan
from masa_control.measures.audit import draw_audit
from masa_control.readers.distribution import DistributionReader


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans the problems of one step; a value that travels to wherever episodes are played.

    It holds what the controller had learned before the step, so a plan depends on the problem, its
    predictions or what is believed of it, and the step: not on which problem was ready first, nor
    on the machine.

    Attributes:
        step: the step, from 1.
        seed: of the run.
        gate: decides whether to skip; None: nothing is skipped.
        gate_audit: ε in [0, 1], share of the problems it would skip that are rolled out.
        gate_audit_trivial: another ε for those that it would skip as trivial; None: the same.
        cutoff: decides how long solutions may get; None: as long as usual.
        cutoff_audit: ε in [0, 1], share of the problems it would cut that may run on.
        hints: chooses notions to put to the problem; None: none.
        reader: whose word counts: "sampled": that of the predictions themselves; "distribution":
            that of the predictions, by ``distribution``; "given": what ``plan`` is told.
        distribution: reads predictions by the probabilities of their digits.
        min_readable: smallest share of readable predictions by which waves are planned.
        waves: how groups grow; None: all rollouts are made at once.
        usual_tokens: mean length of the run's solutions, where it is known.
    """

    step: int
    seed: int
    gate: Gate | None = None
    gate_audit: float = 0.0
    gate_audit_trivial: float | None = None
    cutoff: LengthCutoff | None = None
    cutoff_audit: float = 0.0
    hints: HintChooser | None = None
    reader: Literal["sampled", "distribution", "given"] = "sampled"
    distribution: DistributionReader | None = None
    min_readable: float = 0.5
    waves: WaveSettings | None = None
    usual_tokens: float | None = None

    def __post_init__(self) -> None:
        if self.reader == "distribution" and self.distribution is None:
            raise ValueError("reader 'distribution' reads by `distribution`, which is not given")
        for name in ("gate_audit", "gate_audit_trivial", "cutoff_audit"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {share!r}")

    @property
    def needs_predictions(self) -> bool:
        """Whether predictions are what it plans by; else a belief is, and they may be missing."""
        return self.reader != "given"

    def plan(
        self,
        problem_id: str,
        predictions: Sequence[MetaPrediction],
        limit: int,
        *,
        belief: Belief | None = None,
        answers: Sequence[Completion] = (),
    ) -> Plan:
        """Return the plan of a problem.

        Args:
            problem_id: audits are drawn by it.
            predictions: the M predictions, in any order.
            limit: the usual limit of a solution, tokens.
            belief: what a reader believes of the problem.
            answers: the completions that the predictions were read of.
        """
        if self.distribution is not None and self.reader == "distribution":
            belief = self.distribution.read(answers)
        gate = self._gate(predictions, belief)
        flagged = gate is not None and gate.skip
        share = self._audit_share(gate)
        audited = flagged and self._audits("gate", problem_id, share)
        # What an audit has rolled out is to show what would have been: whole, and all of it. What
        # was chosen by chance is rolled out like any other.
        shown_whole = flagged and gate is not None and gate.keep is None
        cutoff = None if shown_whole else self._cutoff(predictions, limit)
        waves = None
        if not shown_whole and (not flagged or audited):
            waves = self._waves(problem_id, predictions, belief)
        spared = (
            cutoff is not None
            and cutoff.lowers
            and self._audits("cutoff", problem_id, self.cutoff_audit)
        )
        hint: tuple[str, ...] = ()
        if self.hints is not None and (not flagged or audited):
            hint = self.hints.choose([p.notions for p in predictions])
        return Plan(
            gate=gate,
            gate_audited=audited,
            gate_audit=share,
            cutoff=cutoff,
            cutoff_audited=spared,
            cutoff_audit=self.cutoff_audit,
            hint=hint,
            max_tokens=limit if cutoff is None or spared else cutoff.max_tokens,
            belief=belief,
            waves=waves,
        )

    def _gate(
        self, predictions: Sequence[MetaPrediction], belief: Belief | None
    ) -> GateDecision | None:
        if self.gate is None:
            return None
        if self.reader == "sampled":
            return self.gate.decide([p.pass_rate for p in predictions])
        return self.gate.judge(belief)

    def _audit_share(self, gate: GateDecision | None) -> float:
        if gate is None:
            return self.gate_audit
        if gate.keep is not None:
            return gate.keep
        if gate.reason == "trivial" and self.gate_audit_trivial is not None:
            return self.gate_audit_trivial
        return self.gate_audit

    def _waves(
        self, problem_id: str, predictions: Sequence[MetaPrediction], belief: Belief | None
    ) -> WavePlan | None:
        if self.waves is None:
            return None
        if self.reader == "sampled":
            rates = [p.pass_rate for p in predictions]
            belief = believe_predictions(rates, self.min_readable)
        if belief is None:
            return None
        audited = self._audits("waves", problem_id, self.waves.audit)
        return plan_waves(self.waves, belief, audited=audited, usual_tokens=self.usual_tokens)

    def _audits(self, decision: str, problem_id: str, share: float) -> bool:
        return draw_audit(self.seed, decision, self.step, problem_id) < share

    def _cutoff(self, predictions: Sequence[MetaPrediction], limit: int) -> CutoffDecision | None:
        if self.cutoff is None:
            return None
        lengths = [p.length for p in predictions]
        allowed = self.cutoff.max_tokens(lengths, limit)
        return CutoffDecision(
            compute_median_length(lengths), self.cutoff.margin, allowed, lowers=allowed < limit
        )
