"""What has been made, and what it was good for: counts over a whole run.

A method that saves tokens has to show them, and a reward that is silently 0 has to be seen: every
token, every verdict and every unreadable prediction is counted here, by kind and by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from masa_control.episode import Episode

_VERSION = 1


class Ledger:
    """Running totals of a run: tokens by kind, rollouts, verdicts, unreadable predictions.

    The keys of ``metrics()`` are ``ledger/<what>``; every value counts from the start of the run,
    across resumes.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

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

    def metrics(self) -> dict[str, float]:
        """Return the totals as ``{"ledger/<what>": count}``."""
        return {f"ledger/{name}": float(count) for name, count in sorted(self._counts.items())}

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on counting."""
        return {"version": _VERSION, "counts": dict(self._counts)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: the state is not a ledger's, or of another version.
        """
        if state.get("version") != _VERSION or not isinstance(state.get("counts"), Mapping):
            raise ValueError(
                f"not a ledger state of version {_VERSION}: {dict(state)!r}; "
                "resume with the version of masa-control that wrote the checkpoint"
            )
        self._counts = Counter({str(k): int(v) for k, v in state["counts"].items()})
