"""A meeting place for rollouts that a stack hands over one at a time.

Whoever brings a judged solution has its reward at once. Whoever brings a meta rollout, or a
solution for which the verifier failed, waits there until all rollouts of the problem are in.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import NamedTuple

from masa_rewards.difficulty import DIFFICULTY_BASE
from masa_rewards.integrations.samples import (
    Kind,
    Sample,
    SampleReward,
    neutral_rewards,
    reward_samples,
)
from masa_rewards.notions.reward import PAPER
from masa_rewards.notions.rules import NotionRules
from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.verify.verdict import Verdict


class Arrival(NamedTuple):
    """A rollout that comes to the meeting.

    Attributes:
        sample: The rollout.
        verdict: Of a solution sample, else None.
        row: What the rollouts of one row of the batch share, and those of no other row do: the
            stack's own group id. A problem that comes again is told apart by it.
        solutions: G, how many solution samples the problem has, >= 1.
        predictions: M, how many meta samples, >= 1.
    """

    sample: Sample
    verdict: Verdict | None
    row: str
    solutions: int
    predictions: int

    @property
    def expected(self) -> dict[Kind, int]:
        """How many of each kind meet."""
        return {"solution": self.solutions, "meta": self.predictions}


class Paid(NamedTuple):
    """What the meeting gives back.

    Attributes:
        value: A reward in [0, 1]; the mean of the sample's group where it could not be judged.
        judged: What is known of it.
    """

    value: float
    judged: SampleReward


class _Round:
    """One problem, once: its rows, and who has come so far."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.rows: dict[Kind, str] = {}
        self.arrivals: list[Arrival] = []
        self.settled: asyncio.Future[list[Paid]] = loop.create_future()
        self.changed = loop.time()

    def count(self, kind: Kind) -> int:
        """How many of a kind have come."""
        return sum(arrival.sample.kind == kind for arrival in self.arrivals)


class Meeting:
    """Joins the rollouts of a problem, whoever brings them; lives in one event loop."""

    def __init__(
        self,
        prompt: MetaPrompt,
        *,
        base: float = DIFFICULTY_BASE,
        notion_rules: NotionRules = PAPER,
        wait_seconds: float = 3600.0,
    ) -> None:
        """Open the meeting place.

        Args:
            prompt: Reads the predictions.
            base: b of the difficulty reward.
            notion_rules: Which notions count, and how.
            wait_seconds: How long one waits for the others, > 0.
        """
        self._prompt, self._base, self._notion_rules = prompt, base, notion_rules
        self._wait_seconds = wait_seconds
        self._rounds: defaultdict[str, list[_Round]] = defaultdict(list)

    async def attend(self, arrival: Arrival) -> Paid:
        """Come in, and wait where the reward takes the others.

        Returns:
            The reward of this sample.

        Raises:
            TimeoutError: If the others did not come.
            ValueError: If more samples came than were said to, or the kind is unknown.
        """
        held = self._seat(arrival)
        place = len(held.arrivals)
        held.arrivals.append(arrival)
        held.changed = asyncio.get_running_loop().time()
        if all(held.count(kind) == number for kind, number in arrival.expected.items()):
            self._leave(arrival.sample.problem_id, held)
            await self._settle(held)
        verdict = arrival.verdict
        if verdict is not None and not verdict.failed:
            return Paid(float(verdict.correct), SampleReward(float(verdict.correct), verdict))
        try:
            paid = await asyncio.wait_for(asyncio.shield(held.settled), self._wait_seconds)
        except asyncio.TimeoutError:
            self._leave(arrival.sample.problem_id, held)
            raise TimeoutError(self._missing(arrival, held)) from None
        return paid[place]

    def _seat(self, arrival: Arrival) -> _Round:
        """The round in which this row already sits, else the first without such a row."""
        kind = arrival.sample.kind
        if kind not in arrival.expected:
            raise ValueError(f"kind must be 'solution' or 'meta': got {kind!r}")
        rounds = self._rounds[arrival.sample.problem_id]
        # Of one whose rollouts failed nobody may be left to wait: it must not seat those of later.
        dead = asyncio.get_running_loop().time() - self._wait_seconds
        rounds[:] = [held for held in rounds if held.changed > dead]
        for held in rounds:
            if held.rows.setdefault(kind, arrival.row) == arrival.row:
                break
        else:
            held = _Round()
            held.rows[kind] = arrival.row
            rounds.append(held)
        if held.count(kind) == arrival.expected[kind]:
            raise ValueError(
                f"problem {arrival.sample.problem_id!r} has more than the "
                f"{arrival.expected[kind]} {kind} samples it was said to have: let the stack make "
                "as many rollouts of a row as the row says"
            )
        return held

    async def _settle(self, held: _Round) -> None:
        samples = [arrival.sample for arrival in held.arrivals]
        verdicts = [arrival.verdict for arrival in held.arrivals]
        try:
            # In a thread: looking for notions in long texts would hold up those who come.
            judged = await asyncio.to_thread(
                reward_samples,
                samples,
                verdicts,
                prompt=self._prompt,
                base=self._base,
                notion_rules=self._notion_rules,
            )
        except Exception as error:
            held.settled.set_exception(error)
            raise
        values = neutral_rewards(samples, judged)
        held.settled.set_result(list(map(Paid, values, judged)))

    def _leave(self, problem_id: str, held: _Round) -> None:
        rounds = self._rounds[problem_id]
        if held in rounds:
            rounds.remove(held)
        if not rounds:
            del self._rounds[problem_id]

    def _missing(self, arrival: Arrival, held: _Round) -> str:
        have = " and ".join(
            f"{held.count(kind)} of {number} {kind} samples"
            for kind, number in arrival.expected.items()
        )
        return (
            f"problem {arrival.sample.problem_id!r}: after {self._wait_seconds:g} s only {have} "
            "have come. Both rows of a problem belong into one batch, a rollout of them may have "
            "failed, or the stack makes another number of rollouts than the rows say"
        )
