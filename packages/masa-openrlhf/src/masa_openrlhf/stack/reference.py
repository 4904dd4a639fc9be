"""The reference model's actor: OpenRLHF's, in a process made ready for the stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ray
from openrlhf.trainer.ray.launcher import ReferenceModelActor

from masa_openrlhf.nodes.variables import export_secrets
from masa_openrlhf.run.wandb_login import Secret


class ReferenceActor(ReferenceModelActor.__ray_metadata__.modified_class):
    """OpenRLHF's own; this module's import comes before OpenRLHF's.

    Args:
        secrets: for this process's environment.
        *args: OpenRLHF's own.
        **kwargs: OpenRLHF's own.
    """

    def __init__(
        self, *args: Any, secrets: Mapping[str, Secret] | None = None, **kwargs: Any
    ) -> None:
        export_secrets(secrets or {})
        super().__init__(*args, **kwargs)


ReferenceRayActor = ray.remote(num_gpus=1)(ReferenceActor)
