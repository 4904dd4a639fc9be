"""Rewards a mixed batch of solution and meta rollouts, in a form that any stack can provide.

Most stacks know prompts and completions, not groups of two kinds. So each sample states its kind
(`kind`) and its problem (`problem_id`); its position in the batch has no meaning. Verification and
rewarding are two steps, so that a stack with several processes verifies its own samples in each,
and rewards what all of them gathered.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import Literal, NamedTuple, get_args

from masa_rewards.difficulty import DIFFICULTY_BASE
from masa_rewards.integrations.result import RewardResult
from masa_rewards.meta import meta_rewards
from masa_rewards.notions.reward import PAPER
from masa_rewards.notions.rules import NotionRules
from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.types import MetaReward, Rollout, RolloutGroup
from masa_rewards.verify.verdict import Verdict
from masa_rewards.verify.verifier import AnswerVerifier

Kind = Literal["solution", "meta"]
"""Which of the two prompts a sample answers."""

_logger = logging.getLogger(__name__)

KINDS: tuple[Kind, ...] = get_args(Kind)


class Sample(NamedTuple):
    """One rollout of a mixed batch.

    Attributes:
        kind: "solution" or "meta".
        problem_id: Joins the two kinds: the same for all samples of one problem.
        problem: The problem statement, without the words of any prompt around it.
        text: The response.
        length: Its length in tokens, >= 0.
        gold: The right answer. Not needed for a meta sample.
        skipped: A gate skipped the problem: a solution sample is a placeholder that nobody wrote,
            and a meta sample has nothing to be judged by.
    """

    kind: Kind
    problem_id: str
    problem: str
    text: str
    length: int
    gold: str = ""
    skipped: bool = False

    @property
    def is_verified(self) -> bool:
        """Whether it is a solution that the policy wrote."""
        return self.kind == "solution" and not self.skipped


class MissingSolutionsError(ValueError):
    """A problem has meta samples in a batch, and no solution sample to judge them by."""


def verify_samples(samples: Sequence[Sample], verifier: AnswerVerifier) -> list[Verdict | None]:
    """Verify the solution samples of a batch.

    Args:
        samples: The N >= 0 samples, of both kinds.
        verifier: Runs as many at a time as it has workers.

    Returns:
        N verdicts in the order of `samples`; None for a meta sample, and for a skipped one.

    Raises:
        ValueError: If a kind is unknown, or a solution sample has no gold answer.
    """
    for sample in samples:
        if sample.kind not in KINDS:
            raise ValueError(
                f"kind must be one of {KINDS!r}: got {sample.kind!r} for problem "
                f"{sample.problem_id!r}"
            )
    pairs = [(sample.text, sample.gold) for sample in samples if sample.is_verified]
    verdicts = iter(verifier.verify_many(pairs))
    return [next(verdicts) if sample.is_verified else None for sample in samples]


def reward_samples(
    samples: Sequence[Sample],
    verdicts: Sequence[Verdict | None],
    *,
    prompt: MetaPrompt,
    base: float = DIFFICULTY_BASE,
    notion_rules: NotionRules = PAPER,
) -> list[RewardResult]:
    """Reward every sample of a batch: solutions by verdict, meta samples by their problem's group.

    Args:
        samples: The N >= 0 samples, of both kinds, in any order.
        verdicts: N verdicts, as of `verify_samples`.
        prompt: Reads the predictions; the one that asked for them.
        base: b of the difficulty reward.
        notion_rules: Which notions count, and how.

    Returns:
        N results in the order of `samples`. The reward is 1.0 for a right and 0.0 for a wrong
        solution (one without an answer is wrong), the mean of the three for a meta sample, None
        for both where the problem was skipped.

    Raises:
        MissingSolutionsError: A meta sample's problem was not skipped, and has no solution sample
            in the batch to judge it by. It is a ValueError.
        ValueError: If the numbers of samples and verdicts differ.
    """
    groups = _collect_groups(samples, verdicts)
    results = [
        RewardResult(None) if verdict is None else RewardResult.of_solution(verdict)
        for verdict in verdicts
    ]
    for problem_id, indices in _meta_indices(samples).items():
        group = groups.get(problem_id)
        if group is None and not all(samples[index].skipped for index in indices):
            raise MissingSolutionsError(
                f"problem {problem_id!r} has {len(indices)} meta samples and no solution sample in "
                "this batch: put both prompts of a problem into one batch, under one problem id"
            )
        predictions = [prompt.parse(samples[index].text) for index in indices]
        # Nothing judges them where the problem was skipped, or the verifier failed for every
        # solution.
        components: Sequence[MetaReward | None] = [None] * len(predictions)
        if group is not None and group.rollouts:
            components = meta_rewards(predictions, group, base=base, notion_rules=notion_rules)
        for index, prediction, rewards in zip(indices, predictions, components, strict=True):
            results[index] = RewardResult.of_prediction(prediction, rewards)
    return results


def warn_of_failures(verdicts: Sequence[Verdict | None]) -> None:
    """Log how many solutions of a batch could not be verified, if any.

    Args:
        verdicts: As of `verify_samples`.
    """
    given = [verdict for verdict in verdicts if verdict is not None]
    if failed := [verdict for verdict in given if verdict.failed]:
        _logger.warning(
            "the verifier failed for %d of %d solutions, which get the mean of their group; "
            "the first: %r",
            len(failed),
            len(given),
            failed[0],
        )


def neutral_rewards(samples: Sequence[Sample], results: Sequence[RewardResult]) -> list[float]:
    """Replace each missing reward by the mean of its own group: an advantage of zero.

    For stacks that need a number for every sample. A 0 would teach that the rollout was wrong, and
    NaN propagates. The mean of the others (same problem, same kind) leaves their mean unchanged and
    gives this sample an advantage of 0; where no sample of a group could be judged all are 0.0,
    with advantages of 0 too.

    Args:
        samples: The N samples.
        results: Their N results, as of `reward_samples`.

    Returns:
        N floats in [0, 1].
    """
    scored: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for sample, result in zip(samples, results, strict=True):
        if result.reward is not None:
            scored[sample.problem_id, sample.kind].append(result.reward)
    means = {key: fmean(values) for key, values in scored.items()}
    return [
        means.get((sample.problem_id, sample.kind), 0.0) if result.reward is None else result.reward
        for sample, result in zip(samples, results, strict=True)
    ]


def _collect_groups(
    samples: Sequence[Sample], verdicts: Sequence[Verdict | None]
) -> dict[str, RolloutGroup]:
    """The verified solutions of each problem; an empty group where the verifier always failed."""
    problems: dict[str, str] = {}
    rollouts: defaultdict[str, list[Rollout]] = defaultdict(list)
    for sample, verdict in zip(samples, verdicts, strict=True):
        if verdict is None:
            continue
        problems.setdefault(sample.problem_id, sample.problem)
        if not verdict.failed:
            rollouts[sample.problem_id].append(
                Rollout(text=sample.text, length=sample.length, correct=verdict.correct)
            )
    return {
        problem_id: RolloutGroup(problem=problem, rollouts=tuple(rollouts[problem_id]))
        for problem_id, problem in problems.items()
    }


def _meta_indices(samples: Sequence[Sample]) -> dict[str, list[int]]:
    indices: defaultdict[str, list[int]] = defaultdict(list)
    for index, sample in enumerate(samples):
        if sample.kind == "meta":
            indices[sample.problem_id].append(index)
    return dict(indices)
