"""From episodes to what OpenRLHF trains on.

Every rollout becomes one of OpenRLHF's samples, tagged with its group. Three things differ from
stock: advantages are taken within named groups; each rank gets the same number of sequences, filled
up where the number does not divide; and a sample without a reward pulls nowhere.
"""

from __future__ import annotations

from masa_openrlhf import cpu

cpu.activate()

from collections.abc import Iterable, Sequence  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

import torch  # noqa: E402
from masa_control import META, SOLUTION, Completion, Episode  # noqa: E402
from openrlhf.models.utils import compute_reward  # noqa: E402
from openrlhf.trainer.ppo_utils.experience import Experience  # noqa: E402
from openrlhf.trainer.ppo_utils.experience_maker import RemoteExperienceMaker  # noqa: E402
from openrlhf.trainer.ppo_utils.length_penalty import apply_length_penalties  # noqa: E402

from masa_openrlhf.advantages import group_advantages  # noqa: E402

FILLER = "filler"


class Tag(NamedTuple):
    """Travels with a sample, in OpenRLHF's ``labels``.

    Attributes:
        group: name of the group its advantage is taken in.
        kind: "meta", "solution" or "filler".
        scored: it has a reward.
    """

    group: str
    kind: str
    scored: bool


def samples_of(episode: Episode, group: str) -> list[Experience]:
    """Return the episode's rollouts as single samples, the meta rollouts first.

    Args:
        episode: an episode.
        group: a name no other episode of the batch has.
    """
    samples = []
    for meta in episode.meta:
        reward = None if meta.reward is None else meta.reward.total
        samples.append(_sample(episode.meta_prompt_ids, meta.completion, reward, group, META))
    for solution in episode.solutions:
        samples.append(
            _sample(
                episode.solution_prompt_ids, solution.completion, solution.reward, group, SOLUTION
            )
        )
    return samples


def _sample(
    prompt: Sequence[int], completion: Completion, reward: float | None, group: str, kind: str
) -> Experience:
    tokens = torch.tensor([*prompt, *completion.token_ids], dtype=torch.long)
    action_mask = torch.zeros(len(tokens) - 1, dtype=torch.long)
    action_mask[len(prompt) - 1 :] = 1
    logprobs = None
    if completion.logprobs is not None:
        logprobs = torch.zeros(len(tokens) - 1)
        logprobs[len(prompt) - 1 :] = torch.tensor(completion.logprobs)
    return _experience(
        tokens,
        action_mask,
        logprobs,
        reward=0.0 if reward is None else reward,
        truncated=completion.truncated,
        tag=Tag(f"{group}/{kind}", kind, reward is not None),
    )


def _experience(
    tokens: Any, action_mask: Any, logprobs: Any, *, reward: float, truncated: bool, tag: Tag
) -> Experience:
    return Experience(
        sequences=tokens[None],
        attention_mask=torch.ones_like(tokens)[None],
        action_mask=action_mask[None],
        rollout_log_probs=None if logprobs is None else logprobs[None],
        rewards=torch.tensor([reward]),
        scores=torch.tensor([reward]),
        response_length=action_mask.sum()[None],
        truncated=torch.tensor([truncated]),
        total_length=torch.tensor([float(len(tokens))]),
        prompts=[""],
        labels=[tag],
        images=[None],
        mm_train_inputs=[None],
        info={"reward": torch.tensor([reward])},
    )


def _filler(like: Experience, pad: int) -> Experience:
    """A sequence of two tokens, one of them an action, with advantage 0: its gradient is 0.

    One action token rather than none, because OpenRLHF divides by the tokens of a micro-batch.
    """
    mask = torch.ones(1, dtype=torch.long)
    return _experience(
        torch.full((2,), pad, dtype=torch.long),
        mask,
        None if like.rollout_log_probs is None else torch.zeros(1),
        reward=0.0,
        truncated=False,
        tag=Tag(FILLER, FILLER, scored=False),
    )


