"""The planner of a step: what its predictions decide of each problem before a solution is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from masa_rewards import MetaPrediction

from masa_control.decisions.cutoff import LengthCutoff, compute_median_length
from masa_control.decisions.gate import Gate
from masa_control.decisions.hints import HintChooser
from masa_control.episode.plan import CutoffDecision, Plan
from masa_control.measures.audit import draw_audit


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans the problems of one step; a value that travels to wherever episodes are played.

    It holds what the controller had learned before the step, so a plan depends on the problem, its
    predictions and the step: not on which problem was ready first, nor on the machine.

    Attributes:
        step: the step, from 1.
        seed: of the run.
        gate: decides whether to skip; None: nothing is skipped.
        gate_audit: ε in [0, 1], share of the problems it would skip that are rolled out.
        gate_audit_trivial: another ε for those that it would skip as trivial; None: the same.
        cutoff: decides how long solutions may get; None: as long as usual.
        cutoff_audit: ε in [0, 1], share of the problems it would cut that may run on.
        hints: chooses notions to put to the problem; None: none.
    """

    step: int
    seed: int
    gate: Gate | None = None
    gate_audit: float = 0.0
    gate_audit_trivial: float | None = None
    cutoff: LengthCutoff | None = None
    cutoff_audit: float = 0.0
    hints: HintChooser | None = None

    def __post_init__(self) -> None:
        for name in ("gate_audit", "gate_audit_trivial", "cutoff_audit"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {share!r}")

    def plan(self, problem_id: str, predictions: Sequence[MetaPrediction], limit: int) -> Plan:
        """Return the plan of a problem.

        Args:
            problem_id: audits are drawn by it.
            predictions: the M predictions, in any order.
            limit: the usual limit of a solution, tokens.
        """
        gate = None
        if self.gate is not None:
            gate = self.gate.decide([p.pass_rate for p in predictions])
        flagged = gate is not None and gate.skip
        share = self.gate_audit
        if gate is not None and gate.reason == "trivial" and self.gate_audit_trivial is not None:
            share = self.gate_audit_trivial
        audited = flagged and self._audits("gate", problem_id, share)
        cutoff = None if flagged else self._cutoff(predictions, limit)
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
        )

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
