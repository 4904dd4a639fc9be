"""Plans of all presets on common cards as Markdown: ``masa-openrlhf plan --table``."""

from __future__ import annotations

from collections.abc import Iterator

from masa_openrlhf.config.layers import build_config, read_preset
from masa_openrlhf.plan.cards import CARDS, GIB
from masa_openrlhf.plan.fit import change_gpus, find_gpus, fit_plan
from masa_openrlhf.plan.render import format_time
from masa_openrlhf.plan.setup import Setup, assume_lengths
from masa_openrlhf.plan.shapes import find_shape
from masa_openrlhf.plan.verdict import RunPlan, make_plan, measure_room

TABLE_CARDS = ("rtx-4090", "a100-40gb", "h100", "h200")
"""Of 24, 40, 80 and 141 GB."""

RECIPES = (
    ("qwen3-0.6b", "rtx-4090", 1),
    ("qwen3-1.7b", "h100", 1),
    ("qwen3-4b", "h100", 1),
    ("qwen3-8b", "h100", 8),
    ("qwen3-8b", "h100", 16),
    ("qwen3-14b", "h100", 8),
    ("qwen3-14b", "h100", 32),
)
"""Presets on the GPUs that they are for: preset, card, GPUs."""

_HEAD = """\
| preset | GPUs | tokens a micro-batch | TP | engine's share | generate | score | train | digest | \
resume | left | KV tokens an engine | a step |
|---|---|---|---|---|---|---|---|---|---|---|---|---|"""


def render_recipes() -> str:
    """Return the recipes as they are shipped, as Markdown."""
    plans = [
        (name, make_plan(change_gpus(_set_up(name, card), gpus))) for name, card, gpus in RECIPES
    ]
    return "\n".join([_HEAD, *(_render_row(name, plan) for name, plan in plans)])


def render_fitted() -> str:
    """Return every preset on common cards as Markdown, with the settings of ``plan --fit``."""
    rows = [
        _render_row(name, plan)
        if plan
        else f"| {name} | {CARDS[card].name} | no number of GPUs that was tried holds it |"
        + " |" * 10
        for name, card, plan in _list_fitted()
    ]
    return "\n".join([_HEAD, *rows])


def _list_fitted() -> Iterator[tuple[str, str, RunPlan | None]]:
    for name in dict.fromkeys(recipe[0] for recipe in RECIPES):
        for card in TABLE_CARDS:
            setup = _set_up(name, card)
            plan = fit_plan(setup)
            if plan is None and (gpus := find_gpus(setup)) is not None:
                plan = fit_plan(change_gpus(setup, gpus))
            yield name, card, plan


def _set_up(preset: str, card: str) -> Setup:
    config = build_config(read_preset(preset))
    return Setup(config, find_shape(str(config.model.path)), CARDS[card], assume_lengths(config))


def _render_row(name: str, plan: RunPlan) -> str:
    config, setup = plan.setup.config, plan.setup
    cluster = config.cluster
    spread = (
        f"{cluster.nodes} x {cluster.gpus_per_node}" if cluster.nodes > 1 else config.world_size
    )
    narrow = ", gradients in bfloat16" if setup.gradient_width == 2 else ""
    left = min(measure_room(setup, phase) for phase in plan.phases) / GIB
    cells = (
        name,
        f"{spread} {setup.card.name}",
        f"{config.batch.max_tokens_per_gpu:,}{narrow}",
        cluster.tensor_parallel,
        f"{cluster.gpu_memory:.2f}",
        *(f"{phase.total / GIB:.1f}" for phase in plan.phases),
        f"{left:.1f}",
        f"{plan.engine.cache_tokens:,}",
        format_time(plan.time.total),
    )
    return "| " + " | ".join(map(str, cells)) + " |"
