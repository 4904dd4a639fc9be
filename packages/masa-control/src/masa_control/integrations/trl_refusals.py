"""What TRL's trainer can do and the gate cannot be had with, with the way out."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from masa_rewards.integrations.trl import MasaReward

_OWN_ROLLOUTS = ("tools", "rollout_func", "environment_factory")


def check_arguments(trainer: type, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Refuse arguments of the trainer that the gate cannot be had with, before a model is loaded.

    Args:
        trainer: TRL's class.
        args: what it is to be made with.
        kwargs: likewise, by name.

    Raises:
        ValueError: names the argument, and what to do instead.
    """
    given = inspect.signature(trainer).bind_partial(*args, **kwargs).arguments
    for name in _OWN_ROLLOUTS:
        if given.get(name) is not None:
            raise ValueError(
                f"{name} is set, so rollouts have turns or a course of their own, and the gate "
                f"makes plain ones, predictions first: leave {name} out, or train with GRPOTrainer"
            )
    find_reward(given.get("reward_funcs"))
    if (config := given.get("args")) is not None:
        _check_config(config)


def _check_config(config: Any) -> None:
    parallel = config.vllm_tensor_parallel_size
    if config.use_vllm and config.vllm_mode == "colocate" and parallel > 1:
        raise ValueError(
            f"vllm_tensor_parallel_size = {parallel!r} with vllm_mode = 'colocate': TRL cuts the "
            "completions of such a group into equal parts, and after skipping its processes have "
            "unequally many; set vllm_tensor_parallel_size=1, or vllm_mode='server'"
        )
    if config.loss_type == "bnpo":
        raise ValueError(
            "loss_type = 'bnpo' divides by the tokens of each micro-batch, so what is left would "
            "weigh the more, the more is skipped: set loss_type='dapo', which divides by those of "
            "the whole batch"
        )


def check_fields(images: Any, fields: Mapping[str, Any], number: int) -> None:
    """Refuse prompts that are more than text.

    Args:
        images: of the prompts, as TRL has them.
        fields: what the tokenizer gave beside token ids and attention mask.
        number: of prompts.

    Raises:
        ValueError: names what is there, and what to do instead.
    """
    whole = [k for k, v in fields.items() if not isinstance(v, list) or len(v) != number]
    if images is not None or whole:
        raise ValueError(
            f"the prompts hold more than text ({', '.join(['images', *whole])}), which cannot be "
            "divided into rows here: use a text model and its tokenizer, or train with GRPOTrainer"
        )


def find_reward(reward_funcs: Any) -> MasaReward:
    """Return the `MasaReward` among the reward functions.

    Raises:
        ValueError: there is none, or more than one.
    """
    several = reward_funcs if isinstance(reward_funcs, list) else [reward_funcs]
    found = [each for each in several if isinstance(each, MasaReward)]
    if len(found) != 1:
        raise ValueError(
            f"reward_funcs holds {len(found)} MasaReward, and the gate reads predictions and "
            "verdicts of exactly one: pass reward_funcs=MasaReward(prompt), beside others if you "
            "like"
        )
    return found[0]
