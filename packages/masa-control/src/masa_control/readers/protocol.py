"""What every reader that learns of outcomes has: it reads a problem, and sees what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from masa_control.episode.belief import Belief

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ReaderNeeds = Literal["predictions", "nothing", "prompt", "hidden"]
"""What a reader reads: predictions of the policy, the problem's id, the tokens of its solution
prompt, or the policy's hidden states over them."""


@dataclass(frozen=True, slots=True)
class ProblemView:
    """What a reader may see of a problem before it is tried.

    Attributes:
        problem_id: names it.
        prompt_ids: tokens of its solution prompt, without a hint.
        hidden_D: features of the policy's hidden states over that prompt, shape (D,).
    """

    problem_id: str
    prompt_ids: Sequence[int] = ()
    hidden_D: NDArray[np.float32] | None = None


class GroupOutcome(NamedTuple):
    """What became of a problem that was rolled out.

    Attributes:
        problem_id: of the problem.
        right: correct solutions, >= 0.
        judged: solutions that are right or wrong, >= right.
    """

    problem_id: str
    right: int
    judged: int


class Reader(Protocol):
    """Learns from outcomes how likely problems are to be solved.

    A step is: ``read`` of every problem that is drawn, in any order; ``observe`` once, with the
    outcomes of those that were rolled out. What a reader believes during a step depends on what was
    observed before it alone.
    """

    def read(self, view: ProblemView, step: int) -> Belief | None:
        """Return what is believed of a problem; None where too little is known.

        Args:
            view: the problem; what was seen of it is kept until ``observe``.
            step: the step that is about to be played, from 1.
        """
        ...

    def read_many(self, views: Sequence[ProblemView], step: int) -> list[Belief | None]:
        """Return what is believed of several problems, in their order; as ``read``, and faster."""
        ...

    def observe(self, outcomes: Iterable[GroupOutcome], step: int) -> None:
        """Take in the outcomes of a step, in the order in which their problems were drawn."""
        ...

    def metrics(self) -> dict[str, float]:
        """Return the state in figures, as ``reader/groups``."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on, between two steps."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of such a reader.
        """
        ...
