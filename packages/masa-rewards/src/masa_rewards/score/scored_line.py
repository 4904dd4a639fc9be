"""Scores one line: its group, its predictions and their rewards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from masa_rewards.meta import score_group
from masa_rewards.notions.phrases import Phrase
from masa_rewards.notions.reward import read_phrases
from masa_rewards.notions.rules import NotionCount
from masa_rewards.score.gate.tally import TextAmount
from masa_rewards.score.line_reader import LineRollout, ProblemLine
from masa_rewards.score.settings import ScoreSettings
from masa_rewards.types import MetaPrediction, MetaReward, Rollout, RolloutGroup
from masa_rewards.verify.targets import TargetFault
from masa_rewards.verify.verifier import AnswerVerifier


class ScoredLine(NamedTuple):
    """A line that was scored: a problem with its rollouts and all its predictions.

    Not a `RewardResult`, which is of one sample: a report needs the group that the M rewards share.

    Attributes:
        group: The rollouts whose correctness is known.
        predictions: The M predictions, parsed.
        rewards: The M rewards; none where the group is empty.
        named: Of each prediction, its notions: phrase -> as it was written.
        notions: The counts of the notions that the rules admit and the problem does not hold; none
            where the group is empty.
        rollouts: G, with those that are not in the group.
        verdicts: How many rollouts had which verdict; "given" where the line states it,
            "unknown" where it does not and has no answer to verify by.
        amount: What its rollouts took; tokens are None where one does not state its length, and
            then no reward is paid, as there is no length to judge a predicted one by.
        prediction_characters: How long the texts of the predictions are together; None where one is
            not given as text.
        target_fault: Why rollouts cannot be compared with the answer by value; None where they can,
            and where nothing was verified.
    """

    group: RolloutGroup
    predictions: list[MetaPrediction]
    rewards: list[MetaReward]
    named: list[dict[Phrase, str]]
    notions: dict[Phrase, NotionCount]
    rollouts: int
    verdicts: Counter[str]
    amount: TextAmount
    prediction_characters: int | None = None
    target_fault: TargetFault | None = None


def score_line(line: ProblemLine, settings: ScoreSettings, verifier: AnswerVerifier) -> ScoredLine:
    """Verify what is to be verified, read the predictions and reward them.

    Args:
        line: The problem.
        settings: What predictions are parsed and rewarded by.
        verifier: Verifies the rollouts whose correctness the line does not state.

    Returns:
        What came of it.
    """
    group, verdicts = _verify_group(line, verifier)
    read = settings.prompt.parse
    predictions = [read(each) if isinstance(each, str) else each for each in line.predictions]
    scored = score_predictions(group, predictions, settings, verdicts)
    amount = _measure_rollouts(line)
    if amount.tokens is None:
        scored = scored._replace(rewards=[])
    is_verified = line.gold and any(rollout.correct is None for rollout in line.rollouts)
    fault = verifier.check_target(line.gold) if line.gold and is_verified else None
    texts = [each for each in line.predictions if isinstance(each, str)]
    return scored._replace(
        amount=amount,
        prediction_characters=(
            sum(map(len, texts)) if len(texts) == len(line.predictions) else None
        ),
        target_fault=fault,
    )


def _measure_rollouts(line: ProblemLine) -> TextAmount:
    lengths = [rollout.length for rollout in line.rollouts]
    known = [length for length in lengths if length is not None]
    return TextAmount(
        tokens=sum(known) if len(known) == len(lengths) else None,
        characters=sum(len(rollout.text) for rollout in line.rollouts),
    )


def score_predictions(
    group: RolloutGroup,
    predictions: Sequence[MetaPrediction],
    settings: ScoreSettings,
    verdicts: Mapping[str, int],
) -> ScoredLine:
    """Reward the predictions of a problem whose rollouts are verified.

    Args:
        group: The rollouts of which it is known whether they are correct; it may be empty.
        predictions: The M predictions, read.
        settings: What they are paid by.
        verdicts: How many rollouts had which verdict, those that are not in the group among them.

    Returns:
        What came of it.
    """
    named = [read_phrases(prediction) for prediction in predictions]
    rewards: list[MetaReward] = []
    notions: dict[Phrase, NotionCount] = {}
    if group.rollouts:
        scored = score_group(
            predictions, group, base=settings.base, notion_rules=settings.notion_rules
        )
        rewards, notions = list(scored.rewards), dict(scored.counts)
    counted = Counter(verdicts)
    amount = TextAmount(
        tokens=sum(rollout.length for rollout in group.rollouts),
        characters=sum(len(rollout.text) for rollout in group.rollouts),
    )
    return ScoredLine(
        group, list(predictions), rewards, named, notions, counted.total(), counted, amount
    )


def _verify_group(line: ProblemLine, verifier: AnswerVerifier) -> tuple[RolloutGroup, Counter[str]]:
    gold = line.gold
    open_cases = [rollout for rollout in line.rollouts if rollout.correct is None and gold]
    found = iter(verifier.verify_many([(rollout.text, gold) for rollout in open_cases]))
    verdicts: Counter[str] = Counter()
    rollouts: list[Rollout] = []
    for rollout in line.rollouts:
        correct, status = rollout.correct, "unknown" if rollout.correct is None else "given"
        if correct is None and gold:
            verdict = next(found)
            correct, status = None if verdict.failed else verdict.correct, verdict.status
        verdicts[status] += 1
        if correct is not None:
            rollouts.append(_to_rollout(rollout, correct))
    return RolloutGroup(problem=line.problem, rollouts=tuple(rollouts)), verdicts


def _to_rollout(rollout: LineRollout, correct: bool) -> Rollout:
    # Where no length is stated nothing is judged by it: see `ScoredLine.amount`.
    return Rollout(text=rollout.text, length=rollout.length or 0, correct=correct)
