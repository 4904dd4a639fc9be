"""The reader for problems that recur: what became of them before, as a Beta posterior."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from masa_control.episode.belief import Belief
from masa_control.readers.protocol import GroupOutcome, ProblemView
from masa_control.readers.settings import HistoryReaderSettings
from masa_control.state import Count, SavedState

Amount = Annotated[float, Field(strict=True, ge=0, le=1e12)]


class PastOutcomes(NamedTuple):
    """What is remembered of a problem, as it counted in a step.

    Attributes:
        right: correct solutions, older ones for less.
        wrong: incorrect ones, likewise.
        step: the step.
    """

    right: float
    wrong: float
    step: int


class _PastRow(NamedTuple):
    problem_id: str
    right: Amount
    wrong: Amount
    step: Count


class _State(SavedState):
    state_of = "history"

    problems: list[_PastRow]
    right: Amount
    wrong: Amount


class HistoryReader:
    """Believes Beta(s m + k, s (1 - m) + n - k): k right of n before, m the mean of all, s a prior.

    Outcomes lose half their weight every ``half_life`` steps, so that the policy of then stands for
    that of now the less the longer ago it was; a problem that nobody has tried for long comes back
    to the prior.

    Args:
        settings: weight of the prior, half-life.
    """

    source = "history"

    def __init__(self, settings: HistoryReaderSettings | None = None) -> None:
        self._settings = settings or HistoryReaderSettings()
        self._past: dict[str, PastOutcomes] = {}
        self._right, self._wrong = 0.0, 0.0

    def read(self, view: ProblemView, step: int) -> Belief | None:
        """Return what is believed of a problem; None of one that has not been tried."""
        past = self._past.get(view.problem_id)
        if past is None:
            return None
        right, wrong = self._aged(past, step)
        prior = self._settings.prior
        overall = self._right / (self._right + self._wrong)
        a, b = prior * overall + right, prior * (1 - overall) + wrong
        mean = a / (a + b)
        return Belief(mean, mean * (1 - mean) / (a + b + 1), self.source, round(right + wrong))

    def read_many(self, views: Sequence[ProblemView], step: int) -> list[Belief | None]:
        """Return what is believed of several problems, in their order."""
        return [self.read(view, step) for view in views]

    def _aged(self, past: PastOutcomes, step: int) -> tuple[float, float]:
        kept = 0.5 ** ((step - past.step) / self._settings.half_life)
        return past.right * kept, past.wrong * kept

    def observe(self, outcomes: Iterable[GroupOutcome], step: int) -> None:
        """Take in the outcomes of a step."""
        for name, right, judged in outcomes:
            if judged:
                before = self._past.get(name, PastOutcomes(0.0, 0.0, step))
                old_right, old_wrong = self._aged(before, step)
                wrong = judged - right
                self._past[name] = PastOutcomes(old_right + right, old_wrong + wrong, step)
                self._right, self._wrong = self._right + right, self._wrong + wrong

    def metrics(self) -> dict[str, float]:
        """Return ``reader/problems``, those that have been tried."""
        return {"reader/problems": float(len(self._past))}

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        rows = [_PastRow(name, *past) for name, past in self._past.items()]
        return _State(problems=rows, right=self._right, wrong=self._wrong).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of a history.
        """
        read = _State.from_dict(state)
        self._past = {r.problem_id: PastOutcomes(r.right, r.wrong, r.step) for r in read.problems}
        self._right, self._wrong = read.right, read.wrong
