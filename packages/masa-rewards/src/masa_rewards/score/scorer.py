"""Scores problems one by one, and keeps none of their texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from masa_rewards.missing import COMPONENTS, REASONS
from masa_rewards.score.gate.tally import GateTally
from masa_rewards.score.length_calibration import LengthTally
from masa_rewards.score.line_reader import LineError, read_line
from masa_rewards.score.notions import NotionTally
from masa_rewards.score.pass_rate import PassRateTally
from masa_rewards.score.report import (
    BadLine,
    Estimate,
    LineCounts,
    Report,
    RewardEstimates,
    UnscoredCounts,
)
from masa_rewards.score.scored_line import ScoredLine, score_line, score_predictions
from masa_rewards.score.settings import ScoreSettings, describe_settings
from masa_rewards.statistics import ClusteredMean, Interval
from masa_rewards.types import MetaPrediction, RolloutGroup
from masa_rewards.verify.verifier import AnswerVerifier

FIRST_BAD = 20
"""So many bad lines stand in a report; the others are counted."""

_REWARDS = ("total", "length", "difficulty", "notion")


class Scorer:
    """Scores lines or groups one by one; `report` returns the results so far.

    What it keeps does not grow with the texts: eight bytes a predicted length, some hundred bytes a
    problem and a different notion, and of notions 200,000 at most.
    """

    def __init__(
        self, verifier: AnswerVerifier | None = None, settings: ScoreSettings | None = None
    ) -> None:
        """Start with nothing.

        Args:
            verifier: Verifies the rollouts whose correctness a line does not state; None where only
                groups are added.
            settings: What predictions are parsed and rewarded by; by default the paper's.
        """
        self._verifier = verifier
        self._settings = settings or ScoreSettings()
        self._counts: Counter[str] = Counter()
        self._verdicts: Counter[str] = Counter()
        self._targets: Counter[str] = Counter()
        self._unread: dict[str, Counter[str]] = {name: Counter() for name in COMPONENTS}
        self._seen: set[int] = set()
        self._first_bad: list[BadLine] = []
        self._means = {name: ClusteredMean() for name in _REWARDS}
        self._pass_rate = PassRateTally(self._settings)
        self._length = LengthTally()
        self._notions = NotionTally(self._settings)
        self._gate = GateTally()
        self._notes: dict[str, None] = {}

    def add(self, line: str | bytes | Mapping[str, Any], number: int) -> None:
        """Score one line.

        Args:
            line: A JSON object with problem, rollouts and predictions; or what one holds.
            number: Its number in the file, for the report.

        Raises:
            LineError: If it cannot be scored. It is counted; the next can be added.
            ValueError: If there is no verifier.
        """
        if self._verifier is None:
            raise ValueError("lines are verified: give the Scorer a verifier, or use add_group")
        try:
            judged = score_line(read_line(line), self._settings, self._verifier)
        except LineError as error:
            self.add_bad(error, number)
            raise
        self._add_scored(judged)

    def add_bad(self, error: LineError, number: int) -> None:
        """Count a line that could not be read."""
        self._counts["bad"] += 1
        if len(self._first_bad) < FIRST_BAD:
            self._first_bad.append(BadLine(line=number, reason=str(error)))

    def add_note(self, note: str) -> None:
        """Add a sentence on how a file was read to the report; the same one stands there once."""
        self._notes[note] = None

    def add_group(
        self,
        group: RolloutGroup,
        predictions: Sequence[MetaPrediction],
        verdicts: Mapping[str, int] | None = None,
    ) -> None:
        """Score the predictions of one problem, of a group that is verified.

        Examples:
            >>> from masa_rewards import MetaPrediction, Rollout, RolloutGroup
            >>> right = Rollout(text="4", length=100, correct=True)
            >>> scorer = Scorer()
            >>> group = RolloutGroup(problem="2 + 2?", rollouts=(right,))
            >>> scorer.add_group(group, [MetaPrediction(pass_rate=1.0)])
            >>> scorer.report().rewards.difficulty.mean
            1.0

        Args:
            group: The rollouts of which it is known whether they are correct; it may be empty.
            predictions: The M >= 0 predictions, read.
            verdicts: How many rollouts had which verdict, those that are not in the group among
                them; by default there are no others.
        """
        if verdicts is None:
            verdicts = {"given": len(group.rollouts)} if group.rollouts else {}
        self._add_scored(score_predictions(group, predictions, self._settings, verdicts))

    def _add_scored(self, judged: ScoredLine) -> None:
        self._count(judged)
        for name, mean in self._means.items():
            mean.add([getattr(reward, name) for reward in judged.rewards])
        self._pass_rate.add(judged)
        self._length.add(judged)
        self._notions.add(judged)
        self._gate.add(
            [rollout.correct for rollout in judged.group.rollouts],
            judged.amount,
            [prediction.pass_rate for prediction in judged.predictions],
            judged.prediction_characters,
        )

    @property
    def lines(self) -> int:
        """How many lines and groups were added, the bad lines among them."""
        return self._counts["scored"] + self._counts["bad"]

    def report(self, *, stopped: str | None = None) -> Report:
        """Return the results so far.

        Args:
            stopped: Why no more were read, where there were more.

        Returns:
            The figures. What is not defined is None.
        """
        counts = self._counts
        return Report(
            settings=describe_settings(self._settings),
            lines=LineCounts(
                scored=counts["scored"],
                bad=counts["bad"],
                first_bad=tuple(self._first_bad),
                stopped=stopped,
            ),
            problems=counts["scored"],
            repeated_problems=counts["repeated"],
            rollouts=counts["rollouts"],
            correct=counts["correct"],
            predictions=counts["predictions"],
            rewards=self._rewards(),
            pass_rate=self._pass_rate.report(),
            length=self._length.report(),
            unreadable={
                name: {reason: found[reason] for reason in REASONS if found[reason]}
                for name, found in ((name, self._unread[name]) for name in COMPONENTS)
            },
            verdicts=dict(sorted(self._verdicts.items())),
            targets=dict(sorted(self._targets.items())),
            notions=self._notions.report(),
            unscored=self._count_unscored(),
            gate=self._gate.report(),
            notes=tuple(self._notes),
        )

    def _count(self, judged: ScoredLine) -> None:
        counts, predictions = self._counts, len(judged.predictions)
        counts["scored"] += 1
        counts["rollouts"] += judged.rollouts
        counts["correct"] += len(judged.group.correct_lengths)
        counts["predictions"] += predictions
        if not judged.group.rollouts:
            counts["none_verified" if judged.rollouts else "no_rollouts"] += predictions
        elif judged.amount.tokens is None:
            counts["no_lengths"] += predictions
        problem = hash(judged.group.problem)
        counts["repeated"] += problem in self._seen
        self._seen.add(problem)
        self._verdicts += judged.verdicts
        if judged.target_fault:
            self._targets[judged.target_fault] += 1
        for prediction in judged.predictions:
            for component, reason in prediction.missing.items():
                self._unread[component][reason] += 1

    def _rewards(self) -> RewardEstimates:
        means = {name: _to_estimate(mean.interval) for name, mean in self._means.items()}
        total = self._means["total"]
        return RewardEstimates(predictions=total.count, problems=total.clusters, **means)

    def _count_unscored(self) -> UnscoredCounts:
        return UnscoredCounts(
            rollouts_timeout=self._verdicts["timeout"],
            rollouts_error=self._verdicts["error"],
            rollouts_unknown=self._verdicts["unknown"],
            predictions_no_rollouts=self._counts["no_rollouts"],
            predictions_none_verified=self._counts["none_verified"],
            predictions_no_lengths=self._counts["no_lengths"],
        )


def _to_estimate(interval: Interval) -> Estimate:
    return Estimate(mean=interval.value, low=interval.low, high=interval.high)
