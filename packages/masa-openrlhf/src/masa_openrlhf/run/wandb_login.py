"""Weights & Biases: its key is read where it lies and handed on in memory, and written nowhere.

OpenRLHF logs there only when the key is one of its arguments. Arguments are printed, saved beside
the run and sent to W&B as the run's configuration. So its argument is the name of the variable, and
the key itself is put into the environment of the one process that logs.
"""

from __future__ import annotations

import netrc
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from masa_openrlhf.config.tree import TrainConfig
    from masa_openrlhf.run.folder import RunFolder

PLACEHOLDER = "WANDB_API_KEY"
"""What OpenRLHF is given as the key: a word, so that it logs."""

_KEYLESS = ("offline", "dryrun", "disabled")


class WandbError(ValueError):
    """Logging to W&B was asked for, and there is no key."""


class Secret:
    """A key that does not show itself when it is printed; it travels by pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret(***)"

    def reveal(self) -> str:
        """Return the key."""
        return self._value


def find_key() -> Secret | None:
    """Return the key of WANDB_API_KEY, else the one that ``wandb login`` left in .netrc."""
    if given := os.environ.get("WANDB_API_KEY"):
        return Secret(given)
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").netloc
    named = os.environ.get("NETRC")
    for file in [Path(named)] if named else [Path.home() / ".netrc", Path.home() / "_netrc"]:
        try:
            found = netrc.netrc(str(file)).authenticators(host)
        except (OSError, netrc.NetrcParseError):
            continue
        if found and found[2]:
            return Secret(found[2])
    return None


def find_run_key(config: TrainConfig) -> Secret | None:
    """Return the key for a run, where it logs to W&B.

    Raises:
        WandbError: it does, and neither is there a key nor is W&B told to keep to this machine.
    """
    if config.log.wandb is None:
        return None
    if (found := find_key()) is not None:
        return found
    if os.environ.get("WANDB_MODE", "online") in _KEYLESS:
        return Secret(PLACEHOLDER)
    raise WandbError(
        f"log.wandb is {config.log.wandb!r}, and there is no key for W&B: set WANDB_API_KEY, run "
        "'wandb login' on this machine, set WANDB_MODE=offline, or drop log.wandb"
    )


def export_key(key: Secret | None, folder: RunFolder) -> None:
    """Prepare this process, which logs: the key, the place of W&B's files, one run when resumed."""
    if key is None:
        return
    os.environ["WANDB_API_KEY"] = key.reveal()
    os.environ.setdefault("WANDB_DIR", str(folder.path))
    os.environ.setdefault("WANDB_RUN_ID", re.sub(r"[^\w-]", "-", folder.path.name)[-64:])
    os.environ.setdefault("WANDB_RESUME", "allow")
