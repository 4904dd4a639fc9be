"""``masa-openrlhf plan``: what a run needs of its GPUs, before anything is rented or started."""

from __future__ import annotations

import argparse
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from masa_openrlhf.arguments.build import build_arguments
from masa_openrlhf.arguments.parse import parse_arguments
from masa_openrlhf.command.invocation import format_command
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.plan.cards import CardSpec, find_card, find_card_by_memory, match_card
from masa_openrlhf.plan.fit import change_gpus, find_gpus, fit_plan, list_changes
from masa_openrlhf.plan.render import render_changes, render_json, render_plan
from masa_openrlhf.plan.setup import Lengths, Setup, assume_lengths
from masa_openrlhf.plan.shapes import ShapeError, find_shape
from masa_openrlhf.plan.table import render_fitted, render_recipes
from masa_openrlhf.plan.verdict import DoesNotFitError, RunPlan, make_plan
from masa_openrlhf.run.folder import RunFolder

HELP = """\
usage: masa-openrlhf plan [--preset NAME] [--config FILE] [options] [settings of train]

What a run needs of its GPUs, of a node and of the disk, and how long a step takes, worked out from
the model's config.json alone: no GPU, no weights, nothing is started.

options:
  --gpus N               GPUs, eight a node; default: cluster.nodes x cluster.gpus_per_node
  --gpu-memory-gib N     a GPU's memory as it is sold: 24, 40, 48, 80, 141, 180, or another number
  --card NAME            a kind of GPU: {cards}; default: this machine's, else h100
  --solution-tokens N    mean length of a solution; default: 76 % of solution.max_tokens
  --prediction-tokens N  mean length of a prediction; default: 56 % of meta.max_tokens
  --fit                  change the settings so that they make the best modelled use of the cards
  --json                 print bytes and seconds for machines
  --table                print all presets on cards of 24, 40, 80 and 141 GB as Markdown

Ends with status 0 where the run fits, else with 1.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this command's own options."""
    parser.add_argument("--gpus", type=int)
    parser.add_argument("--gpu-memory-gib", type=float)
    parser.add_argument("--card")
    parser.add_argument("--solution-tokens", type=float)
    parser.add_argument("--prediction-tokens", type=float)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--table", action="store_true")


def run_plan(config: TrainConfig, options: argparse.Namespace) -> int:
    """Print a plan; return the command's exit status.

    Raises:
        ShapeError: the model's sizes cannot be read.
        CardError: there is no such card.
        OpenRLHFArgumentError: a run of these settings is not possible, whatever the memory.
    """
    if options.table:
        print(f"{render_recipes()}\n\n{render_fitted()}")
        return 0
    setup = make_setup(config, _choose_card(options))
    if options.gpus is not None:
        setup = change_gpus(setup, options.gpus)
    check_flags(setup.config)
    setup = replace(setup, lengths=_choose_lengths(setup, options))
    plan = (fit_plan(setup) if options.fit else None) or make_plan(setup)
    if options.json:
        print(render_json(plan))
        return 0 if plan.fits else 1
    console = Console(highlight=False)
    console.print(render_plan(plan))
    if options.fit and plan.fits:
        changes = list_changes(setup.config, plan.setup.config)
        console.print(f"settings: {render_changes(changes) or 'as they are'}", soft_wrap=True)
    elif not plan.fits:
        console.print(suggest_way_out(setup, fitted=options.fit), soft_wrap=True)
    return 0 if plan.fits else 1


def check_flags(config: TrainConfig) -> None:
    """Have OpenRLHF's parser, where it is installed, read the run's arguments.

    Raises:
        OpenRLHFArgumentError: it refuses them, or a run would get them wrong.
    """
    folder = RunFolder(Path(config.name))
    with suppress(ModuleNotFoundError):
        parse_arguments(build_arguments(config, folder, cpu=False, resume=False))


def make_setup(config: TrainConfig, card: CardSpec) -> Setup:
    """Return what is to be planned.

    Raises:
        ShapeError: no model is named, or its sizes cannot be read.
    """
    if config.model.path is None:
        raise ShapeError(
            "no model is named, and the tiny one fits anywhere: name one by --model.path or by a "
            "preset"
        )
    return Setup(config, find_shape(config.model.path), card, assume_lengths(config))


def suggest_way_out(setup: Setup, *, fitted: bool = False) -> str:
    """Return what would fit: other settings, or more GPUs."""
    found = None if fitted else fit_plan(setup)
    if found is not None:
        changes = list_changes(setup.config, found.setup.config)
        return f"this fits: {render_changes(changes)}"
    gpus = find_gpus(setup)
    if gpus is None:
        return "no number of these GPUs that was tried holds it: use cards with more memory"
    return (
        f"it fits on {gpus} of these GPUs: {format_command('plan', '--gpus', str(gpus), '--fit')}"
    )


def require_fit(config: TrainConfig, card: CardSpec | None) -> RunPlan | None:
    """Plan a run before it starts.

    Returns:
        The plan; None where there is none: no card was found, or the model is of a kind that is not
        planned.

    Raises:
        DoesNotFitError: it cannot fit; says what to change.
    """
    if card is None:
        return None
    try:
        setup = make_setup(config, card)
    except ShapeError:
        return None
    plan = make_plan(setup)
    if not plan.fits:
        faults = "\n".join(plan.faults)
        raise DoesNotFitError(
            f"{faults}\n{suggest_way_out(setup)}\n--force starts the run all the same"
        )
    return plan


def _choose_lengths(setup: Setup, options: argparse.Namespace) -> Lengths:
    lengths = setup.lengths
    for name, longest in (
        ("solution", setup.config.solution.max_tokens),
        ("prediction", setup.config.meta.max_tokens),
    ):
        asked = getattr(options, f"{name}_tokens")
        if asked is None:
            continue
        if not 0 < asked <= longest:
            raise ValueError(
                f"--{name}-tokens {asked:g}: a mean of 1 to {longest} tokens, which is the longest "
                "that is allowed"
            )
        lengths = replace(lengths, **{name: asked})
    return lengths


def _choose_card(options: argparse.Namespace) -> CardSpec:
    if options.card:
        return find_card(options.card)
    if options.gpu_memory_gib is not None:
        return find_card_by_memory(options.gpu_memory_gib)
    return find_local_card() or find_card("h100")


def find_local_card() -> CardSpec | None:
    """Return this machine's GPU with the least memory; None where there is none."""
    return min(list_local_cards(), key=lambda card: card.memory, default=None)


def list_local_cards() -> list[CardSpec]:
    """Return this machine's GPUs, those that this process may use."""
    from masa_openrlhf.gpu.machine import inspect_machine

    return [match_card(card.name, card.memory) for card in inspect_machine().cards]
