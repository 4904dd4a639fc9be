"""What has been made, and what it was good for: counts over a whole run.

A method that saves tokens has to show them, and a reward that is silently 0 has to be seen: every
token, every verdict and every unreadable prediction is counted here, by kind and by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from masa_control.episode.types import Episode
from masa_control.measures.audit import Tally, Total
from masa_control.measures.decision_counts import cutoff_saved, cutoff_tally, gate_saved, gate_tally
from masa_control.state import entries, restored, saved, sums, whole

_DECISIONS = {"gate": (gate_tally, gate_saved), "cutoff": (cutoff_tally, cutoff_saved)}


class Ledger:
    """Running totals of a run: tokens by kind, rollouts, verdicts, decisions and their worth.

    The keys of ``metrics()`` are ``ledger/<what>``; every value counts from the start of the run,
    across resumes.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._tallies = {name: Tally() for name in _DECISIONS}
        self._saved = {name: Total() for name in _DECISIONS}

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
                add[f"unread_{component}_{reason}"] += 1
            for key, signal in meta.signals.items():
                add[f"unread_signal_{key}"] += signal.prediction is None
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
        cut = sum(s.cut is not None for s in episode.solutions)
        if cut:
            add["rollouts_cut"] += cut
            add["groups_cut_whole"] += cut == len(episode.solutions)
        for name, (tally, spared) in _DECISIONS.items():
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

        Of gate and cutoff, once they decide: precision, recall and F1 with the ends of their
        intervals, the sums they come from (``Tally.from_metrics`` reads them back, and those of two
        steps subtracted are those of the steps between), and the tokens they saved.
        """
        found = {f"ledger/{name}": float(count) for name, count in sorted(self._counts.items())}
        for name, tally in self._tallies.items():
            total = self._saved[name]
            if tally != Tally():
                found |= tally.metrics(f"ledger/{name}") | tally.figures(f"ledger/{name}")
                for end, value in zip(("", "_low", "_high"), total.interval, strict=True):
                    if value is not None:
                        found[f"ledger/{name}_tokens_saved{end}"] = value
        return found

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on counting."""
        return saved(
            "ledger",
            2,
            counts=dict(self._counts),
            tallies={name: asdict(tally) for name, tally in self._tallies.items()},
            saved={name: asdict(total) for name, total in self._saved.items()},
        )

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: the state is not a ledger's, or of another version.
        """
        counts, tallies, totals = restored("ledger", 2, state, "counts", "tallies", "saved")
        made = entries("the tallies of the ledger", tallies, *_DECISIONS)
        spared = entries("the tokens saved of the ledger", totals, *_DECISIONS)
        fresh = {name: whole(f"the count {name!r}", count) for name, count in counts.items()}
        new_tallies = [sums(Tally, tally) for tally in made]
        new_saved = [sums(Total, total) for total in spared]
        self._tallies = dict(zip(_DECISIONS, new_tallies, strict=True))
        self._saved = dict(zip(_DECISIONS, new_saved, strict=True))
        self._counts = Counter(fresh)
