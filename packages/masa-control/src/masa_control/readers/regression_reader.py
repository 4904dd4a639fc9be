"""The readers that are fitted: a regression on the words of a problem, or on hidden states."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from masa_control.episode.belief import Belief
from masa_control.readers.arrays import EncodedArray, decode_array, encode_array
from masa_control.readers.features import (
    FeatureRow,
    HiddenFeatures,
    LinearKernel,
    TokenBag,
    TokenFeatures,
    count_tokens,
)
from masa_control.readers.protocol import GroupOutcome, ProblemView
from masa_control.readers.regression import (
    Array,
    FittedRegression,
    compute_rate_moments,
    fit_regression,
)
from masa_control.readers.settings import (
    ProbeReaderSettings,
    RegressionSettings,
    WordsReaderSettings,
)
from masa_control.state import Count, SavedState

_Seen = TypeVar("_Seen")
Positive = Annotated[int, Field(strict=True, ge=1)]


class ObservedGroup(NamedTuple, Generic[_Seen]):
    """A problem as it was read, and what became of it.

    Attributes:
        seen: what was read of it.
        right: correct solutions.
        judged: solutions that are right or wrong, > 0.
    """

    seen: _Seen
    right: int
    judged: int


@dataclass(frozen=True)
class _Fit:
    """A regression on the groups of the window, and what it takes to ask it."""

    features: TokenFeatures | HiddenFeatures
    matrix_N_D: Array
    kernel: LinearKernel
    posterior: FittedRegression

    def believe(self, rows: Sequence[FeatureRow], source: str) -> list[Belief | None]:
        """What is believed of at least one problem."""
        cross_Q_N = self.kernel.between(np.stack([row.known_D for row in rows]), self.matrix_N_D)
        own_Q = np.array([self.kernel.own(row) for row in rows])
        moments = compute_rate_moments(self.posterior.predict_logits(cross_Q_N, own_Q))
        return [
            Belief(mean, min(variance, mean * (1 - mean)), source, seen=len(self.matrix_N_D))
            for mean, variance in zip(
                moments.mean_Q.tolist(), moments.variance_Q.tolist(), strict=True
            )
        ]


class RegressionReader(Generic[_Seen]):
    """Fits how often problems were solved to what they look like, on a window of groups.

    It is fitted anew after each step, from the window alone: a reader that goes on from a saved
    state believes what one believes that never stopped.

    Args:
        settings: window, penalty, how many groups are needed.
    """

    source: Literal["words", "probe"]

    def __init__(self, settings: RegressionSettings) -> None:
        self._settings = settings
        self._groups: deque[ObservedGroup[_Seen]] = deque(maxlen=settings.window)
        self._pending: dict[str, _Seen] = {}
        self._fit: _Fit | None = None

    # -- what differs between words and hidden states ----------------------------------------------

    def _see(self, view: ProblemView) -> _Seen:
        raise NotImplementedError

    def _make_features(self, seen: Sequence[_Seen]) -> tuple[TokenFeatures | HiddenFeatures, Array]:
        raise NotImplementedError

    def _make_row(self, features: Any, seen: _Seen) -> FeatureRow:
        row: FeatureRow = features.row(seen)
        return row

    # -- what does not -----------------------------------------------------------------------------

    def read(self, view: ProblemView, step: int) -> Belief | None:
        """Return what is believed of a problem; None before ``min_groups`` are known.

        Args:
            view: the problem; what it looks like is kept until ``observe``.
            step: not used: older groups leave the window by number.
        """
        return self.read_many([view], step)[0]

    def read_many(self, views: Sequence[ProblemView], step: int) -> list[Belief | None]:
        """Return what is believed of several problems, in their order; one product of matrices."""
        seen = [self._see(view) for view in views]
        self._pending |= {view.problem_id: one for view, one in zip(views, seen, strict=True)}
        fit = self._current_fit()
        if fit is None or not views:
            return [None] * len(views)
        return fit.believe([self._make_row(fit.features, one) for one in seen], self.source)

    def observe(self, outcomes: Iterable[GroupOutcome], step: int) -> None:
        """Take in the outcomes of a step.

        A problem that was not read, or of which no solution could be judged, is passed over.
        """
        for outcome in outcomes:
            seen = self._pending.get(outcome.problem_id)
            if seen is not None and outcome.judged:
                self._groups.append(ObservedGroup(seen, outcome.right, outcome.judged))
        self._pending, self._fit = {}, None

    def _current_fit(self) -> _Fit | None:
        if self._fit is None and len(self._groups) >= self._settings.min_groups:
            features, matrix_N_D = self._make_features([group.seen for group in self._groups])
            kernel = LinearKernel.of(matrix_N_D.shape[1], self._settings.l2)
            posterior = fit_regression(
                kernel.between(matrix_N_D, matrix_N_D),
                np.array([group.right for group in self._groups], dtype=np.float64),
                np.array([group.judged for group in self._groups], dtype=np.float64),
            )
            self._fit = _Fit(features, matrix_N_D, kernel, posterior)
        return self._fit

    def metrics(self) -> dict[str, float]:
        """Return ``reader/groups``, how many are in the window."""
        return {"reader/groups": float(len(self._groups))}


class _WordsRow(NamedTuple):
    ids: tuple[Count, ...]
    counts: tuple[Positive, ...]
    right: Count
    judged: Positive


class _WordsState(SavedState):
    state_of = "words reader"

    groups: list[_WordsRow]

    @model_validator(mode="after")
    def _adds_up(self) -> _WordsState:
        for row in self.groups:
            if len(row.ids) != len(row.counts) or row.right > row.judged:
                raise ValueError(f"no group of rollouts: {row!r:.200}")
        return self


class WordsReader(RegressionReader[TokenBag]):
    """Regression on how often each token stands in the solution prompt.

    Args:
        settings: window, penalty, how many groups are needed.
    """

    source = "words"

    def __init__(self, settings: WordsReaderSettings | None = None) -> None:
        super().__init__(settings or WordsReaderSettings())

    def _see(self, view: ProblemView) -> TokenBag:
        if not view.prompt_ids:
            raise ValueError(
                f"the reader of words needs the tokens of the prompt of {view.problem_id!r}"
            )
        return count_tokens(view.prompt_ids)

    def _make_features(self, seen: Sequence[TokenBag]) -> tuple[TokenFeatures, Array]:
        return TokenFeatures.of(seen)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        rows = [_WordsRow(*group.seen, group.right, group.judged) for group in self._groups]
        return _WordsState(groups=rows).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of a reader of words.
        """
        rows = _WordsState.from_dict(state).groups
        groups = [ObservedGroup(TokenBag(r.ids, r.counts), r.right, r.judged) for r in rows]
        self._groups = deque(groups, maxlen=self._settings.window)
        self._pending, self._fit = {}, None


