"""How many ranks wrote a checkpoint: a run is gone on with by as many.

DeepSpeed keeps each rank's part of the optimiser's state in a file of its own, and does not share
them out anew. With another number it fails minutes later, in every rank.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from masa_openrlhf.config.layers import ConfigError

if TYPE_CHECKING:
    from masa_openrlhf.config.tree import TrainConfig
    from masa_openrlhf.run.folder import RunFolder

_STATES = re.compile(r"(?:bf16_)?zero_pp_rank_(\d+)_mp_rank_\d+_optim_states\.pt")


def count_saved_ranks(folder: RunFolder) -> int | None:
    """Return the number of ranks whose states are in the last checkpoint; None without one."""
    latest = _find_last_checkpoint(folder.checkpoints / "_actor")
    if latest is None:
        return None
    ranks = {found[1] for file in latest.iterdir() if (found := _STATES.fullmatch(file.name))}
    return len(ranks) or None


def _find_last_checkpoint(actor: Path) -> Path | None:
    """Return the folder that DeepSpeed would load from."""
    try:
        latest = actor / (actor / "latest").read_text("utf-8").strip()
    except OSError:
        return None
    return latest if latest.is_dir() else None


def require_saved_ranks(config: TrainConfig, folder: RunFolder) -> None:
    """Refuse to go on with another number of ranks than the last checkpoint was written by.

    Raises:
        ConfigError: names both numbers, and the way out.
    """
    saved = count_saved_ranks(folder)
    if saved is None or saved == config.world_size:
        return
    cluster = config.cluster
    raise ConfigError(
        f"the last checkpoint in {folder.path} was written by {saved} ranks, and "
        f"{config.world_size} were asked for (cluster.nodes x cluster.gpus_per_node = "
        f"{cluster.nodes} x {cluster.gpus_per_node}). DeepSpeed cannot share the optimiser's state "
        f"out anew: resume with {saved} ranks, as 1 x {saved} or spread over more nodes, or start "
        "a new run"
    )
