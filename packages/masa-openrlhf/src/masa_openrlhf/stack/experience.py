"""From episodes to what OpenRLHF trains on.

Every rollout with a reward becomes one of OpenRLHF's samples, tagged with its group. Three things
differ from stock: advantages are taken within named groups; each rank gets the same number of
sequences, filled up where the number does not divide; and experts are cloned in the same step.

Cloning shares the policy's optimiser step. An expert is a sample whose advantage is positive and
the same whatever the others did: at a ratio of 1 the gradient of the policy loss is then that of
-log π, weighted. So there is one gradient, one clip, one step of Adam and of the schedule a step,
on any number of ranks, and the weight of cloning is what it says beside the policy loss. A step of
its own would move the schedule on and mix its moments into Adam's, at a full learning rate however
small its weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from masa_control import (
    META,
    SOLUTION,
    Completion,
    Episode,
    Expert,
    StepWeights,
    Stopwatch,
)
from masa_control.advantages import compute_group_advantages
from masa_control.loss import (
    LossScales,
    compute_loss_scales,
    scale_to_unit_mean,
    weigh_clone_tokens,
)
from openrlhf.models.utils import compute_reward
from openrlhf.trainer.ppo_utils.experience import Experience
from openrlhf.trainer.ppo_utils.experience_maker import RemoteExperienceMaker
from openrlhf.trainer.ppo_utils.length_penalty import apply_length_penalties
from openrlhf.utils.seqlen_balancing import (
    get_minimum_num_micro_batch_size,
    get_seqlen_balanced_partitions,
)

SampleKind = Literal["meta", "solution", "expert", "filler"]

FILLER: SampleKind = "filler"
EXPERT: SampleKind = "expert"


class SampleTag(NamedTuple):
    """Travels with a sample, in OpenRLHF's ``labels``.

    Attributes:
        group: name of the group its advantage is taken in.
        kind: "meta", "solution", "expert" or "filler".
        scored: it has a reward.
        weight: factor on the advantage of a rollout; of an expert, the weight of the cloning loss.
        rolled_out: share of the step's problems that were rolled out, in (0, 1], where the others
            count in the policy loss as groups without variance do; else 1.
        token_weights: of an expert's tokens in the cloning loss, one a response token.
    """

    group: str
    kind: SampleKind
    scored: bool
    weight: float = 1.0
    rolled_out: float = 1.0
    token_weights: tuple[float, ...] = ()


def make_episode_samples(episode: Episode, group: str) -> list[Experience]:
    """Return the episode's rollouts as single samples, the meta rollouts first.

    Rollouts without a reward are not among them: predictions of a problem that was skipped, cut
    solutions, those whose verifier failed. There is nothing in them to learn from.

    Args:
        episode: an episode.
        group: a name no other episode of the batch has.
    """
    samples = []
    for meta in episode.meta:
        if meta.total_reward is not None:
            samples.append(
                _make_rollout_sample(
                    episode.meta_prompt_ids, meta.completion, meta.total_reward, group, META
                )
            )
    for solution in episode.solutions:
        if solution.reward is not None:
            samples.append(
                _make_rollout_sample(
                    episode.solution_prompt_ids,
                    solution.completion,
                    solution.reward,
                    group,
                    SOLUTION,
                )
            )
    return samples


def make_clone_samples(
    experts: Iterable[Expert], tokenizer: Any, *, number_weight: float, logprobs: bool
) -> list[Experience]:
    """Return experts as samples to be cloned.

    Args:
        experts: meta rollouts with true numbers.
        tokenizer: the policy's; a fast one, which says where in the text its tokens stand.
        number_weight: weight of a token of a true number, beside 1; one of a number that nobody
            knows has 0.
        logprobs: the other samples have log-probabilities.
    """
    samples = []
    for expert in experts:
        encoded = tokenizer(expert.text, add_special_tokens=False, return_offsets_mapping=True)
        weights = weigh_clone_tokens(expert, encoded["offset_mapping"], number_weight)
        response = [*encoded["input_ids"], tokenizer.eos_token_id]
        tokens, action_mask = _make_sequence(expert.prompt_ids, response)
        samples.append(
            _make_experience(
                tokens,
                action_mask,
                torch.zeros(len(tokens) - 1) if logprobs else None,
                reward=0.0,
                truncated=False,
                tag=SampleTag(
                    f"expert/{expert.problem_id}",
                    EXPERT,
                    scored=False,
                    token_weights=(*weights.tolist(), 1.0),  # the end of the sequence too
                ),
            )
        )
    return samples


def weigh_samples(
    samples: Iterable[Experience], weights: StepWeights, rolled_out: float = 1.0
) -> None:
    """Write into the tags of single samples what each weighs in the step's loss.

    Args:
        samples: of a step; their tags are replaced.
        weights: of the meta groups and of cloning, in this step.
        rolled_out: share of the step's problems that were rolled out, in (0, 1].
    """
    by_kind = {META: weights.meta, EXPERT: weights.clone}
    for sample in samples:
        (tag,) = sample.labels
        weight = by_kind.get(tag.kind, 1.0)
        sample.labels = [tag._replace(weight=weight, rolled_out=rolled_out)]


def _make_sequence(prompt: Sequence[int], response: Sequence[int]) -> tuple[Any, Any]:
    """The tokens, and the mask over next tokens that marks the response."""
    tokens = torch.cat([_to_tensor(prompt, np.int64), _to_tensor(response, np.int64)])
    action_mask = torch.zeros(len(tokens) - 1, dtype=torch.long)
    action_mask[len(prompt) - 1 :] = 1
    return tokens, action_mask


def _to_tensor(values: Sequence[float], dtype: Any) -> Any:
    """A tensor of its own; torch reads what is no tensor value by value, and slowly."""
    return torch.from_numpy(np.array(values, dtype=dtype))


def _make_rollout_sample(
    prompt: Sequence[int], completion: Completion, reward: float, group: str, kind: SampleKind
) -> Experience:
    tokens, action_mask = _make_sequence(prompt, completion.token_ids)
    logprobs = None
    if completion.logprobs is not None:
        logprobs = torch.zeros(len(tokens) - 1)
        logprobs[len(prompt) - 1 :] = _to_tensor(completion.logprobs, np.float32)
    return _make_experience(
        tokens,
        action_mask,
        logprobs,
        reward=reward,
        truncated=completion.truncated,
        tag=SampleTag(f"{group}/{kind}", kind, scored=True),
    )


def _make_experience(
    tokens: Any, action_mask: Any, logprobs: Any, *, reward: float, truncated: bool, tag: SampleTag
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


def make_filler(pad: int, *, logprobs: bool) -> Experience:
    """A sequence of two tokens, one of them an action, with advantage 0: its gradient is 0.

    One action token rather than none, because OpenRLHF divides by the tokens of a micro-batch.

    Args:
        pad: the token it is made of.
        logprobs: the other samples have log-probabilities.
    """
    mask = torch.ones(1, dtype=torch.long)
    return _make_experience(
        torch.full((2,), pad, dtype=torch.long),
        mask,
        torch.zeros(1) if logprobs else None,
        reward=0.0,
        truncated=False,
        tag=SampleTag(FILLER, FILLER, scored=False),
    )


class ExperienceMaker(RemoteExperienceMaker):
    """OpenRLHF's experience maker, for groups of any size on any number of ranks.

    Args:
        *args: OpenRLHF's own.
        watch: adds up what the conversion takes.
        **kwargs: OpenRLHF's own.
    """

    def __init__(
        self,
        *args: Any,
        watch: Stopwatch | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._watch = watch or Stopwatch()
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
            rollout_samples: single samples, as ``make_episode_samples`` makes them.

        Returns:
            Batches of ``rollout.micro_batch_size``, rank by rank: OpenRLHF deals them out in equal
            chunks, and every rank gets as many batches, and as many sequences, as any other.
        """
        with self._watch.time("conversion"):
            apply_length_penalties(
                [s for s in rollout_samples if s.labels[0].kind == SOLUTION], self.args
            )
            filled = self._filled(rollout_samples)
        return super().make_experience_batch(filled)

    def _filled(self, samples: Sequence[Experience]) -> list[Experience]:
        """Fill up to whole optimiser steps, the same number of sequences on every rank."""
        size = self.args.train.batch_size
        whole = -(-len(samples) // size) * size
        rollout = self.args.rollout
        if whole > size * (rollout.batch_size * rollout.n_samples_per_prompt // size):
            raise RuntimeError(
                f"{len(samples)} samples are more than the optimiser steps of {size} sequences "
                "that a batch was laid out for: with packing OpenRLHF would drop the rest"
            )
        pad = self.tokenizer.pad_token_id
        logprobs = samples[0].rollout_log_probs is not None
        fillers = (make_filler(pad, logprobs=logprobs) for _ in range(whole - len(samples)))
        return [*samples, *fillers]

    def split_rollout_samples(self, rollout_samples: list[Experience]) -> list[Experience]:
        """Batch samples for scoring, as many batches on every rank.

        Padded: dealt out evenly by number and nearly so by tokens. Packed: of
        ``rollout.max_tokens_per_gpu``, and as many more as make them even; OpenRLHF makes as many
        fewer, which are nearly twice as large where little is left of a batch.
        """
        return self._watch.run("conversion", self._batches, rollout_samples)

    def _batches(self, rollout_samples: Sequence[Experience]) -> list[Experience]:
        for i, sample in enumerate(rollout_samples):
            sample.index = [i]
        pad = self.tokenizer.pad_token_id
        packed = self.args.train.dynamic_batch_enable
        groups = self._packed(rollout_samples) if packed else self._padded(rollout_samples)
        return [Experience.concat_experiences(group, pad) for group in groups]

    def _padded(self, samples: Sequence[Experience]) -> list[list[Experience]]:
        micro = self.args.rollout.micro_batch_size
        return [
            share[start : start + micro]
            for share in deal_samples(samples, self._ranks)
            for start in range(0, len(share), micro)
        ]

    def _packed(self, samples: Sequence[Experience]) -> list[list[Experience]]:
        lengths = [int(sample.total_length) for sample in samples]
        limit = self.args.rollout.max_tokens_per_gpu
        least = get_minimum_num_micro_batch_size(lengths, limit, 1, 1)
        many = -(-least // self._ranks) * self._ranks  # no more than samples: those are even too
        parts = get_seqlen_balanced_partitions(lengths, many, equal_size=False)
        return [[samples[i] for i in part] for part in parts]

    @torch.no_grad()
    def compute_advantages_and_returns(self, experiences: list[Experience]) -> list[Experience]:
        """Take advantages within each group and spread them over the tokens."""
        with self._watch.time("conversion"):
            return self._advantages(experiences)

    def _advantages(self, experiences: list[Experience]) -> list[Experience]:
        tags = [tag for e in experiences for tag in e.labels]
        advantages = torch.from_numpy(
            compute_group_advantages(
                torch.cat([e.rewards for e in experiences]).tolist(),
                [tag.group for tag in tags],
                [tag.scored for tag in tags],
                estimator=self.advantage_estimator,
                weights_N=[tag.weight for tag in tags],
            )
        )
        scales = self._scales(experiences)
        # Clipped before they are scaled: how far depends on nothing that fills the batch.
        advantages = advantages.clamp(*self.args.reward.clip_range) * scales.policy
        shares = advantages.split([len(e.labels) for e in experiences])
        kl_coef = max(self.kl_ctl.value, 0.0) * scales.policy
        for e, share in zip(experiences, shares, strict=True):
            self._spread(e, share, scales.clone, kl_coef=kl_coef)
        return experiences

    def _spread(
        self, experience: Experience, advantages: Any, clone_scale: float, *, kl_coef: float
    ) -> None:
        """Spread advantages over tokens; those of experts are weights of a log-likelihood."""
        reward = compute_reward(
            advantages, kl_coef, experience.kl, action_mask=experience.action_mask
        )
        kinds = [tag.kind for tag in experience.labels]
        sampled = torch.tensor([kind in (META, SOLUTION) for kind in kinds])[:, None]
        reward = reward * sampled  # the KL penalty is not for fillers, nor for experts
        if experience.rollout_log_probs is not None:  # nor have they a gap from vLLM to the policy
            experience.rollout_log_probs = torch.where(
                sampled, experience.rollout_log_probs, experience.action_log_probs
            )
        returns = compute_undiscounted_returns(reward, experience.action_mask)
        for row, tag in enumerate(experience.labels):
            if tag.kind == EXPERT:
                weights = torch.tensor(self._token_weights(tag)) * (tag.weight * clone_scale)
                returns[row][experience.action_mask[row].bool()] = weights.to(returns)
        experience.returns = returns
        experience.advantages = returns.clone()
        experience.info["return"] = reward.sum(dim=-1)
        experience.kl = None

    def _token_weights(self, tag: SampleTag) -> list[float]:
        """Weights of an expert's tokens; where sequences are what is averaged, of mean 1."""
        return list(tag.token_weights) if self._by_token else scale_to_unit_mean(tag.token_weights)

    @property
    def _by_token(self) -> bool:
        """Whether the loss is a mean over tokens; GSPO's is over sequences, whatever is set."""
        actor = self.args.actor
        return bool(actor.loss_agg_mode == "token-mean" and actor.policy_loss_type != "gspo")

    def _scales(self, experiences: Iterable[Experience]) -> LossScales:
        """What advantages and clones are multiplied by; sizes are tokens, or sequences."""
        total = policy = cloned = 0.0
        for e in experiences:
            sizes = e.action_mask.sum(dim=-1).tolist() if self._by_token else [1] * len(e.labels)
            for tag, size in zip(e.labels, sizes, strict=True):
                total += size
                if tag.kind == EXPERT:
                    cloned += sum(tag.token_weights) if self._by_token else 1
                elif tag.kind != FILLER:
                    policy += size / tag.rolled_out
        return compute_loss_scales(total, policy, cloned)


def compute_undiscounted_returns(rewards_N_T: Any, action_mask_N_T: Any) -> Any:
    """Return the sum of the rewards from each token on, of the tokens that are actions.

        R_t = sum over u >= t of mask_u * r_u

    It is OpenRLHF's ``get_cumulative_returns`` with a discount of 1, which goes through the tokens
    one by one in Python: half a minute a step of the paper's size.

    Args:
        rewards_N_T: rewards by token.
        action_mask_N_T: 1 where a token is an action.
    """
    return (rewards_N_T * action_mask_N_T).flip(1).cumsum(1).flip(1)


def deal_samples(samples: Sequence[Experience], ranks: int) -> list[list[Experience]]:
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
