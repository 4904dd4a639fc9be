"""Metrics of a batch, one value a sample, so that their mean over all processes is exact.

Names and values are those of masa-control's `step_metrics` (held by a test), but for
`meta/unrewarded`, which an episode does not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from masa_rewards.integrations.result import RewardResult
from masa_rewards.integrations.samples import Sample


def measure_samples(
    samples: Sequence[Sample], results: Sequence[RewardResult]
) -> dict[str, list[float]]:
    """Measure every sample of a batch.

    Args:
        samples: The N samples.
        results: Their N results, as of `reward_samples`.

    Returns:
        A list a name, whose mean is the metric: `solution/pass_rate`, `solution/length` (tokens),
        `solution/verifier_failed`, `solution/unparsable`, `meta/reward`, `meta/reward_length`,
        `meta/reward_difficulty`, `meta/reward_notion`, `meta/length` (tokens), `meta/unrewarded`,
        `meta/unreadable_pass_rate`, `meta/unreadable_length`, `meta/unreadable_notion`. A metric
        for which no sample has a value is left out. Of a problem that was skipped, only what its
        predictions are counts, not that they have no reward.
    """
    found: defaultdict[str, list[float]] = defaultdict(list)
    for sample, result in zip(samples, results, strict=True):
        if sample.skipped and sample.kind == "solution":
            continue
        for name, value in _measure_result(result).items():
            found[f"{sample.kind}/{name}"].append(float(value))
        found[f"{sample.kind}/length"].append(float(sample.length))
        if sample.skipped:
            continue
        missing = "unrewarded" if sample.kind == "meta" else "verifier_failed"
        found[f"{sample.kind}/{missing}"].append(float(result.reward is None))
    return dict(found)


def _measure_result(result: RewardResult) -> dict[str, float]:
    values: dict[str, float] = {}
    if result.verdict is not None:
        values["unparsable"] = result.verdict.status == "unparsable"
        if result.reward is not None:
            values["pass_rate"] = result.reward
    if result.prediction is not None:
        values["unreadable_pass_rate"] = result.prediction.pass_rate is None
        values["unreadable_length"] = result.prediction.length is None
        values["unreadable_notion"] = result.prediction.notions is None
    if result.components is not None:
        values["reward"] = result.components.total
        values["reward_length"] = result.components.length
        values["reward_difficulty"] = result.components.difficulty
        values["reward_notion"] = result.components.notion
    return values
