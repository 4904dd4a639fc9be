"""What has been made, and what it was good for: counts over a whole run.

A method that saves tokens has to show them, and a reward that is silently 0 has to be seen: every
token, every verdict and every unreadable prediction is counted here, by kind and by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import model_validator

from masa_control.episode.types import Episode
from masa_control.measures.audit import ConfusionCounts, SavedCounts, SavingsEstimate
from masa_control.measures.decision_counts import (
    count_cutoff,
    count_gate,
    count_waves,
    estimate_cutoff_savings,
    estimate_gate_savings,
    estimate_wave_savings,
)
from masa_control.state import Count, SavedState

Decision = Literal["gate", "cutoff", "waves"]

_DECISION_COUNTERS: dict[Decision, Any] = {
    "gate": (count_gate, estimate_gate_savings),
    "cutoff": (count_cutoff, estimate_cutoff_savings),
    "waves": (count_waves, estimate_wave_savings),
}
_ALWAYS_SAVED: tuple[Decision, ...] = ("gate", "cutoff")


class _State(SavedState):
    state_of = "ledger"
    version = 2

    counts: dict[str, Count]
    tallies: dict[Decision, SavedCounts]
    saved: dict[Decision, SavingsEstimate]

    @model_validator(mode="after")
    def _has_all_decisions(self) -> _State:
        for found in (self.tallies, self.saved):
            if not set(_ALWAYS_SAVED) <= set(found) or set(self.tallies) != set(self.saved):
                raise ValueError(f"{sorted(_ALWAYS_SAVED)!r} are needed, got {sorted(found)!r}")
        return self


class Ledger:
    """Running totals of a run: tokens by kind, rollouts, verdicts, decisions and their worth.

    The keys of ``metrics()`` are ``ledger/<what>``; every value counts from the start of the run,
    across resumes.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._start_tallies()

    def _start_tallies(self) -> None:
        self._tallies = {name: ConfusionCounts() for name in _DECISION_COUNTERS}
        self._saved = {name: SavingsEstimate() for name in _DECISION_COUNTERS}

    def observe(self, episode: Episode) -> None:
        """Add one episode to the totals."""
        add = self._counts
        add["problems"] += 1
        add["solution_rollouts"] += len(episode.solutions)
        add["meta_rollouts"] += len(episode.meta)
        for solution in episode.solutions:
            add["solution_tokens"] += len(solution.completion.token_ids)
            add[f"verdict_{solution.verdict.status}"] += 1
        for meta in episode.meta:
            add["meta_tokens"] += len(meta.completion.token_ids)
            for component, reason in meta.prediction.missing.items():
                add[f"unreadable_{component}_{reason}"] += 1
            for key, signal in meta.signals.items():
                add[f"unreadable_signal_{key}"] += signal.prediction is None
        self._decided(episode)

    def _decided(self, episode: Episode) -> None:
        add, plan = self._counts, episode.plan
        if episode.skipped is not None:
            add[f"skipped_{episode.skipped}"] += 1
        if plan is not None:
            add["planned"] += 1
            add["gate_audits"] += plan.gate_audited
            add["cutoff_audits"] += plan.cutoff_audited
            add["hinted"] += bool(plan.hint)
            add["undecided_predictions"] += plan.gate is not None and plan.gate.mean is None
        if episode.waves is not None:
            add["groups_in_waves"] += 1
            add["groups_stopped"] += episode.waves.stopped_at is not None
            add["wave_audits"] += episode.waves.audited
            add["rollouts_unmade"] += episode.unmade
        cut = sum(s.cut is not None for s in episode.solutions)
        if cut:
            add["rollouts_cut"] += cut
            add["groups_cut_whole"] += cut == len(episode.solutions)
        for name, (tally, spared) in _DECISION_COUNTERS.items():
            self._tallies[name] += tally(episode)
            self._saved[name] += spared(episode)

    def cloned(self, lengths: Sequence[int]) -> None:
        """Add the experts that were cloned in a step, by their lengths in tokens."""
        self._counts["cloned_sequences"] += len(lengths)
        self._counts["cloned_tokens"] += sum(lengths)

    def without_update(self) -> None:
        """Add a step of which nothing was left to train on."""
        self._counts["steps_without_update"] += 1

    def metrics(self) -> dict[str, float]:
        """Return the totals as ``{"ledger/<what>": count}``.

        Of gate, cutoff and waves, once they decide: precision, recall and F1 with the ends of their
        intervals, and the tokens they saved. ``tallies`` has the sums they come from.
        """
        found = {f"ledger/{name}": float(count) for name, count in sorted(self._counts.items())}
        for name, tally in self._tallies.items():
            total = self._saved[name]
            if tally != ConfusionCounts():
                found |= tally.figures(f"ledger/{name}")
                for end, value in zip(("", "_low", "_high"), total.interval, strict=True):
                    if value is not None:
                        found[f"ledger/{name}_tokens_saved{end}"] = value
        return found

    @property
    def tallies(self) -> dict[str, ConfusionCounts]:
        """What gate, cutoff and waves have decided since the run began; empty before they decide.

        Those of two steps subtracted are those of the steps between.
        """
        return {name: tally for name, tally in self._tallies.items() if tally != ConfusionCounts()}

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on counting."""
        names = [
            name
            for name in _DECISION_COUNTERS
            if name in _ALWAYS_SAVED or self._counts["groups_in_waves"]
        ]
        return _State(
            counts=dict(self._counts),
            tallies={name: self._tallies[name] for name in names},
            saved={name: self._saved[name] for name in names},
        ).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: the state is not a ledger's, or of another version.
        """
        read = _State.from_dict(state)
        self._start_tallies()
        self._tallies |= read.tallies
        self._saved |= read.saved
        # 0.1.0 counted "unread_<component>".
        self._counts = Counter(
            {name.replace("unread_", "unreadable_", 1): n for name, n in read.counts.items()}
        )
