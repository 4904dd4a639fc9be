"""The plan of one problem: what its predictions decide before a solution is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from masa_rewards import MetaPrediction

from masa_control.audit import audit_draw
from masa_control.cutoff import LengthCutoff, predicted_length
from masa_control.gate import Gate, GateDecision
from masa_control.hints import HintChooser


@dataclass(frozen=True, slots=True)
class CutoffDecision:
    """How long solutions may get, and by what.

    Attributes:
        predicted: median of the predicted lengths, tokens; None where none could be read.
        margin: what it is multiplied by; None while nothing is cut.
        max_tokens: what the cutoff allows, tokens; the usual limit where it does not lower it.
        lowers: whether that is below the usual limit.
    """

    predicted: float | None
    margin: float | None
    max_tokens: int
    lowers: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with one problem, and everything that decided it.

    Attributes:
        gate: the gate's decision; None where there is no gate.
        gate_audited: it said skip, and an audit has the problem rolled out all the same.
        gate_audit: ε of the gate at the end it decided on, the share of such problems that are
            audited.
        cutoff: the cutoff's decision; None where there is none, or the problem is skipped.
        cutoff_audited: the cutoff lowers the limit, and an audit has the solutions run on.
        cutoff_audit: ε of the cutoff, likewise.
        hint: notions that are put to the problem; of those chosen, as many as its prompt has room
            for.
        max_tokens: the limit of its solutions, tokens.
    """

    gate: GateDecision | None
    gate_audited: bool
    gate_audit: float
    cutoff: CutoffDecision | None
    cutoff_audited: bool
    cutoff_audit: float
    hint: tuple[str, ...]
    max_tokens: int

    @property
    def flagged(self) -> bool:
        """Whether the gate said skip, audited or not."""
        return self.gate is not None and self.gate.skip

    @property
    def solve(self) -> bool:
        """Whether solutions are made."""
        return not self.flagged or self.gate_audited

    def explain(self) -> str:
        """Say in a sentence or two why this was decided, with the figures."""
        return "; ".join(
            part for part in (self._explain_gate(), self._explain_cutoff(), self._hint()) if part
        )

    def _explain_gate(self) -> str:
        gate = self.gate
        if gate is None:
            return "no gate"
        if gate.mean is None or gate.std is None or gate.distance is None:
            return f"rolled out: only {gate.read} predicted pass rates could be read"
        seen = (
            f"{gate.read} predicted pass rates of mean {gate.mean:.3f} and standard deviation "
            f"{gate.std:.3f}, {gate.distance:.3f} from {gate.end}"
        )
        if gate.limit is not None:
            seen += f" (limit {gate.limit:.3f})"
        if not gate.skip:
            return f"rolled out: {seen}"
        audit = f"an audit of {self.gate_audit:.0%} of such problems"
        if self.gate_audited:
            return f"would be skipped as {gate.reason} but for {audit}: {seen}"
        return f"skipped as {gate.reason}: {seen}; not drawn for {audit}"

    def _explain_cutoff(self) -> str:
        cutoff = self.cutoff
        if cutoff is None or not cutoff.lowers:
            return "" if cutoff is None else "solutions may run to their usual limit"
        by = (
            f"{cutoff.max_tokens} tokens, {cutoff.margin:.2f} times the predicted "
            f"{cutoff.predicted:.0f}"
        )
        if self.cutoff_audited:
            audit = f"an audit of {self.cutoff_audit:.0%} of such problems"
            return f"solutions would be cut at {by}, but for {audit}"
        return f"solutions are cut at {by}"

    def _hint(self) -> str:
        return f"hint: {', '.join(self.hint)}" if self.hint else ""

    @property
    def whole(self) -> bool:
        """Whether solutions may run to the usual limit, so that nothing of them is unknown."""
        return self.cutoff is None or not self.cutoff.lowers or self.cutoff_audited


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
        return audit_draw(self.seed, decision, self.step, problem_id) < share

    def _cutoff(self, predictions: Sequence[MetaPrediction], limit: int) -> CutoffDecision | None:
        if self.cutoff is None:
            return None
        lengths = [p.length for p in predictions]
        allowed = self.cutoff.max_tokens(lengths, limit)
        return CutoffDecision(
            predicted_length(lengths), self.cutoff.margin, allowed, lowers=allowed < limit
        )
