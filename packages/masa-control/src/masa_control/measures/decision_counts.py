"""What one episode adds to the figures of gate and cutoff: flagged, rightly so, missed, spared."""

from __future__ import annotations

from masa_control.episode.plan import GateDecision
from masa_control.episode.types import Episode
from masa_control.measures.audit import ConfusionCounts, SavingsEstimate


def count_gate(episode: Episode, would_be: GateDecision | None = None) -> ConfusionCounts:
    """Return what an episode says of the gate.

    A problem is flagged rightly when its solutions all agree, on the end that the predictions
    named. One that was not flagged is missed when its solutions all agree, as far as they are
    known: cut ones that could still differ are taken to agree, so recall is not overstated.

    Args:
        episode: an episode.
        would_be: what the gate would have decided, where it was not asked.
    """
    plan = episode.plan
    decision = would_be if plan is None else plan.gate
    if decision is None:
        return ConfusionCounts()
    if not decision.skip:
        agree = episode.pass_rate_range.low is not None and episode.no_variance() is not False
        return ConfusionCounts.of(0, int(agree))
    truth = episode.no_variance(decision.reason)
    if truth is None:  # skipped; or nobody knows, as all its verifiers failed
        return ConfusionCounts.of(1, 0)
    return ConfusionCounts.of(1, 0, right=int(truth), weight=episode.weight)


def count_cutoff(episode: Episode) -> ConfusionCounts:
    """Return what an episode says of the cutoff; its units are rollouts.

    A rollout is cut rightly when it would not have come to the right answer. One that was not cut
    is missed when it is wrong. Rollouts whose verifier failed count nowhere.
    """
    plan = episode.plan
    if plan is None or plan.cutoff is None or not episode.solutions:
        return ConfusionCounts()
    judged = [s for s in episode.solutions if not s.verdict.failed]
    if not plan.cutoff_audited:
        cut = [s for s in judged if s.cut is not None]
        missed = sum(s.cut is None and s.reward == 0.0 for s in judged)
        return ConfusionCounts.of(len(cut), missed)
    allowed = plan.cutoff.max_tokens
    beyond = [s for s in judged if len(s.completion.token_ids) > allowed]
    within = [s for s in judged if len(s.completion.token_ids) <= allowed]
    return ConfusionCounts.of(
        len(beyond),
        sum(s.reward == 0.0 for s in within),
        right=sum(s.reward == 0.0 for s in beyond),
        weight=1 / plan.cutoff_audit,
    )


def estimate_gate_savings(episode: Episode) -> SavingsEstimate:
    """Return what an episode says of the tokens that the gate spared; its units are problems."""
    plan = episode.plan
    if plan is None or not plan.flagged:
        return SavingsEstimate()
    if not plan.gate_audited:
        return SavingsEstimate(forgone=1.0)
    made = sum(len(s.completion.token_ids) for s in episode.solutions)
    return SavingsEstimate.audited(1, made, plan.gate_audit)


def estimate_cutoff_savings(episode: Episode) -> SavingsEstimate:
    """Return what an episode says of the tokens that the cutoff spared; its units are rollouts."""
    plan = episode.plan
    if plan is None or plan.cutoff is None:
        return SavingsEstimate()
    if not plan.cutoff_audited:
        return SavingsEstimate(forgone=float(sum(s.cut is not None for s in episode.solutions)))
    lengths = [len(s.completion.token_ids) for s in episode.solutions]
    beyond = [length - plan.cutoff.max_tokens for length in lengths]
    cut = [tokens for tokens in beyond if tokens > 0]
    return SavingsEstimate.audited(len(cut), sum(cut), plan.cutoff_audit)
