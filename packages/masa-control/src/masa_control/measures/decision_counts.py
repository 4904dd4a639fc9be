"""What one episode adds to the figures of gate, cutoff and waves: flagged, rightly, missed, spared.

What a group that was stopped would have come to is known of audited ones alone; they stand for the
others, by one over the share that is audited.
"""

from __future__ import annotations

from masa_control.episode.plan import GateDecision
from masa_control.episode.types import Episode
from masa_control.measures.audit import ConfusionCounts, SavingsEstimate


def count_gate(episode: Episode, would_be: GateDecision | None = None) -> ConfusionCounts:
    """Return what an episode says of the gate.

    A problem is flagged rightly when its solutions all agree, on the end that the predictions
    named. One that was not flagged is missed when its solutions all agree, as far as they are
    known: cut ones that could still differ are taken to agree, so recall is not overstated.

    Where problems are chosen by chance, those that were not are flagged, rightly when the solutions
    would all have agreed; those that were kept stand for them.

    Args:
        episode: an episode.
        would_be: what the gate would have decided, where it was not asked.
    """
    plan = episode.plan
    decision = would_be if plan is None else plan.gate
    if decision is None:
        return ConfusionCounts()
    if decision.keep is not None:
        return _count_choice(episode, decision.keep if plan is not None else 1.0)
    if not decision.skip:
        agree = _seems_to_agree(episode)
        weight = episode.wave_weight
        return ConfusionCounts.miss(int(agree), weight) if weight > 1 else _count_missed(agree)
    truth = episode.no_variance(decision.end)
    if truth is None:  # skipped; or nobody knows, as all its verifiers failed
        return ConfusionCounts.of(1, 0)
    return ConfusionCounts.of(1, 0, right=int(truth), weight=episode.weight)


def _count_missed(agree: bool) -> ConfusionCounts:
    return ConfusionCounts.of(0, int(agree))


def _seems_to_agree(episode: Episode) -> bool:
    """Whether its solutions all agree, as far as they are known; no where audits stand for it."""
    if episode.unmade and episode.stopped_in_agreement:
        return False
    return episode.pass_rate_range.low is not None and episode.no_variance() is not False


def _count_choice(episode: Episode, keep: float) -> ConfusionCounts:
    if not episode.solutions:
        return ConfusionCounts.of(1, 0)
    unknown = episode.unmade and episode.stopped_in_agreement  # audited ones stand for it
    if unknown or episode.pass_rate_range.low is None:
        return ConfusionCounts()
    return ConfusionCounts.kept(int(_seems_to_agree(episode)), keep, episode.wave_weight)


def count_waves(episode: Episode) -> ConfusionCounts:
    """Return what an episode says of stopping groups; its units are groups.

    A group is flagged where it is stopped while its solutions agree, rightly when all others would
    have agreed too. One that was made whole is missed when all agree. Groups that were stopped
    with variance to learn from are neither.
    """
    record = episode.waves
    if record is None or episode.pass_rate_range.low is None:
        return ConfusionCounts()
    if record.stopped_at is None:
        return _count_missed(_seems_to_agree(episode))
    if not episode.stopped_in_agreement:
        return ConfusionCounts()
    if not record.audited:
        return ConfusionCounts.of(1, 0)
    right = int(episode.no_variance() is not False)
    return ConfusionCounts.of(1, 0, right=right, weight=1 / record.audit)


def estimate_wave_savings(episode: Episode) -> SavingsEstimate:
    """Return what an episode says of the tokens that stopping spared; its units are rollouts."""
    record = episode.waves
    if record is None or record.stopped_at is None:
        return SavingsEstimate()
    if not record.audited:
        return SavingsEstimate(forgone=float(episode.unmade))
    rest = episode.solutions[record.stopped_at :]
    made = sum(len(s.completion.token_ids) for s in rest)
    return SavingsEstimate.audited(len(rest), made, record.audit)


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
    """Return what an episode says of the tokens that the gate spared; its units are problems.

    That is what a problem would have cost as others are rolled out: whole after a gate that skips,
    in waves where it is one of those that are chosen by chance.
    """
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
