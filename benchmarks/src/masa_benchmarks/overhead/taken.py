"""What a step took, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import psutil


class StepSeconds(NamedTuple):
    """Seconds of a step, by part.

    Attributes:
        actors: processor time in all rollout actors together.
        workers: processor time in all verification workers together.
        trainer: processor time in the trainer's one process.
        packing: likewise, OpenRLHF's own.
        wall: how long the trainer's part lasted.
        wait: that a problem waited for its verdicts, the mean, with all problems on one actor.
    """

    actors: dict[str, float]
    workers: float
    trainer: dict[str, float]
    packing: float
    wall: float
    wait: float

    def on(self, engines: int, workers: int) -> float:
        """What a step would last longer, if nothing overlapped with anything.

        Args:
            engines: rollout actors.
            workers: verification workers of each.
        """
        spread = sum(self.actors.values()) / engines + self.workers / (engines * workers)
        return spread + sum(self.trainer.values())


def sum_episode_seconds(episodes: Sequence[Any]) -> tuple[dict[str, float], list[float]]:
    """Return seconds by part of all episodes, and how long each waited for its verdicts."""
    parts: dict[str, float] = {}
    for episode in episodes:
        for part, seconds in episode.seconds.items():
            parts[part] = parts.get(part, 0.0) + seconds
    parts.pop("verification_wait")
    return parts, [episode.seconds["verification_wait"] for episode in episodes]


def read_worker_seconds() -> float:
    """Return the processor time that this process's children have had."""
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return sum(one.user + one.system for one in times)
