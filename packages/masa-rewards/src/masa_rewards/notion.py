"""The notion reward: do the predicted notions go with correct rollouts?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from masa_rewards.lemma import Phrase, find_phrases, to_phrase
from masa_rewards.types import MetaPrediction, RolloutGroup


def notion_reward(prediction: MetaPrediction, group: RolloutGroup) -> float:
    """Reward notions that go with correct rollouts.

        r_notion = mean over predicted n of [c1(n) - c0(n) > 0]

    with c1(n), c0(n) the numbers of correct and of incorrect rollouts in which n occurs at least
    once (MASA, notion reward). What counts as occurring, and as the same notion, says
    `masa_rewards.lemma`. A notion that the problem statement already holds is left out before the
    mean, as it proves nothing (second version of the paper).

    Args:
        prediction: Its `notions` are the predicted ones. One that is stated twice counts once.
        group: The G >= 1 verified rollouts of the same problem.

    Returns:
        A float in [0, 1]. 0.0 when no notion was predicted, or none is left. When all rollouts
        are wrong no notion can pay; when all are right each that occurs anywhere does.

    Raises:
        ValueError: If the group is empty.
    """
    return notion_rewards([prediction], group)[0]


def notion_rewards(predictions: Sequence[MetaPrediction], group: RolloutGroup) -> list[float]:
    """Reward the notions of M predictions, with one reading of the group's texts.

    Args:
        predictions: The M >= 0 predictions.
        group: The G >= 1 verified rollouts of the same problem.

    Returns:
        M floats, each as of `notion_reward`.

    Raises:
        ValueError: If the group is empty.
    """
    group.require_rollouts()
    predicted = [{to_phrase(notion) for notion in p.notions or ()} for p in predictions]
    candidates = frozenset().union(*predicted)
    news = candidates - find_phrases(group.problem, candidates)
    balance = _balance(news, group)
    return [_share_above_zero([balance[n] for n in notions & news]) for notions in predicted]


def _balance(notions: Collection[Phrase], group: RolloutGroup) -> Counter[Phrase]:
    """c1(n) - c0(n) of each notion n."""
    balance: Counter[Phrase] = Counter()
    for rollout in group.rollouts:
        found = find_phrases(rollout.text, notions)
        if rollout.correct:
            balance.update(found)
        else:
            balance.subtract(found)
    return balance


def _share_above_zero(balances: Sequence[int]) -> float:
    if not balances:
        return 0.0
    return sum(balance > 0 for balance in balances) / len(balances)
