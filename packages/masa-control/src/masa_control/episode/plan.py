"""The plan of one problem: what its predictions decided before a solution was made."""

from __future__ import annotations

from dataclasses import dataclass

from masa_control.episode.belief import Belief
from masa_control.episode.ends import GateReason, SkipReason
from masa_control.episode.waves import WavePlan


@dataclass(frozen=True, slots=True)
class GateDecision:
    """Whether to skip a problem, and by what.

    Attributes:
        skip: no solutions are made.
        reason: "trivial", "unsolvable" or "not_chosen" where it is skipped, else None.
        mean: of the predicted pass rates, in [0, 1]; None where too few could be read.
        std: their standard deviation (over M, not M - 1), likewise.
        distance: root mean square of their distances from the nearer end, 0 or 1, likewise:
            sqrt(std² + (mean - end)²).
        limit: what `distance` was held against; None for the static rule.
        read: how many predictions could be read; of another reader, what its belief rests on.
        source: the reader whose belief it was, in whose place stand mean and standard deviation.
        keep: where problems are chosen by chance: the probability with which this one is rolled
            out, in (0, 1]; it is skipped by the gate's word where that is below 1, and chance
            keeps it as an audit would.
        score: expected variance of an outcome a token, by which it was chosen.
    """

    skip: bool
    reason: SkipReason | None
    mean: float | None = None
    std: float | None = None
    distance: float | None = None
    limit: float | None = None
    read: int = 0
    source: str = "sampled"
    keep: float | None = None
    score: float | None = None

    @property
    def end(self) -> GateReason | None:
        """Which end the predictions are nearer to; None where too few could be read."""
        if self.mean is None:
            return None
        return "trivial" if self.mean > 0.5 else "unsolvable"


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
        belief: what was believed of the problem; None where the gate reads the predictions itself,
            or too little was known.
        waves: how its group grows; None: all rollouts are made at once.
    """

    gate: GateDecision | None
    gate_audited: bool
    gate_audit: float
    cutoff: CutoffDecision | None
    cutoff_audited: bool
    cutoff_audit: float
    hint: tuple[str, ...]
    max_tokens: int
    belief: Belief | None = None
    waves: WavePlan | None = None

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
        parts = (
            self._explain_gate(),
            self._explain_cutoff(),
            self._explain_waves(),
            self._hint(),
        )
        return "; ".join(part for part in parts if part)

    def _explain_gate(self) -> str:
        gate = self.gate
        if gate is None:
            return "no gate"
        if gate.mean is None or gate.std is None or gate.distance is None:
            if gate.source != "sampled":
                return "rolled out: the reader knows too little"
            return f"rolled out: only {gate.read} predicted pass rates could be read"
        by = (
            f"{gate.read} predicted pass rates of"
            if gate.source == "sampled"
            else f"a pass rate read from {gate.source}, on {gate.read} seen, of"
        )
        seen = (
            f"{by} mean {gate.mean:.3f} and standard deviation "
            f"{gate.std:.3f}, {gate.distance:.3f} from {gate.end}"
        )
        if gate.keep is not None:
            word = "kept" if self.solve else "passed over"
            return f"{word}, with a probability of {gate.keep:.3f} to be kept: {seen}"
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

    def _explain_waves(self) -> str:
        waves = self.waves
        if waves is None:
            return ""
        return (
            f"solutions in waves of {', '.join(map(str, waves.sizes))} by a prior of "
            f"{waves.right:.2f} right and {waves.wrong:.2f} wrong"
        )

    def _hint(self) -> str:
        return f"hint: {', '.join(self.hint)}" if self.hint else ""

    @property
    def whole(self) -> bool:
        """Whether solutions may run to the usual limit, so that nothing of them is unknown."""
        return self.cutoff is None or not self.cutoff.lowers or self.cutoff_audited
