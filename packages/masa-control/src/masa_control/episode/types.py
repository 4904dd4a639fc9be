"""What happened to one problem in one step: predictions, plan, solutions, rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from masa_rewards import MetaPrediction, MetaReward, Rollout, RolloutGroup, Verdict
from masa_rewards.notions.phrases import Phrase
from masa_rewards.notions.rules import NotionCount
from pydantic import BaseModel, ConfigDict, Field

from masa_control.episode.belief import Belief
from masa_control.episode.ends import GateReason, SkipReason
from masa_control.episode.plan import Plan
from masa_control.episode.protocols import Completion
from masa_control.episode.signals import SignalOutcome
from masa_control.episode.waves import WaveRecord

RolloutKind = Literal["meta", "solution"]

META: RolloutKind = "meta"
SOLUTION: RolloutKind = "solution"

CutTreatment = Literal["unknown", "wrong"]
"""What a solution is that was cut before it had stated the right answer."""


class Problem(BaseModel):
    """A problem and its gold answer.

    Attributes:
        id: names the problem within its data set.
        text: the statement, without any instruction.
        answer: the gold answer, as the verifier reads it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    text: str = Field(min_length=1)
    answer: str = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class SolutionRollout:
    """A solution and its verdict.

    Attributes:
        completion: what was sampled.
        verdict: what verification came to.
        cut: stopped by its plan's limit, below the usual one: what that makes of it where it had
            not stated the right answer; None where it was not cut.
    """

    completion: Completion
    verdict: Verdict
    cut: CutTreatment | None = None

    @property
    def reward(self) -> float | None:
        """1 if correct, 0 if not, None if nobody knows.

        Nobody knows where the verifier failed (timeout, error), as a failed judge is not a wrong
        answer; nor where the solution was cut, unless a cut one counts as wrong. Such a rollout
        carries no signal and stands outside the pass rate.
        """
        if self.verdict.failed:
            return None
        if self.verdict.correct:
            return 1.0
        return None if self.cut == "unknown" else 0.0

    @property
    def open(self) -> bool:
        """Whether it was cut, so that nobody knows if it would have been right."""
        return self.reward is None and not self.verdict.failed


class PassRateRange(NamedTuple):
    """Between which bounds a pass rate lies.

    Attributes:
        low: if all solutions that were cut, or not made, were wrong.
        high: if all were right.
    """

    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class MetaRollout:
    """A prediction and what it was worth.

    Attributes:
        completion: what was sampled.
        prediction: what was read of it.
        reward: by the paper's three judgements; None where no solution could be judged.
        signals: predictions and rewards of the signals of one's own, by key.
        total_reward: what it earned, in [0, 1]: the reward's total, with the signals weighed in;
            None where no solution could be judged.
    """

    completion: Completion
    prediction: MetaPrediction
    reward: MetaReward | None
    signals: Mapping[str, SignalOutcome] = field(default_factory=dict)
    total_reward: float | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """Everything that happened to one problem in one step.

    Attributes:
        problem: the problem.
        meta_prompt_ids: tokens of the meta prompt; empty when no prediction was asked for.
        solution_prompt_ids: tokens of the solution prompt; empty when no solution was made.
        meta: the M predictions, in the order they were sampled.
        solutions: the G solutions, in the order they were sampled; none where it was skipped.
        pass_rate: share of judged solutions that are correct; None when none could be judged.
        plan: what the predictions decided; None where they decided nothing.
        notion_counts: in how many solutions each predicted notion stood, where a record is kept.
        seconds: what our own code took for it, by part; nothing that two equal episodes share.
        belief: what was believed of it before it was tried; None where nothing was.
        waves: how its group grew; None where all solutions were made at once.
    """

    problem: Problem
    meta_prompt_ids: tuple[int, ...]
    solution_prompt_ids: tuple[int, ...]
    meta: tuple[MetaRollout, ...]
    solutions: tuple[SolutionRollout, ...]
    pass_rate: float | None
    plan: Plan | None = None
    notion_counts: Mapping[Phrase, NotionCount] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)
    belief: Belief | None = None
    waves: WaveRecord | None = None

    @property
    def skipped(self) -> SkipReason | None:
        """Why no solution was made; None where solutions were."""
        if self.plan is None or self.plan.solve or self.plan.gate is None:
            return None
        return self.plan.gate.reason

    @property
    def weight(self) -> float:
        """How many problems like it it stands for: 1/ε after an audit of the gate, else 1.

        Where problems are chosen by chance, one over the probability with which it was.
        """
        if self.plan is None or not self.plan.gate_audited:
            return 1.0
        return 1 / self.plan.gate_audit

    @property
    def unmade(self) -> int:
        """Solutions of a whole group that were not made, since the group was stopped."""
        if self.waves is None or self.waves.stopped_at is None or self.waves.audited:
            return 0
        return self.waves.limit - self.waves.stopped_at

    @property
    def stopped_in_agreement(self) -> bool:
        """Whether the group was stopped while nothing showed that it has variance.

        What the rest would have been is then known of audited groups alone.
        """
        if self.waves is None or self.waves.stopped_at is None:
            return False
        known = {s.reward for s in self.solutions[: self.waves.stopped_at]}
        return not {0.0, 1.0} <= known

    @property
    def wave_weight(self) -> float:
        """How many groups like it it stands for, where what is asked is whether all agree.

        1/ε after an audit of a group that was stopped in agreement, else 1. One that was stopped
        and not audited is one of those that audited ones stand for.
        """
        if self.waves is None or not self.waves.audited or not self.stopped_in_agreement:
            return 1.0
        return 1 / self.waves.audit

    @property
    def correct_lengths(self) -> list[int]:
        """Lengths of the correct solutions, tokens."""
        return [len(s.completion.token_ids) for s in self.solutions if s.reward == 1.0]

    @property
    def pass_rate_range(self) -> PassRateRange:
        """Between which bounds the pass rate lies.

        Solutions that were cut, or not made since the group was stopped, may all be wrong, or all
        right. Both None where there is no solution, or the verifier failed on all.
        """
        known = [s.reward for s in self.solutions if s.reward is not None]
        cut = sum(s.open for s in self.solutions) + (self.unmade if known else 0)
        correct, judged = sum(known), len(known) + cut
        if not judged:
            return PassRateRange(None, None)
        return PassRateRange(correct / judged, (correct + cut) / judged)

    def no_variance(self, end: GateReason | None = None) -> bool | None:
        """Whether its solutions all agree, on one end if one is named; None where nobody knows."""
        low, high = self.pass_rate_range
        if low is None or high is None:
            return None
        ends = {"trivial": (1.0,), "unsolvable": (0.0,), None: (0.0, 1.0)}[end]
        if low == high:
            return low in ends
        return None if any(low <= e <= high for e in ends) else False


def verified_group(problem: Problem, solutions: Sequence[SolutionRollout]) -> RolloutGroup:
    """Return the group that predictions are measured by: the solutions that are right or wrong.

    A rollout of which nobody knows (its verifier failed, or it was cut) is left out, so the group
    may be smaller than G, or empty.
    """
    return RolloutGroup(
        problem=problem.text,
        rollouts=tuple(
            Rollout(
                text=s.completion.text,
                length=len(s.completion.token_ids),
                correct=s.reward == 1.0,
            )
            for s in solutions
            if s.reward is not None
        ),
    )
