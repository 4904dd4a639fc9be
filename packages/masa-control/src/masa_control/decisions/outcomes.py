"""What an episode says of reader, gate and cutoff, to those that learn of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from masa_control.decisions.audited_gate import GateOutcome
from masa_control.decisions.cutoff import LengthOutcome, compute_median_length
from masa_control.episode.plan import GateDecision
from masa_control.episode.types import Episode
from masa_control.readers.protocol import GroupOutcome

_Outcome = TypeVar("_Outcome")


def drop_unknown(outcomes: Iterable[_Outcome | None]) -> Iterator[_Outcome]:
    """Yield those of which something is known."""
    return (outcome for outcome in outcomes if outcome is not None)


def count_outcome(episode: Episode) -> GroupOutcome:
    """Return what a reader learns of an episode; without a judged solution, nothing."""
    rewards = [s.reward for s in episode.solutions if s.reward is not None]
    return GroupOutcome(episode.problem.id, sum(r == 1.0 for r in rewards), len(rewards))


def derive_gate_outcome(episode: Episode, decided: GateDecision | None) -> GateOutcome | None:
    """Return what an episode says of the gate; None where it was skipped, or nobody knows.

    Solutions that were cut leave open how they would have ended. At the unsolvable end they are
    taken for wrong: a policy that is never right is not so when it runs on either. At the trivial
    end nobody knows, and groups that differ show it all the same while groups that agree mostly do
    not, so that the gate would look worse than it is: where the cutoff is audited, only problems
    whose solutions could run on say something, and the audited ones stand for the others.

    A group that was stopped in agreement says nothing unless it was audited, and stands for others
    then.

    Args:
        episode: an episode.
        decided: what the gate decided of it, or would have.
    """
    if decided is None or decided.end is None or decided.distance is None:
        return None
    if episode.unmade and episode.stopped_in_agreement:
        return None
    plan, weight = episode.plan, episode.weight * episode.wave_weight
    truth = episode.no_variance(decided.end)
    if decided.end == "unsolvable":
        truth = None if episode.pass_rate is None else episode.pass_rate == 0
    elif plan is not None and plan.cutoff_audit and plan.cutoff is not None:
        if not plan.whole:
            return None
        spared = plan.cutoff_audited
        weight = episode.wave_weight / plan.cutoff_audit if spared else weight
    if truth is None:
        return None
    return GateOutcome(decided.end, decided.distance, truth, weight)


def derive_length_outcome(
    episode: Episode, decided: GateDecision | None = None
) -> LengthOutcome | None:
    """Return what an episode says of the cutoff; None where its solutions could not run on.

    Problems that a gate flags, and does not choose by chance, say nothing: the cutoff is never
    asked about them, and with many correct solutions each they would draw the margin to what suits
    them.

    Args:
        episode: an episode.
        decided: what the gate decided of it, or would have.
    """
    plan = episode.plan
    flagged = decided is not None and decided.skip and decided.keep is None
    if (plan is not None and not plan.whole) or flagged:
        return None
    predicted = compute_median_length([m.prediction.length for m in episode.meta])
    lengths = episode.correct_lengths
    if not predicted or not lengths:
        return None
    weight = 1 / plan.cutoff_audit if plan is not None and plan.cutoff_audited else 1.0
    return LengthOutcome(tuple(length / predicted for length in lengths), weight)
