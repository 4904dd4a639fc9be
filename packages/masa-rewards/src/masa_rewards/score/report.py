"""What scoring a file comes to: the figures, under keys that stay."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from masa_rewards.missing import Component, Reason
from masa_rewards.score.calibration import LengthReport, PassRateReport
from masa_rewards.score.gate.savings import GateReport

SCHEMA_VERSION: Final = 2
"""Goes up when a key changes its name or its meaning, not when one is added."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BadLine(_Frozen):
    """A line that could not be scored: its number, from 1, and why."""

    line: int
    reason: str


class LineCounts(_Frozen):
    """Lines of the file.

    Attributes:
        scored: How many could be.
        bad: How many could not.
        first_bad: The first 20 of these.
        stopped: Why the file was not read to its end; None when it was.
    """

    scored: int
    bad: int
    first_bad: tuple[BadLine, ...]
    stopped: str | None


class Estimate(_Frozen):
    """A mean with its interval of 95 %; None where there is none: no value, or one problem."""

    mean: float | None
    low: float | None
    high: float | None


class RewardEstimates(_Frozen):
    """Mean rewards over all predictions that were judged.

    Attributes:
        predictions: How many these are.
        problems: Of so many problems.
        total: The mean of the three.
        length: The length reward.
        difficulty: The difficulty reward.
        notion: The notion reward.
    """

    predictions: int
    problems: int
    total: Estimate
    length: Estimate
    difficulty: Estimate
    notion: Estimate


class NotionRow(_Frozen):
    """One notion over all problems.

    Attributes:
        notion: As most wrote it, at most 80 characters of it.
        predictions: How many predictions name it.
        problems: Of so many problems in which it counts, as the rules admit it and the problem
            does not hold it.
        rewarded: In how many of these it is rewarded.
        correct: Share of these problems' correct rollouts in which it occurs: the sum of c1 by the
            sum of n1. None when none was correct.
        incorrect: Likewise of the incorrect ones, c0 by n0.
    """

    notion: str
    predictions: int
    problems: int
    rewarded: int
    correct: float | None
    incorrect: float | None


class NotionReport(_Frozen):
    """Notions, over problems with a rollout.

    Attributes:
        distinct: How many were named; one in several forms is one.
        best: Those rewarded in more than half of their problems, by Wilson's lower bound.
        worst: The others, likewise by the share of problems in which they are not rewarded.
        in_problem: How often a notion was left out of a problem, as its statement holds it.
        not_admitted: How often one was left out, as the rules do not admit it.
        forgotten: Notions of few problems that were dropped, so that memory stays bounded; 0 below
            200,000 different ones.
    """

    distinct: int
    best: tuple[NotionRow, ...]
    worst: tuple[NotionRow, ...]
    in_problem: int
    not_admitted: int
    forgotten: int


class UnscoredCounts(_Frozen):
    """What has no reward, and why.

    Attributes:
        rollouts_timeout: Rollouts left out of their group: the verifier took too long.
        rollouts_error: Likewise: the verifier failed.
        rollouts_unknown: Likewise: `correct` is null, and there is no answer to verify by.
        predictions_no_rollouts: Predictions of problems without a rollout.
        predictions_none_verified: Predictions of problems all of whose rollouts were left out.
        predictions_no_lengths: Predictions of problems with a rollout whose length is not stated:
            their pass rates are looked at, and no reward is paid.
    """

    rollouts_timeout: int
    rollouts_error: int
    rollouts_unknown: int
    predictions_no_rollouts: int
    predictions_none_verified: int
    predictions_no_lengths: int


class ReportSettings(_Frozen):
    """What the predictions were parsed and rewarded by; `stop_words` is how many there were."""

    scale: int
    min_length: int
    max_length: int
    base: float
    notion_counting: str
    notion_min_length: int
    stop_words: int


class Report(_Frozen):
    """How aware a model is of its own rollouts.

    Attributes:
        schema_version: Of these keys.
        settings: What the predictions were parsed and rewarded by.
        lines: Lines of the file.
        problems: Problems read; each line is one.
        repeated_problems: Lines whose problem stood in one before. They count as problems of their
            own, which makes the intervals too narrow.
        rollouts: Rollouts read.
        correct: Those that are correct.
        predictions: Predictions read.
        rewards: Mean rewards.
        pass_rate: Calibration of the pass rate.
        length: Calibration of the length.
        unreadable: Component -> reason why it is unreadable -> predictions.
        verdicts: Verdict -> how many rollouts; "given" where the file states it, "unknown" where
            nothing does.
        targets: Why the answer of a problem cannot be compared by value -> how many problems that
            had rollouts to verify; see `AnswerVerifier.check_target`.
        notions: Best and worst notions.
        unscored: What has no reward, and why.
        gate: What a gate would save on this file.
        notes: How files that are logs of other programs were read, in sentences.
    """

    schema_version: Literal[2] = SCHEMA_VERSION
    settings: ReportSettings
    lines: LineCounts
    problems: int
    repeated_problems: int
    rollouts: int
    correct: int
    predictions: int
    rewards: RewardEstimates
    pass_rate: PassRateReport
    length: LengthReport
    unreadable: dict[Component, dict[Reason, int]]
    verdicts: dict[str, int]
    targets: dict[str, int]
    notions: NotionReport
    unscored: UnscoredCounts
    gate: GateReport
    notes: tuple[str, ...] = ()
