"""The settings that make the best modelled use of given cards: tried one by one, fastest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from masa_openrlhf.config.rules import merge_settings
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.plan.cards import GIB
from masa_openrlhf.plan.setup import Setup
from masa_openrlhf.plan.verdict import RunPlan, make_plan, measure_room

_BATCHES = (4096, 8192, 12_288, 16_384, 24_576, 32_768)
_SHARES = tuple(percent / 100 for percent in range(95, 25, -5))
_ENOUGH = 1.01  # a smaller micro-batch is as good as the fastest, if it costs 1 % at most
_MARGIN = 2 * GIB  # left of a card in every phase: the contexts are assumptions
_GPU_COUNTS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 128, 256)


def fit_plan(setup: Setup) -> RunPlan | None:
    """Return the fastest plan that fits, by the model of ``speed``; None where none does.

    Tried are tokens a micro-batch, an engine's share of a GPU, GPUs an engine spans, and, where
    nothing fits with gradients added up in float32, bfloat16. Of plans within 1 % of the fastest
    the one with the smallest micro-batch is taken: it leaves most room.
    """
    for narrow in (False, True):
        plans = list(_list_plans(setup, narrow=narrow))
        if plans:
            enough = _ENOUGH * min(plan.time.total for plan in plans)
            quick = [plan for plan in plans if plan.time.total <= enough]
            return min(quick, key=lambda plan: (plan.setup.longest_batch, plan.time.total))
    return None


def find_gpus(setup: Setup) -> int | None:
    """Return the fewest GPUs of this kind that hold the run, eight a node; None: none tried."""
    for count in _GPU_COUNTS:
        change = {"cluster": {"engines": None, "tensor_parallel": 1}}
        if fit_plan(
            change_gpus(replace(setup, config=_change_config(setup.config, change)), count)
        ):
            return count
    return None


def change_gpus(setup: Setup, gpus: int) -> Setup:
    """Return what is planned on another number of GPUs: 1 to 8, or whole nodes of eight.

    Raises:
        ValueError: it is no such number.
    """
    if gpus < 1 or (gpus > 8 and gpus % 8):
        raise ValueError(f"--gpus {gpus}: use 1 to 8, or whole nodes of eight")
    cluster = {"nodes": max(1, gpus // 8), "gpus_per_node": min(gpus, 8)}
    return replace(setup, config=_change_config(setup.config, {"cluster": cluster}))


def list_changes(before: TrainConfig, after: TrainConfig) -> dict[str, Any]:
    """Return what ``fit_plan`` changed: setting -> value."""
    pairs = {
        "batch.max_tokens_per_gpu": (
            before.batch.max_tokens_per_gpu,
            after.batch.max_tokens_per_gpu,
        ),
        "cluster.gpu_memory": (before.cluster.gpu_memory, after.cluster.gpu_memory),
        "cluster.tensor_parallel": (before.cluster.tensor_parallel, after.cluster.tensor_parallel),
        "cluster.engines": (before.cluster.engines, after.cluster.engines),
        "openrlhf.ds.grad_accum_dtype": (
            before.openrlhf.get("ds.grad_accum_dtype"),
            after.openrlhf.get("ds.grad_accum_dtype"),
        ),
    }
    return {name: new for name, (old, new) in pairs.items() if old != new and new is not None}


def _list_plans(setup: Setup, *, narrow: bool) -> Iterator[RunPlan]:
    """Make the plans that fit with a margin; of an engine's shares the largest that does."""
    config = setup.config
    spans = [
        spans
        for spans in (1, 2, 4, 8)
        if not config.world_size % spans
        and spans <= config.cluster.gpus_per_node
        and not setup.shape.heads % spans
    ]
    batches = [tokens for tokens in _BATCHES if tokens >= config.context_tokens]
    for tokens in batches or [config.context_tokens]:
        for tensor_parallel in spans:
            for share in _SHARES:
                plan = make_plan(_set_up(setup, tokens, tensor_parallel, share, narrow=narrow))
                if plan.fits and _has_margin(plan):
                    yield plan
                    break


def _has_margin(plan: RunPlan) -> bool:
    return all(measure_room(plan.setup, phase) >= _MARGIN for phase in plan.phases)


def _set_up(
    setup: Setup, tokens: int, tensor_parallel: int, share: float, *, narrow: bool
) -> Setup:
    cluster: dict[str, Any] = {"tensor_parallel": tensor_parallel, "gpu_memory": share}
    if setup.config.cluster.colocate:
        cluster["engines"] = None
    change: dict[str, Any] = {"batch": {"max_tokens_per_gpu": tokens}, "cluster": cluster}
    if narrow or "ds.grad_accum_dtype" in setup.config.openrlhf:
        change["openrlhf"] = {"ds.grad_accum_dtype": "bf16" if narrow else "fp32"}
    return replace(setup, config=_change_config(setup.config, change))


def _change_config(config: TrainConfig, change: dict[str, Any]) -> TrainConfig:
    return TrainConfig.model_validate(merge_settings(config.model_dump(), change))
