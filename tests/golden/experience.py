"""Golden batches: what OpenRLHF is given of generated episodes and experts, on the CPU."""

from __future__ import annotations

from typing import Any

from masa_control.decisions.experts import Expert, make_expert
from masa_rewards import MetaPrompt

from tests.golden.control import play_episodes
from tests.golden.scripted_policy import SCALE

_MAKERS: list[dict[str, Any]] = [
    {"estimator": "group_norm", "mode": "token-mean"},
    {"estimator": "dr_grpo", "mode": "seq-mean-token-mean", "ranks": 2, "rolled_out": 0.5},
    {"estimator": "rloo", "mode": "token-mean", "loss_type": "gspo", "ranks": 3},
]


def list_batches() -> list[dict[str, Any]]:
    """Return a row a batch; needs OpenRLHF, and the environment of a run on the CPU."""
    from masa_openrlhf.stack import experience

    from tests.stack.experiences import (
        LetterTokenizer,
        compute_batch_advantages,
        make_weighted_maker,
    )

    prompt = MetaPrompt(scale=SCALE, min_length=1, max_length=200)
    episodes = play_episodes("masa", 1)
    made = [make_expert(episode, prompt, threshold=0.3, step=1) for episode in episodes]
    experts = [one for one in made if isinstance(one, Expert)][:3]
    rows = []
    for options in _MAKERS:
        samples = [
            sample
            for number, episode in enumerate(episodes)
            for sample in experience.make_episode_samples(episode, str(number))
        ]
        samples += experience.make_clone_samples(
            experts, LetterTokenizer(), number_weight=8.0, logprobs=True
        )
        at_once = make_weighted_maker(
            experience, batch=96, micro=8, meta_weight=0.5, clone_weight=0.25, **options
        )
        for batch in compute_batch_advantages(at_once, samples):
            rows.append({**options, "samples": _describe_samples(batch)})
    return rows


def _describe_samples(batch: Any) -> list[list[Any]]:
    """Each sample: its tag, its tokens in all, and the advantages of its actions as runs."""
    rows = []
    for place, tag in enumerate(batch.labels):
        values = batch.advantages[place][batch.action_mask[place].bool()].tolist()
        tokens = int(batch.total_length[place])
        rows.append([tag.group, tag.kind, tokens, _count_runs(values)])
    return rows


def _count_runs(values: list[float]) -> list[list[float]]:
    runs: list[list[float]] = []
    for value in values:
        if runs and runs[-1][0] == value:
            runs[-1][1] += 1
        else:
            runs.append([value, 1])
    return runs
