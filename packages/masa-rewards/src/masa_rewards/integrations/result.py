"""The reward of a sample, and what it follows from."""

from __future__ import annotations

from dataclasses import dataclass

from masa_rewards.types import MetaPrediction, MetaReward
from masa_rewards.verify.verdict import Verdict


@dataclass(frozen=True, slots=True)
class RewardResult:
    """The reward of one sample, and why. All integrations return it, for both kinds of samples.

    Attributes:
        reward: In [0, 1]; None when the sample could not be judged: the verifier failed, or it
            failed for every solution of a prediction's problem, or the problem was skipped.
        components: The three rewards of a prediction and their mean, else None.
        verdict: The verdict on a solution, else None.
        prediction: What a meta rollout predicts, else None.
    """

    reward: float | None
    components: MetaReward | None = None
    verdict: Verdict | None = None
    prediction: MetaPrediction | None = None

    @classmethod
    def of_solution(cls, verdict: Verdict) -> RewardResult:
        """Return the result of a solution: 1.0 or 0.0, None where the verifier failed."""
        return cls(None if verdict.failed else float(verdict.correct), verdict=verdict)

    @classmethod
    def of_prediction(
        cls, prediction: MetaPrediction, components: MetaReward | None
    ) -> RewardResult:
        """Return the result of a prediction; None for the components where nothing judges it."""
        reward = None if components is None else components.total
        return cls(reward, components=components, prediction=prediction)


@dataclass(frozen=True, slots=True)
class TrainingReward:
    """The number that a stack trains on, and the result it stands for.

    A type of its own, since `value` is not a judgement: stacks need a number for every sample, and
    where `result.reward` is None it is the mean of the sample's group (`neutral_rewards`).

    Attributes:
        value: In [0, 1]; `result.reward` wherever that is not None.
        result: The reward and why.
    """

    value: float
    result: RewardResult
