"""What a step's loss is made of: which sample weighs how much in it (paper section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masa_control.decisions.experts import Expert
from masa_control.episode.types import Episode


@dataclass(frozen=True, slots=True)
class LossScales:
    """What advantages are multiplied by, so that a mean over the whole batch is what is wanted.

    A stack averages its loss over everything in a batch: rollouts, experts, fillers. The policy
    loss is to be the mean over its own rollouts, and the cloning loss the weighted mean over
    experts, whatever else fills the batch.

    Attributes:
        policy: factor on the advantages of rollouts.
        clone: factor on the weights of experts' tokens, before the weight of the cloning loss.
    """

    policy: float
    clone: float


def compute_loss_scales(total: float, policy: float, cloned: float) -> LossScales:
    """Return the factors that undo a stack's mean over everything.

        policy = total / policy size,  clone = total / Σ weights of experts

    Sizes are in what the stack's loss is a mean over: tokens, or sequences.

    Args:
        total: size of all that is in the batch, > 0.
        policy: size of the rollouts. Divided by the share of the step's problems that were rolled
            out (``compute_rolled_out_share``), it is as if the skipped ones had been rolled out
            too, as long, and to no difference. Below 1 (no rollouts) it counts as 1.
        cloned: sum of the weights of the experts' tokens, or the number of experts; may be 0.
    """
    # 1e-9: without an expert the factor multiplies nothing, but it must be finite all the same.
    return LossScales(total / max(policy, 1.0), total / max(cloned, 1e-9))


def compute_rolled_out_share(episodes: Sequence[Episode], *, skipped: bool = True) -> float:
    """Return the share of a step's problems that were rolled out, in (0, 1].

    Groups that were stopped count by the share of their solutions that was made, so that a group
    that goes on does not weigh the more for it.

    Args:
        episodes: of the step.
        skipped: count the skipped ones as not rolled out; else they do not count at all, since
            others were drawn in their places.

    Returns:
        1 where none was rolled out: nothing but experts is left to train on then, and they have no
        group.
    """
    made = [_share_made(episode) for episode in episodes if episode.skipped is None]
    all_of_them = len(episodes) if skipped else len(made)
    return sum(made) / all_of_them if made else 1.0


def _share_made(episode: Episode) -> float:
    many = len(episode.solutions)
    return many / (many + episode.unmade) if episode.unmade else 1.0


def weigh_clone_tokens(
    expert: Expert, places_T_2: Sequence[tuple[int, int]], number_weight: float
) -> NDArray[np.float64]:
    """Return the weights of an expert's tokens in the cloning loss, shape (T,).

    A token weighs 1; one that touches a true number ``number_weight``; one that touches a number
    that nobody knows 0, which goes before.

    Args:
        expert: the text with its true numbers.
        places_T_2: from where to where in the text each token stands, in characters.
        number_weight: > 0.
    """
    begins_T, ends_T = np.array(places_T_2, dtype=np.int64).reshape(-1, 2).T
    weights_T = np.ones(len(begins_T))
    for spans, weight in ((expert.numbers, number_weight), (expert.unknown, 0.0)):
        for start, end in spans:
            weights_T[(begins_T < end) & (start < ends_T)] = weight
    return weights_T


def scale_to_unit_mean(weights_T: Sequence[float]) -> list[float]:
    """Return weights with a mean of 1: a sequence then weighs the same whatever is in it."""
    mean = sum(weights_T) / len(weights_T)
    return [weight / mean for weight in weights_T]
