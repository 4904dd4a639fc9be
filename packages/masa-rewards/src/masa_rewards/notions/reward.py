"""The notion reward: do the predicted notions occur mainly in correct rollouts?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set

from masa_rewards._inputs import require_prediction, require_predictions
from masa_rewards.notions.finder import PhraseFinder
from masa_rewards.notions.phrases import Phrase, to_phrase
from masa_rewards.notions.rules import NotionCount, NotionRules
from masa_rewards.types import MetaPrediction, RolloutGroup

PAPER = NotionRules()
"""The paper's rules: counted by rollout, every notion admitted."""


def notion_reward(
    prediction: MetaPrediction, group: RolloutGroup, *, rules: NotionRules = PAPER
) -> float:
    """Reward notions that occur in more correct than incorrect rollouts.

        r_notion = mean over predicted n of [c1(n) - c0(n) > 0]

    with c1(n), c0(n) the numbers of correct and of incorrect rollouts in which n occurs at least
    once (MASA, notion reward). `masa_rewards.notions.phrases` defines when a notion occurs, and
    when two notions are the same. A notion in the problem statement is left out before the mean, as
    it carries no information (second version of the paper).

    Examples:
        >>> from masa_rewards import Rollout
        >>> group = RolloutGroup(
        ...     problem="Find the sum of the roots.",
        ...     rollouts=(
        ...         Rollout(text="By Vieta's formula, 5.", length=90, correct=True),
        ...         Rollout(text="The Vieta formulas say 5.", length=70, correct=True),
        ...         Rollout(text="By Vieta's formulas, and a guess, 6.", length=80, correct=False),
        ...     ),
        ... )
        >>> notion_reward(MetaPrediction(notions=("Vieta formulas", "guess", "sums")), group)
        0.5

    The formula is rewarded (2 - 1 > 0), the guess is not (0 - 1), and the sum is in the problem.

    Args:
        prediction: Its `notions` are judged. A repeated notion counts once.
        group: The G >= 1 verified rollouts of the same problem.
        rules: Which notions count, and how. What they do not admit is left out before the mean.

    Returns:
        A float in [0, 1]. 0.0 when the notions are unreadable, or none is left. When all rollouts
        are wrong no notion is rewarded; when all are correct every notion that occurs is, unless
        `rules` count by rate.

    Raises:
        TypeError: If `prediction` is not a prediction, or `group` not a group.
        ValueError: If the group is empty.
    """
    require_prediction(prediction, group)
    return notion_rewards([prediction], group, rules=rules)[0]


def notion_rewards(
    predictions: Sequence[MetaPrediction], group: RolloutGroup, *, rules: NotionRules = PAPER
) -> list[float]:
    """Reward the notions of M predictions, with one reading of the group's texts.

    Args:
        predictions: The M >= 0 predictions.
        group: The G >= 1 verified rollouts of the same problem.
        rules: As of `notion_reward`.

    Returns:
        M floats, each as of `notion_reward`.

    Raises:
        TypeError: If `predictions` is not a list of predictions, or `group` not a group.
        ValueError: If the group is empty.
    """
    predictions = require_predictions(predictions, group)
    named = [read_phrases(prediction).keys() for prediction in predictions]
    return score_notions(named, count_notions(frozenset().union(*named), group, rules=rules), rules)


def read_phrases(prediction: MetaPrediction) -> dict[Phrase, str]:
    """Return the notions of a prediction as phrases, each with its first spelling."""
    # In reverse, so that the first spelling of a repeated notion is the one kept.
    return {to_phrase(notion): notion for notion in reversed(prediction.notions or ())}


def score_notions(
    named: Sequence[Set[Phrase]], counts: Mapping[Phrase, NotionCount], rules: NotionRules
) -> list[float]:
    """Reward the notions of M predictions from their counts.

    Args:
        named: The notions of each prediction.
        counts: Their counts, as of `count_notions`; a notion without a count is left out.
        rules: Decide which notions are rewarded.

    Returns:
        M floats, each as of `notion_reward`.
    """
    rewarded = {notion for notion, count in counts.items() if rules.rewards(count)}
    return [_compute_rewarded_share(notions & counts.keys(), rewarded) for notions in named]


def count_notions(
    notions: Collection[Phrase], group: RolloutGroup, *, rules: NotionRules = PAPER
) -> dict[Phrase, NotionCount]:
    """Count in how many rollouts each notion occurs, with one reading of the group's texts.

    Args:
        notions: Phrases to find, as of `to_phrase`.
        group: The G >= 1 verified rollouts of the same problem.
        rules: Which notions to count.

    Returns:
        Counts of the notions that the rules admit and that are not in the problem statement.

    Raises:
        ValueError: If the group is empty.
    """
    group.require_rollouts()
    admitted = frozenset(filter(rules.admit, notions))
    finder = PhraseFinder(admitted)
    counted = admitted - finder.find(group.problem)
    correct: Counter[Phrase] = Counter()
    incorrect: Counter[Phrase] = Counter()
    for rollout in group.rollouts:
        (correct if rollout.correct else incorrect).update(finder.find(rollout.text))
    all_correct = len(group.correct_lengths)
    sizes = (all_correct, len(group.rollouts) - all_correct)
    return {n: NotionCount(correct[n], incorrect[n], *sizes) for n in counted}


def _compute_rewarded_share(notions: Set[Phrase], rewarded: Set[Phrase]) -> float:
    return len(notions & rewarded) / len(notions) if notions else 0.0
