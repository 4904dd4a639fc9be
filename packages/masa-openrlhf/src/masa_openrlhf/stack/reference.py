"""The reference model's actor: OpenRLHF's, in a process made ready for the stack."""

from __future__ import annotations

import ray
from openrlhf.trainer.ray.launcher import ReferenceModelActor


class ReferenceActor(ReferenceModelActor.__ray_metadata__.modified_class):
    """OpenRLHF's own; what is ours is that this module's import comes before OpenRLHF's."""


ReferenceRayActor = ray.remote(num_gpus=1)(ReferenceActor)
