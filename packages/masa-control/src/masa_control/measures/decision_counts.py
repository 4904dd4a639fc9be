"""What one episode adds to the figures of gate and cutoff: flagged, rightly so, missed, spared."""

from __future__ import annotations

from masa_control.episode.plan import GateDecision
from masa_control.episode.types import Episode
from masa_control.measures.audit import Tally, Total


def gate_tally(episode: Episode, would_be: GateDecision | None = None) -> Tally:
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
        return Tally()
    if not decision.skip:
        agree = episode.pass_rate_range.low is not None and episode.no_variance() is not False
        return Tally.of(0, int(agree))
    truth = episode.no_variance(decision.reason)
    if truth is None:  # skipped; or nobody knows, as all its verifiers failed
        return Tally.of(1, 0)
    return Tally.of(1, 0, right=int(truth), weight=episode.weight)


def cutoff_tally(episode: Episode) -> Tally:
    """Return what an episode says of the cutoff; its units are rollouts.

    A rollout is cut rightly when it would not have come to the right answer. One that was not cut
    is missed when it is wrong. Rollouts whose verifier failed count nowhere.
    """
    plan = episode.plan
    if plan is None or plan.cutoff is None or not episode.solutions:
        return Tally()
    judged = [s for s in episode.solutions if not s.verdict.failed]
    if not plan.cutoff_audited:
        cut = [s for s in judged if s.cut is not None]
        missed = sum(s.cut is None and s.reward == 0.0 for s in judged)
        return Tally.of(len(cut), missed)
    allowed = plan.cutoff.max_tokens
    beyond = [s for s in judged if len(s.completion.token_ids) > allowed]
    within = [s for s in judged if len(s.completion.token_ids) <= allowed]
    return Tally.of(
        len(beyond),
        sum(s.reward == 0.0 for s in within),
        right=sum(s.reward == 0.0 for s in beyond),
        weight=1 / plan.cutoff_audit,
    )


def gate_saved(episode: Episode) -> Total:
    """Return what an episode says of the tokens that the gate spared; its units are problems."""
    plan = episode.plan
    if plan is None or not plan.flagged:
        return Total()
    if not plan.gate_audited:
        return Total(forgone=1.0)
    made = sum(len(s.completion.token_ids) for s in episode.solutions)
    return Total.audited(1, made, plan.gate_audit)


def cutoff_saved(episode: Episode) -> Total:
    """Return what an episode says of the tokens that the cutoff spared; its units are rollouts."""
    plan = episode.plan
    if plan is None or plan.cutoff is None:
        return Total()
    if not plan.cutoff_audited:
        return Total(forgone=float(sum(s.cut is not None for s in episode.solutions)))
    lengths = [len(s.completion.token_ids) for s in episode.solutions]
    beyond = [length - plan.cutoff.max_tokens for length in lengths]
    cut = [tokens for tokens in beyond if tokens > 0]
    return Total.audited(len(cut), sum(cut), plan.cutoff_audit)