class ExperienceMaker(RemoteExperienceMaker):
    """OpenRLHF's experience maker, for groups of any size on any number of ranks.

    Args:
        *args: OpenRLHF's own.
        meta_weight: factor on the advantages of meta groups.
        **kwargs: OpenRLHF's own.
    """

    def __init__(self, *args: Any, meta_weight: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._meta_weight = meta_weight
        actor = self.args.actor
        self._ranks = (
            actor.num_nodes
            * actor.num_gpus_per_node
            // self.args.ds.ring_attn_size
            // self.args.ds.tensor_parallel_size
        )

    def make_experience_batch(self, rollout_samples: Sequence[Experience]) -> list[Experience]:
        """Score, fill up and weigh one step's samples.

        Args:
            rollout_samples: single samples, as ``samples_of`` makes them.

        Returns:
            Batches of ``rollout.micro_batch_size``, rank by rank: OpenRLHF deals them out in equal
            chunks, and every rank gets as many batches, and as many sequences, as any other.
        """
        apply_length_penalties(
            [s for s in rollout_samples if s.labels[0].kind == SOLUTION], self.args
        )
        return super().make_experience_batch(self._filled(rollout_samples))

    def _filled(self, samples: Sequence[Experience]) -> list[Experience]:
        """Fill up to whole optimiser steps, the same number of sequences on every rank."""
        size = self.args.train.batch_size
        whole = -(-len(samples) // size) * size
        pad = self.tokenizer.pad_token_id
        return [*samples, *(_filler(samples[0], pad) for _ in range(whole - len(samples)))]

    def split_rollout_samples(self, rollout_samples: list[Experience]) -> list[Experience]:
        """Deal samples out to ranks, evenly by number and nearly so by tokens, then batch them."""
        if self.args.train.dynamic_batch_enable:
            return super().split_rollout_samples(rollout_samples)
        for i, sample in enumerate(rollout_samples):
            sample.index = [i]
        micro, pad = self.args.rollout.micro_batch_size, self.tokenizer.pad_token_id
        batches = []
        for share in deal(rollout_samples, self._ranks):
            for start in range(0, len(share), micro):
                batches.append(Experience.concat_experiences(share[start : start + micro], pad))
        return batches

    @torch.no_grad()
    def compute_advantages_and_returns(self, experiences: list[Experience]) -> list[Experience]:
        """Take advantages within each group and spread them over the tokens."""
        tags = [tag for e in experiences for tag in e.labels]
        advantages = torch.from_numpy(
            group_advantages(
                torch.cat([e.rewards for e in experiences]).tolist(),
                [tag.group for tag in tags],
                [tag.scored for tag in tags],
                estimator=self.advantage_estimator,
                weights_N=[self._meta_weight if tag.kind == META else 1.0 for tag in tags],
            )
        )
        advantages *= self._undiluted(experiences)
        shares = advantages.split([len(e.labels) for e in experiences])
        for e, share in zip(experiences, shares, strict=True):
            self._spread(e, share)
        return experiences

    def _spread(self, experience: Experience, advantages: Any) -> None:
        reward = compute_reward(
            advantages,
            self.kl_ctl.value,
            experience.kl,
            action_mask=experience.action_mask,
            reward_clip_range=self.args.reward.clip_range,
        )
        real = torch.tensor([tag.kind != FILLER for tag in experience.labels])[:, None]
        reward = reward * real  # the KL penalty is not for fillers
        if experience.rollout_log_probs is not None:  # nor have they a gap between vLLM and policy
            experience.rollout_log_probs = torch.where(
                real, experience.rollout_log_probs, experience.action_log_probs
            )
        experience.returns = self.get_cumulative_returns(reward, experience.action_mask, 1.0)
        experience.advantages = experience.returns.clone()
        experience.info["return"] = reward.sum(dim=-1)
        experience.kl = None

    def _undiluted(self, experiences: Iterable[Experience]) -> float:
        """The loss is divided by all tokens (or sequences), fillers too: give that back."""
        real = fill = 0
        by_token = self.args.actor.loss_agg_mode == "token-mean"
        for e in experiences:
            sizes = e.action_mask.sum(dim=-1).tolist() if by_token else [1] * len(e.labels)
            for tag, size in zip(e.labels, sizes, strict=True):
                if tag.kind == FILLER:
                    fill += size
                else:
                    real += size
        return (real + fill) / real


def deal(samples: Sequence[Experience], ranks: int) -> list[list[Experience]]:
    """Deal samples out to ranks: longest first, there and back, so that each gets like work.

    Args:
        samples: their number must be a multiple of ``ranks``.
        ranks: number of ranks.

    Returns:
        ``ranks`` lists of equal length, each from long to short.
    """
    if len(samples) % ranks:
        raise ValueError(f"{len(samples)} samples cannot be dealt evenly to {ranks} ranks")
    ordered = sorted(samples, key=lambda s: -float(s.total_length))
    shares: list[list[Experience]] = [[] for _ in range(ranks)]
    for start in range(0, len(ordered), ranks):
        row = ordered[start : start + ranks]
        for share, sample in zip(
            shares, row if start // ranks % 2 == 0 else row[::-1], strict=True
        ):
            share.append(sample)
    return shares
