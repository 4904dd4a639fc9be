"""Collects the rollouts of a problem that a stack hands over one at a time, and rewards them.

An asyncio barrier for each group. A verified solution gets its reward at once. A prediction, or a
solution for which the verifier failed, waits until the group is complete.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import NamedTuple

from masa_rewards.difficulty import DIFFICULTY_BASE
from masa_rewards.integrations.result import RewardResult, TrainingReward
from masa_rewards.integrations.samples import Kind, Sample, neutral_rewards, reward_samples
from masa_rewards.notions.reward import PAPER
from masa_rewards.notions.rules import NotionRules
from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.verify.verdict import Verdict


class Submission(NamedTuple):
    """One rollout, with the size of the group that it belongs to.

    Attributes:
        sample: The rollout.
        verdict: The verdict on a solution sample, else None.
        row: The stack's own group id: shared by the rollouts of one row of the batch, and by no
            others. It separates two occurrences of one problem.
        solutions: G, solution samples of the problem, >= 1.
        predictions: M, meta samples of the problem, >= 1.
    """

    sample: Sample
    verdict: Verdict | None
    row: str
    solutions: int
    predictions: int

    @property
    def expected(self) -> dict[Kind, int]:
        """Samples of each kind in a complete group."""
        return {"solution": self.solutions, "meta": self.predictions}


class _PendingGroup:
    """One occurrence of a problem: its rows, and the rollouts submitted so far."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.rows: dict[Kind, str] = {}
        self.submissions: list[Submission] = []
        self.rewards: asyncio.Future[list[TrainingReward]] = loop.create_future()
        self.changed = loop.time()

    def count(self, kind: Kind) -> int:
        """Submitted samples of a kind."""
        return sum(submission.sample.kind == kind for submission in self.submissions)


class GroupCollector:
    """Joins the rollouts of each problem into a group. Runs in one event loop."""

    def __init__(
        self,
        prompt: MetaPrompt,
        *,
        base: float = DIFFICULTY_BASE,
        notion_rules: NotionRules = PAPER,
        wait_seconds: float = 3600.0,
    ) -> None:
        """Keep the settings; no group is pending.

        Args:
            prompt: Reads the predictions.
            base: b of the difficulty reward.
            notion_rules: Which notions count, and how.
            wait_seconds: Seconds that a rollout waits for its group to be complete, > 0.
        """
        self._prompt, self._base, self._notion_rules = prompt, base, notion_rules
        self._wait_seconds = wait_seconds
        self._pending: defaultdict[str, list[_PendingGroup]] = defaultdict(list)

    async def submit(self, submission: Submission) -> TrainingReward:
        """Add a rollout to its group; wait for the group where the reward depends on it.

        Returns:
            The reward of this sample.

        Raises:
            TimeoutError: If the group is not complete after `wait_seconds`.
            ValueError: If the group gets more samples than expected, or the kind is unknown.
        """
        group = self._find_group(submission)
        place = len(group.submissions)
        group.submissions.append(submission)
        group.changed = asyncio.get_running_loop().time()
        if all(group.count(kind) == number for kind, number in submission.expected.items()):
            self._remove(submission.sample.problem_id, group)
            await self._reward_group(group)
        verdict = submission.verdict
        if verdict is not None and not verdict.failed:
            return TrainingReward(float(verdict.correct), RewardResult.of_solution(verdict))
        try:
            # Shielded: a submission that times out must not cancel the rewards of the others.
            rewards = await asyncio.wait_for(asyncio.shield(group.rewards), self._wait_seconds)
        except asyncio.TimeoutError:
            self._remove(submission.sample.problem_id, group)
            raise TimeoutError(self._describe_timeout(submission, group)) from None
        return rewards[place]

    def _find_group(self, submission: Submission) -> _PendingGroup:
        """The pending group that has this row, else the first that has none of this kind."""
        kind = submission.sample.kind
        if kind not in submission.expected:
            raise ValueError(f"kind must be 'solution' or 'meta': got {kind!r}")
        pending = self._pending[submission.sample.problem_id]
        # A group that has not changed for `wait_seconds` lost rollouts, and may have no submission
        # that waits and would remove it: later rollouts of the problem must not join it.
        oldest = asyncio.get_running_loop().time() - self._wait_seconds
        pending[:] = [group for group in pending if group.changed > oldest]
        for group in pending:
            if group.rows.setdefault(kind, submission.row) == submission.row:
                break
        else:
            group = _PendingGroup()
            group.rows[kind] = submission.row
            pending.append(group)
        if group.count(kind) == submission.expected[kind]:
            raise ValueError(
                f"problem {submission.sample.problem_id!r} has more than the "
                f"{submission.expected[kind]} {kind} samples that its row states: let the stack "
                "make as many rollouts of a row as the row states"
            )
        return group

    async def _reward_group(self, group: _PendingGroup) -> None:
        samples = [submission.sample for submission in group.submissions]
        verdicts = [submission.verdict for submission in group.submissions]
        try:
            # In a thread: finding notions in long texts would block the event loop.
            results = await asyncio.to_thread(
                reward_samples,
                samples,
                verdicts,
                prompt=self._prompt,
                base=self._base,
                notion_rules=self._notion_rules,
            )
        except Exception as error:
            group.rewards.set_exception(error)
            raise
        values = neutral_rewards(samples, results)
        group.rewards.set_result(
            [TrainingReward(*pair) for pair in zip(values, results, strict=True)]
        )

    def _remove(self, problem_id: str, group: _PendingGroup) -> None:
        pending = self._pending[problem_id]
        if group in pending:
            pending.remove(group)
        if not pending:
            del self._pending[problem_id]

    def _describe_timeout(self, submission: Submission, group: _PendingGroup) -> str:
        have = " and ".join(
            f"{group.count(kind)} of {number} {kind} samples"
            for kind, number in submission.expected.items()
        )
        return (
            f"problem {submission.sample.problem_id!r}: after {self._wait_seconds:g} s only {have} "
            "were submitted. Both rows of a problem belong into one batch, a rollout of them may "
            "have failed, or the stack makes another number of rollouts than the rows state"
        )