class _HiddenRow(NamedTuple):
    hidden: EncodedArray
    right: Count
    judged: Positive


class _ProbeState(SavedState):
    state_of = "probe"

    groups: list[_HiddenRow]

    @model_validator(mode="after")
    def _adds_up(self) -> _ProbeState:
        if any(row.right > row.judged for row in self.groups):
            raise ValueError("a group has more right solutions than judged ones")
        if len({len(row.hidden) for row in self.groups}) > 1:
            raise ValueError("hidden states of different sizes")
        return self


class ProbeReader(RegressionReader[NDArray[np.float32]]):
    """Regression on the policy's hidden states over the solution prompt.

    Args:
        settings: window, penalty, how many groups are needed.
    """

    source = "probe"

    def __init__(self, settings: ProbeReaderSettings | None = None) -> None:
        super().__init__(settings or ProbeReaderSettings())

    def _see(self, view: ProblemView) -> NDArray[np.float32]:
        if view.hidden_D is None:
            raise ValueError(f"the probe needs hidden states of {view.problem_id!r}, and has none")
        hidden_D = np.asarray(view.hidden_D, dtype=np.float32)
        if hidden_D.ndim != 1 or not np.isfinite(hidden_D).all():
            raise ValueError(
                f"hidden states of {view.problem_id!r} must be finite and of shape (D,), got shape "
                f"{hidden_D.shape!r}"
            )
        if self._groups and len(hidden_D) != len(self._groups[0].seen):
            raise ValueError(
                f"hidden states of {view.problem_id!r} have {len(hidden_D)} features, those before "
                f"had {len(self._groups[0].seen)}: the model and reader.depths cannot change "
                "within a run; start a new one"
            )
        return hidden_D

    def _make_features(self, seen: Sequence[NDArray[np.float32]]) -> tuple[HiddenFeatures, Array]:
        return HiddenFeatures.of(seen)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on: 4 bytes and a third a feature and group."""
        rows = [_HiddenRow(encode_array(g.seen), g.right, g.judged) for g in self._groups]
        return _ProbeState(groups=rows).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of a probe.
        """
        rows = _ProbeState.from_dict(state).groups
        groups = [ObservedGroup(decode_array(r.hidden), r.right, r.judged) for r in rows]
        self._groups = deque(groups, maxlen=self._settings.window)
        self._pending, self._fit = {}, None
