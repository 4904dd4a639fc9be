"""When a run ends before its last step, and what it leaves then.

Asked to stop, the trainer finishes the step at hand, writes a checkpoint and ends. Told to end now
(SIGTERM), it gives that step up, as long as its first optimiser step has not begun: until then the
weights and the optimiser of the policy are those of the last finished step, whatever gradients have
been added up. What the trainer keeps itself (its place in the data, random states, controller,
ledger) moves on with the next step's first problem, so it is taken down when a step ends.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

from masa_openrlhf.run.folder import TOLD_TO_END, RunFolder, StopRequest

FINISHED = "finished"
ASKED_TO_STOP = "asked to stop"


class TrainingStopped(Exception):  # noqa: N818  # nothing went wrong
    """Ends the training loop; its message is the reason.

    ``FINISHED`` and ``ASKED_TO_STOP`` end it between two steps, with the checkpoint written;
    ``TOLD_TO_END`` within one, with none of that step, and no model is written after it.
    """


class FinishedStep(NamedTuple):
    """What a run goes on from after a step, but for the policy's own states.

    Attributes:
        step: its number, from 1; 0 before the first.
        states: what a checkpoint holds of the trainer, a copy.
        saved: whether there is nothing to write: a checkpoint of it is there, or it is step 0.
    """

    step: int
    states: Mapping[str, Any]
    saved: bool = False


def copy_states(client_states: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a checkpoint holds of the trainer, apart from what goes on changing.

    Args:
        client_states: OpenRLHF's: step, pass, problems drawn, the data loader's place.
        own: ours, under ``masa``.
    """
    return copy.deepcopy({**client_states, "masa": dict(own)})


class StopWatcher:
    """Raises where a step can be given up, once the run is told to end now.

    Args:
        folder: the run's folder, where requests are written.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    def enter(self, phase: str, step: int) -> None:
        """Note which part of a step begins.

        Args:
            phase: "rollouts", "scoring", "update", "optimiser step" or "evaluation".
            step: that step; of an evaluation, the one before it.
        """
        self._folder.event("phase", what=phase, step=step)

    def is_told(self) -> bool:
        """Whether the run is told to end now."""
        return self._folder.read_stop() is StopRequest.NOW

    def check(self) -> None:
        """Go on, unless the run is told to end now.

        Raises:
            TrainingStopped: it is.
        """
        if self.is_told():
            raise TrainingStopped(TOLD_TO_END)
