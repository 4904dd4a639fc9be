"""Settings for a model that no preset is for: by its size, its context and the machine.

They are the lowest layer: a TOML file and flags go over them. On GPUs they are the paper's, with
lengths that the model's context holds and what ``plan --fit`` finds for the cards. On a CPU they
are what makes a step in a minute or two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masa_openrlhf.config.layers import build_config, flatten_settings
from masa_openrlhf.config.rules import merge_settings
from masa_openrlhf.plan.cards import CardSpec
from masa_openrlhf.plan.fit import fit_plan, list_changes
from masa_openrlhf.plan.setup import Setup, assume_lengths
from masa_openrlhf.plan.shapes import ModelShape, ShapeError, find_shape

_PROMPT, _SOLUTION, _PREDICTION = 2048, 8192, 4096  # the paper's, tokens
_KEEPS_ACTIVATIONS = 5 * 10**8  # parameters: below, a CPU's memory holds them


@dataclass(frozen=True, slots=True)
class ChosenDefaults:
    """What was chosen.

    Attributes:
        settings: as a TOML file would have them.
        reason: what they were chosen by.
    """

    settings: dict[str, Any]
    reason: str

    def describe(self) -> str:
        """Return the settings and the reason as lines for the terminal."""
        flat = flatten_settings(self.settings)
        flat.pop("model.path", None)
        pairs = ", ".join(f"{name} = {value}" for name, value in flat.items())
        return f"no preset: {self.reason}\n  {pairs}\n  a TOML file or a flag goes over each"


def choose_defaults(
    model: str, *, on_cpu: bool, cores: int = 1, cards: Sequence[CardSpec] = ()
) -> ChosenDefaults:
    """Return settings for a model.

    Args:
        model: a folder, a GGUF file, or a name on the hub; what is there is not checked here.
        on_cpu: the run has no GPU.
        cores: of this machine.
        cards: its GPUs; none where it only starts a run on a cluster.
    """
    try:
        shape = find_shape(model)
    except ShapeError:
        shape = None
    parameters = _count_parameters(model, shape)
    size = f"{parameters / 1e9:.2f} B parameters" if parameters else "unknown size"
    context = f"context {shape.positions:,}" if shape and shape.positions else "unknown context"
    if on_cpu:
        settings = _choose_for_cpu(parameters or 0, shape)
        where = f"a CPU with {cores} core{'' if cores == 1 else 's'}"
    else:
        settings = _choose_for_gpus(model, shape, cards)
        where = f"{len(cards)} x {cards[0].name}" if cards else "GPUs that are not on this machine"
    settings = merge_settings({"model": {"path": model}}, settings)
    return ChosenDefaults(settings, f"settings for a model of {size}, {context}, on {where}")


def _count_parameters(model: str, shape: ModelShape | None) -> int | None:
    """Count a model's parameters; where its sizes are not known, by its files of weights."""
    if shape is not None:
        return shape.parameters
    path = Path(model).expanduser()
    files = [path] if path.is_file() else sorted(path.glob("*.safetensors"))
    bytes_each = 0.55 if path.is_file() else 2  # of a GGUF file some four bits
    return int(sum(file.stat().st_size for file in files) / bytes_each) or None


def _choose_lengths(shape: ModelShape | None, longest: tuple[int, int, int]) -> dict[str, Any]:
    """Return lengths that the model's context holds, a quarter of it for the prompt at most."""
    prompt, solution, prediction = longest
    if shape is not None and shape.positions is not None:
        prompt = min(prompt, shape.positions // 4)
        solution = min(solution, shape.positions - prompt)
        prediction = min(prediction, solution)
    return {
        "data": {"prompt_max_tokens": prompt},
        "solution": {"max_tokens": solution},
        "meta": {"max_tokens": prediction},
    }


def _choose_for_cpu(parameters: int, shape: ModelShape | None) -> dict[str, Any]:
    small = parameters <= 3 * 10**8
    micro = 8 if small else (4 if parameters <= 10**9 else 1)
    settings: dict[str, Any] = {
        "model": {"attention": "sdpa"},
        "solution": {"rollouts": 8},
        "meta": {"rollouts": 4, "prompt": {"min_length": 16}},
        "optim": {"lr": 5e-6, "warmup_steps": 5},
        "batch": {
            "problems": 4 if small else 2,
            "train_micro": micro,
            "forward_micro": 2 * micro,
        },
        "cluster": {
            "device": "cpu",
            "gpus_per_node": 1,
            "engines": 1,
            "colocate": False,
            "zero_stage": 2,
            "pack": False,
            "gradient_checkpointing": parameters > _KEEPS_ACTIVATIONS,
        },
        "verifier": {"workers": 1, "memory_mb": 1024},
    }
    return merge_settings(_choose_lengths(shape, (512, 256, 128)), settings)


def _choose_for_gpus(
    model: str, shape: ModelShape | None, cards: Sequence[CardSpec]
) -> dict[str, Any]:
    settings = _choose_lengths(shape, (_PROMPT, _SOLUTION, _PREDICTION))
    if not cards:
        return settings
    settings = merge_settings(settings, {"cluster": {"gpus_per_node": len(cards)}})
    if shape is None:
        return settings
    config = build_config(merge_settings({"model": {"path": model}}, settings))
    weakest = min(cards, key=lambda card: card.memory)
    plan = fit_plan(Setup(config, shape, weakest, assume_lengths(config)))
    if plan is None:
        return settings  # what does not fit, and what would, is said before the run starts
    for name, value in list_changes(config, plan.setup.config).items():
        section, _, key = name.partition(".")
        settings = merge_settings(settings, {section: {key: value}})
    return settings
