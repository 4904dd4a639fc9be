"""The help of ``masa-openrlhf train``, rendered beforehand.

Building the parser of the whole tree takes about a second; printing this file does not. A test
holds the file to what tyro would print.
"""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import tyro
from pydantic import BaseModel

from masa_openrlhf.config.layers import PROGRAM, presets
from masa_openrlhf.config.tree import TrainConfig

FILE = Path(__file__).parent / "help.txt"

_HEAD = """\
usage: masa-openrlhf train [--preset NAME] [--config FILE.toml ...] [--resume RUN] [--dry-run]
                           [settings] [any flag of OpenRLHF]

  --preset NAME      start from one of: {presets} (without one, and without a
                     file: tiny)
  --config FILE      put a TOML file's settings over it; may be given again
  --resume RUN       go on from the last checkpoint in a run's folder; settings given now win
  --trust            with --resume: even where others own the folder's files or may write them;
                     whoever did could have code run (SECURITY.md)
  --dry-run          print the resolved configuration and OpenRLHF's arguments, and end

Flags that are not listed here go to OpenRLHF, and are checked by its own parser:
--ds.zero_stage 3, --logger.wandb.key KEY. Settings and their defaults:

"""


def render_settings(config: type[BaseModel], program: str) -> str:
    """Return what tyro says of the settings: all that stands behind the config's own docstring."""
    width = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            tyro.cli(config, default=config(), args=["--help"], prog=program)
    finally:
        if width is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = width
    return out.getvalue().partition((config.__doc__ or "").strip())[2].lstrip("\n")


def render() -> str:
    """Return the whole help."""
    return _HEAD.format(presets=", ".join(presets())) + render_settings(TrainConfig, PROGRAM)


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
