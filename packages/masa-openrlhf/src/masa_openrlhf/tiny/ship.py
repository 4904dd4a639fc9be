"""Make the model that comes with the package: ``python -m masa_openrlhf.tiny.ship``.

To be called when a test says that the code which makes it has changed. One core, two minutes.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from masa_openrlhf.config.layers import build_config, read_preset
from masa_openrlhf.tiny.assets import KEY_FILE, SHIPPED, find_model_key, prepare_assets
from masa_openrlhf.tiny.warmup import WarmUpSettings


def find_preset_key() -> str:
    """Return the key of the model that the preset tiny asks for."""
    tiny = build_config(read_preset("tiny")).tiny
    return find_model_key(tiny.seed, tiny.held_out, WarmUpSettings())


def ship_model() -> None:
    """Make the preset's model, and put it and its key where the package has it."""
    tiny = build_config(read_preset("tiny")).tiny
    with tempfile.TemporaryDirectory() as cache:
        (SHIPPED / KEY_FILE).unlink(missing_ok=True)  # else it would be copied
        made = prepare_assets(
            Path(cache), seed=tiny.seed, problems=tiny.problems, held_out=tiny.held_out
        )
        shutil.rmtree(SHIPPED, ignore_errors=True)
        shutil.copytree(made.model_dir, SHIPPED)
    for file in SHIPPED.iterdir():
        file.chmod(0o644)
    (SHIPPED / KEY_FILE).write_text(find_preset_key() + "\n", encoding="utf-8")


if __name__ == "__main__":
    ship_model()
    sys.stdout.write(f"{SHIPPED}\n")
