"""``masa-openrlhf presets``: what there is to start from, and what one holds."""

from __future__ import annotations

import shutil
import textwrap
from importlib import resources

from masa_openrlhf.config.presets import list_presets


def render_presets() -> str:
    """Return the presets, each with its first sentence."""
    width = min(shutil.get_terminal_size((80, 24)).columns, 100)
    column = max(map(len, list_presets())) + 2
    lines = []
    for name in list_presets():
        lines += textwrap.wrap(
            f"{name:<{column}}{_describe_preset(name)}", width, subsequent_indent=" " * column
        )
    return "\n".join(lines) + "\n"


def read_preset_text(name: str) -> str:
    """Return the TOML file of a preset, comments included.

    Raises:
        ValueError: there is no preset of this name.
    """
    if name not in list_presets():
        raise ValueError(f"there is no preset {name!r}; there are {', '.join(list_presets())}")
    folder = resources.files("masa_openrlhf.config.presets")
    return folder.joinpath(f"{name}.toml").read_text("utf-8")


def _describe_preset(name: str) -> str:
    lines = read_preset_text(name).splitlines()
    comment = " ".join(line.lstrip("# ") for line in _take_comment(lines))
    # The first sentence: a full stop in a name or a number is followed by no space.
    return comment.partition(". ")[0].rstrip(".") + "."


def _take_comment(lines: list[str]) -> list[str]:
    taken = []
    for line in lines:
        if not line.startswith("#"):
            break
        taken.append(line)
    return taken
