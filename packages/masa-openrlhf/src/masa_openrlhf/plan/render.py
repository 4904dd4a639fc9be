"""A plan as a table for the terminal, and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from masa_openrlhf.plan import speed
from masa_openrlhf.plan.cards import GIB
from masa_openrlhf.plan.memory import FRAGMENTATION
from masa_openrlhf.plan.setup import Setup
from masa_openrlhf.plan.verdict import RunPlan, measure_room

_PARTS = ("parameters", "gradients", "optimiser", "activations", "logits", "cache", "other")
_HEADS = ("weights", "grads", "optim.", "activ.", "logits", "cache", "other")


def render_plan(plan: RunPlan) -> RenderableType:
    """Return a plan for the terminal: GPU, node, a step's time, assumptions, verdict."""
    return Group(
        Text(_describe_setup(plan.setup), style="bold"),
        _render_phases(plan),
        *map(Text, ["", *_describe_engine(plan), *_describe_node(plan), ""]),
        *map(Text, [_describe_time(plan), *_list_assumptions(plan.setup), ""]),
        *(Text(line, style="green" if plan.fits else "red") for line in describe_verdict(plan)),
    )


def _describe_setup(setup: Setup) -> str:
    config = setup.config
    cluster = config.cluster
    engines = (
        f"{config.engines} engine{'' if config.engines == 1 else 's'} of "
        f"{cluster.tensor_parallel} GPU{'' if cluster.tensor_parallel == 1 else 's'}"
    )
    return (
        f"{config.model.path}: {setup.shape.parameters / 1e9:.2f} B parameters on "
        f"{cluster.nodes} x {cluster.gpus_per_node} {setup.card.name}, {engines}"
        f"{'' if cluster.colocate else ' on GPUs of their own'}, ZeRO {cluster.zero_stage}"
    )


def _render_phases(plan: RunPlan) -> Table:
    table = Table(title="GiB a GPU", title_justify="left", pad_edge=False, box=None)
    table.add_column("phase")
    for head in (*_HEADS, "sum", "left"):
        table.add_column(head, justify="right")
    for phase in plan.phases:
        parts = [getattr(phase, part) for part in _PARTS]
        left = measure_room(plan.setup, phase)
        cells = [_format_gib(value) for value in (*parts, phase.total)]
        table.add_row(phase.phase, *cells, Text(_format_gib(left), "red" if left < 0 else ""))
    return table


def _format_gib(value: float) -> str:
    return "–" if value == 0 else f"{value / GIB:.1f}"


def _describe_engine(plan: RunPlan) -> list[str]:
    return [
        f"engine: {plan.engine.cache_tokens:,} tokens of KV cache, {plan.engine.sequences:,} "
        "sequences of mean length at a time"
    ]


def _describe_node(plan: RunPlan) -> list[str]:
    node = plan.node
    return [
        f"node: {node.host / GIB:,.0f} GiB of memory ({node.pinned / GIB:,.0f} pinned, "
        f"{node.processes / GIB:,.0f} for processes), {node.shared / GIB:.1f} GiB of them in "
        "/dev/shm",
        f"disk: {node.checkpoint / 1e9:,.0f} GB a checkpoint, {node.checkpoints / 1e9:,.0f} GB "
        "with those that are kept and the final model, in the run's folder",
    ]


def _describe_time(plan: RunPlan) -> str:
    time = plan.time
    return (
        f"a step, modelled: {format_time(time.total)} (generate {format_time(time.generate)}, "
        f"score {format_time(time.score)}, train {format_time(time.train)}, move "
        f"{format_time(time.move)}) for {plan.setup.step_tokens:,.0f} tokens"
    )


def format_time(seconds: float) -> str:
    """Return a time as text; – where there is none."""
    if seconds == float("inf"):
        return "–"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _list_assumptions(setup: Setup) -> list[str]:
    lengths = setup.lengths
    return [
        f"assumed: solutions of {lengths.solution:,.0f} tokens, predictions of "
        f"{lengths.prediction:,.0f}, prompts of {lengths.prompt:,.0f}; every problem rolled out; "
        f"{speed.TRAIN_FLOPS_SHARE:.0%} of the card's arithmetic in training, "
        f"{speed.BANDWIDTH_SHARE:.0%} of its bandwidth in decoding; {FRAGMENTATION:.0%} of the "
        "card lost to fragments. Nothing here was measured on a GPU"
    ]


def describe_verdict(plan: RunPlan) -> list[str]:
    """Return whether a plan fits, a line a fault."""
    if plan.fits:
        tight = min(plan.phases, key=lambda phase: measure_room(plan.setup, phase))
        left = measure_room(plan.setup, tight)
        return [f"fits: {left / GIB:.1f} GiB a GPU are left at the tightest ({tight.phase})"]
    return [f"does not fit: {fault}" for fault in plan.faults]


def render_changes(changes: dict[str, Any]) -> str:
    """Return changed settings as a command line's flags."""
    flags = []
    for name, value in changes.items():
        own = name.removeprefix("openrlhf.")  # OpenRLHF's flags have underscores
        flags.append(f"--{own if own != name else name.replace('_', '-')} {value}")
    return " ".join(flags)


def render_json(plan: RunPlan) -> str:
    """Return a plan for machines: bytes and seconds."""
    phases = {
        phase.phase: {
            **asdict(phase),
            "total": phase.total,
            "room": measure_room(plan.setup, phase),
        }
        for phase in plan.phases
    }
    found = {
        "card": asdict(plan.setup.card),
        "model": {**asdict(plan.setup.shape), "parameters": plan.setup.shape.parameters},
        "lengths": asdict(plan.setup.lengths),
        "gpu_bytes": phases,
        "engine": asdict(plan.engine),
        "node_bytes": {**asdict(plan.node), "host": plan.node.host},
        "step_seconds": {**asdict(plan.time), "total": plan.time.total},
        "fits": plan.fits,
        "faults": list(plan.faults),
    }
    return json.dumps(found, indent=2)
