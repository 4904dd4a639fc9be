"""What is worth logging of a batch, sample by sample, so that a mean over several processes is one.

The names are those of masa-control's metrics.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from masa_rewards.integrations.samples import Sample, SampleReward


def measure_samples(
    samples: Sequence[Sample], rewards: Sequence[SampleReward]
) -> dict[str, list[float]]:
    """Measure every sample of a batch.

    Args:
        samples: The N samples.
        rewards: Their N rewards, as of `reward_samples`.

    Returns:
        A list a name, whose mean is the figure: `solution/pass_rate`, `solution/length` (tokens),
        `solution/unjudged`, `solution/unparsable`, `meta/reward`, `meta/reward_length`,
        `meta/reward_difficulty`, `meta/reward_notion`, `meta/length` (tokens), `meta/unjudged`,
        `meta/unread_pass_rate`, `meta/unread_length`, `meta/unread_notion`. What no sample has a
        value for is left out.
    """
    found: defaultdict[str, list[float]] = defaultdict(list)
    for sample, judged in zip(samples, rewards, strict=True):
        for name, value in _of_one(judged).items():
            found[f"{sample.kind}/{name}"].append(float(value))
        found[f"{sample.kind}/length"].append(float(sample.length))
        found[f"{sample.kind}/unjudged"].append(float(judged.reward is None))
    return dict(found)


def _of_one(judged: SampleReward) -> dict[str, float]:
    values: dict[str, float] = {}
    if judged.verdict is not None:
        values["unparsable"] = judged.verdict.status == "unparsable"
        if judged.reward is not None:
            values["pass_rate"] = judged.reward
    if judged.prediction is not None:
        values["unread_pass_rate"] = judged.prediction.pass_rate is None
        values["unread_length"] = judged.prediction.length is None
        values["unread_notion"] = judged.prediction.notions is None
    if judged.meta is not None:
        values["reward"] = judged.meta.total
        values["reward_length"] = judged.meta.length
        values["reward_difficulty"] = judged.meta.difficulty
        values["reward_notion"] = judged.meta.notion
    return values
