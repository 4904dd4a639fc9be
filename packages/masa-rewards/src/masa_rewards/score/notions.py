"""Best and worst notions: which go with correct rollouts, problem by problem?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from masa_rewards.notions.phrases import Phrase
from masa_rewards.notions.rules import NotionCount
from masa_rewards.score.report import NotionReport, NotionRow
from masa_rewards.score.scored_line import ScoredLine
from masa_rewards.score.settings import ScoreSettings
from masa_rewards.statistics import wilson_bounds

MAX_NOTIONS = 200_000
"""More different notions are not kept: those of fewest problems are forgotten, and counted."""

_SHOWN = 80


@dataclass(slots=True)
class _NotionEntry:
    """One notion over all problems so far."""

    form: str = ""
    votes: int = 0
    predictions: int = 0
    problems: int = 0
    rewarded: int = 0
    correct: int = 0
    all_correct: int = 0
    incorrect: int = 0
    all_incorrect: int = 0

    def name(self, form: str) -> None:
        """Count one mention. `form` ends up as what most wrote (Boyer and Moore's majority)."""
        self.predictions += 1
        form = form[:_SHOWN]
        if not self.votes:
            self.form = form
        self.votes += 1 if self.form == form else -1

    def count(self, count: NotionCount, rewarded: bool) -> None:
        self.problems += 1
        self.rewarded += rewarded
        self.correct += count.correct
        self.all_correct += count.all_correct
        self.incorrect += count.incorrect
        self.all_incorrect += count.all_incorrect

    def row(self) -> NotionRow:
        return NotionRow(
            notion=self.form,
            predictions=self.predictions,
            problems=self.problems,
            rewarded=self.rewarded,
            correct=self.correct / self.all_correct if self.all_correct else None,
            incorrect=self.incorrect / self.all_incorrect if self.all_incorrect else None,
        )


class NotionTally:
    """Sums what the tables of notions need."""

    def __init__(self, settings: ScoreSettings, *, most: int = MAX_NOTIONS) -> None:
        self._rules = settings.notion_rules
        self._top = settings.top
        self._most = most
        # By the hash of the phrase: a phrase of a model can be of any length.
        self._entries: dict[int, _NotionEntry] = {}
        self._left_out: Counter[str] = Counter()
        self._forgotten = 0

    def add(self, judged: ScoredLine) -> None:
        """Add the notions of one problem."""
        if not judged.group.rollouts:
            return
        phrases: set[Phrase] = set()
        for named in judged.named:
            phrases |= named.keys()
            for phrase, form in named.items():
                self._entries.setdefault(hash(phrase), _NotionEntry()).name(form)
        for phrase in phrases:
            if (count := judged.notions.get(phrase)) is not None:
                self._entries[hash(phrase)].count(count, self._rules.rewards(count))
            else:
                admitted = self._rules.admit(phrase)
                self._left_out["in_problem" if admitted else "not_admitted"] += 1
        if len(self._entries) > self._most:
            self._forget()

    def report(self) -> NotionReport:
        """What it comes to."""
        counted = [entry for entry in self._entries.values() if entry.problems]
        mostly_rewarded = [entry for entry in counted if 2 * entry.rewarded > entry.problems]
        others = [entry for entry in counted if 2 * entry.rewarded <= entry.problems]
        return NotionReport(
            distinct=len(self._entries),
            best=self._first(
                mostly_rewarded, lambda entry: _lower_bound(entry.rewarded, entry.problems)
            ),
            worst=self._first(
                others, lambda entry: _lower_bound(entry.problems - entry.rewarded, entry.problems)
            ),
            in_problem=self._left_out["in_problem"],
            not_admitted=self._left_out["not_admitted"],
            forgotten=self._forgotten,
        )

    def _first(
        self, entries: Iterable[_NotionEntry], sureness: Callable[[_NotionEntry], float]
    ) -> tuple[NotionRow, ...]:
        ranked = sorted(entries, key=lambda entry: (-sureness(entry), entry.form))
        return tuple(entry.row() for entry in ranked[: self._top])

    def _forget(self) -> None:
        """Keep half of the most, those of most problems; of equals the first."""
        ranked = sorted(self._entries.items(), key=lambda item: -item[1].problems)
        kept = dict(ranked[: max(1, self._most // 2)])
        self._forgotten += len(self._entries) - len(kept)
        self._entries = kept


def _lower_bound(successes: int, trials: int) -> float:
    """Wilson's lower bound of a share, which ranks 9 of 10 above 1 of 1."""
    return wilson_bounds(successes / trials, trials).low
