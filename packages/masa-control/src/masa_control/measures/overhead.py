"""What our own code takes of a step, beside what the models cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from masa_control.episode.run import VERIFICATION_WAIT
from masa_control.episode.types import Episode


def overhead_metrics(
    episodes: Sequence[Episode], trainer: Mapping[str, float], *, engines: int, step: float
) -> dict[str, float]:
    """Return what our own code took in a step.

        step  = sum of parts in the trainer + sum of parts of episodes / engines
        share = step / seconds of the whole step

    Episodes are played in the rollout actors, one an engine, each its share of the problems; the
    trainer is one process. Both are added as if nothing overlapped, though most of an episode's
    part falls into the time in which its engine generates for others.

    Args:
        episodes: those of the step, with their seconds.
        trainer: seconds by part, in the trainer.
        engines: rollout actors, >= 1.
        step: seconds of the whole step; 0 where nothing was timed.

    Returns:
        ``overhead/<part>``: seconds in all processes; of the episodes' parts processor time.
        ``overhead/verification_wait``: seconds that a problem waited for its verdicts, the mean,
        left out where none did. ``overhead/step`` and ``overhead/share`` as above; no share of a
        step of 0 s.
    """
    parts: dict[str, float] = defaultdict(float, trainer)
    waits = [
        episode.seconds[VERIFICATION_WAIT]
        for episode in episodes
        if VERIFICATION_WAIT in episode.seconds
    ]
    spread = 0.0
    for episode in episodes:
        for part, seconds in episode.seconds.items():
            if part != VERIFICATION_WAIT:
                parts[part] += seconds
                spread += seconds
    found = {f"overhead/{part}": seconds for part, seconds in sorted(parts.items())}
    found["overhead/step"] = sum(trainer.values()) + spread / engines
    if waits:
        found[f"overhead/{VERIFICATION_WAIT}"] = sum(waits) / len(waits)
    if step:
        found["overhead/share"] = found["overhead/step"] / step
    return found
