"""The meta reward: the mean of the three judgements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from masa_rewards._inputs import require_prediction, require_predictions
from masa_rewards.difficulty import DIFFICULTY_BASE, difficulty_reward
from masa_rewards.length import length_reward
from masa_rewards.notions.phrases import Phrase
from masa_rewards.notions.reward import PAPER, count_notions, read_phrases, score_notions
from masa_rewards.notions.rules import NotionCount, NotionRules
from masa_rewards.types import MetaPrediction, MetaReward, RolloutGroup


def meta_reward(
    prediction: MetaPrediction,
    group: RolloutGroup,
    *,
    base: float = DIFFICULTY_BASE,
    notion_rules: NotionRules = PAPER,
) -> MetaReward:
    """Reward one meta prediction. For all M of a problem, `meta_rewards` reads the texts once.

        r_meta = (r_length + r_difficulty + r_notion) / 3

    Args:
        prediction: What one meta rollout predicted.
        group: The G >= 1 verified rollouts of the same problem.
        base: b of the difficulty reward, in (0, 1).
        notion_rules: Which notions count, and how.

    Returns:
        The three rewards and their mean (MASA, meta reward). An unreadable component counts 0.

    Raises:
        TypeError: If `predictions` is not a list of predictions, or `group` not a group.
        ValueError: If the group is empty, or `base` is not in (0, 1).
    """
    require_prediction(prediction, group)
    return meta_rewards([prediction], group, base=base, notion_rules=notion_rules)[0]


def meta_rewards(
    predictions: Sequence[MetaPrediction],
    group: RolloutGroup,
    *,
    base: float = DIFFICULTY_BASE,
    notion_rules: NotionRules = PAPER,
) -> list[MetaReward]:
    """Reward the M meta predictions of one problem, with one reading of the group's texts.

    Examples:
        >>> from masa_rewards import Rollout
        >>> group = RolloutGroup(
        ...     problem="2 + 2?",
        ...     rollouts=(
        ...         Rollout(text="By an addition, 4.", length=100, correct=True),
        ...         Rollout(text="By a guess, 5.", length=300, correct=False),
        ...     ),
        ... )
        >>> exact = MetaPrediction(pass_rate=0.5, length=100, notions=("addition",))
        >>> missing = {"length": "no_json", "notions": "no_json"}
        >>> partly = MetaPrediction(pass_rate=0.5, missing=missing)
        >>> for reward in meta_rewards([exact, partly], group):
        ...     print(reward)
        length=1.0 difficulty=1.0 notion=1.0 total=1.0
        length=0.0 difficulty=1.0 notion=0.0 total=0.3333333333333333

    Args:
        predictions: The M >= 0 predictions; each is judged on its own.
        group: The G >= 1 verified rollouts of the same problem.
        base: b of the difficulty reward, in (0, 1).
        notion_rules: Which notions count, and how.

    Returns:
        M rewards, in the order of `predictions`.

    Raises:
        TypeError: If `predictions` is not a list of predictions, or `group` not a group.
        ValueError: If the group is empty, or `base` is not in (0, 1).
    """
    predictions = require_predictions(predictions, group)
    return list(score_group(predictions, group, base=base, notion_rules=notion_rules).rewards)


class ScoredGroup(NamedTuple):
    """The M meta rewards of one problem, and the notion counts that they follow from.

    Attributes:
        rewards: M rewards, in the order of the predictions.
        counts: Rollouts with each predicted notion that the rules admit and that is not in the
            problem statement.
    """

    rewards: tuple[MetaReward, ...]
    counts: Mapping[Phrase, NotionCount]


def score_group(
    predictions: Sequence[MetaPrediction],
    group: RolloutGroup,
    *,
    base: float = DIFFICULTY_BASE,
    notion_rules: NotionRules = PAPER,
) -> ScoredGroup:
    """Reward the M predictions of one problem, and return the notion counts too.

    The only path to the meta reward: `meta_rewards`, scoring of files and episodes all call it. The
    group's texts are read once, for the notions of all predictions.

    Args:
        predictions: The M >= 0 predictions.
        group: The G >= 1 verified rollouts of the same problem.
        base: b of the difficulty reward, in (0, 1).
        notion_rules: Which notions count, and how.

    Raises:
        ValueError: If the group is empty, or `base` is not in (0, 1).
    """
    named = [read_phrases(prediction) for prediction in predictions]
    counts = count_notions(frozenset().union(*named), group, rules=notion_rules)
    notions = score_notions([phrases.keys() for phrases in named], counts, notion_rules)
    rewards = [
        _average_components(
            length=length_reward(prediction, group),
            difficulty=difficulty_reward(prediction, group, base=base),
            notion=notion,
        )
        for prediction, notion in zip(predictions, notions, strict=True)
    ]
    return ScoredGroup(tuple(rewards), counts)


def _average_components(*, length: float, difficulty: float, notion: float) -> MetaReward:
    total = (length + difficulty + notion) / 3
    return MetaReward(length=length, difficulty=difficulty, notion=notion, total=total)
