"""Plans for tests: a preset with flags, on a card."""

from __future__ import annotations

from masa_openrlhf.config.layers import apply_flags, build_config, read_preset
from masa_openrlhf.plan.cards import find_card
from masa_openrlhf.plan.command import make_setup
from masa_openrlhf.plan.setup import Setup
from masa_openrlhf.plan.verdict import RunPlan, make_plan


def set_up(preset: str, *flags: str, card: str = "h100") -> Setup:
    config = apply_flags(build_config(read_preset(preset)), list(flags))
    return make_setup(config, find_card(card))


def plan(preset: str, *flags: str, card: str = "h100") -> RunPlan:
    return make_plan(set_up(preset, *flags, card=card))
