"""Filling a batch: which problems leave it, and how many are drawn in their places.

Two rules replace problems. Dynamic sampling (DAPO) replaces every problem whose solutions all
agree: its group has no variance, and gives no gradient. Refill replaces those that the gate
skipped. What is drawn, and in which order episodes come, does not depend on which of them is done
first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from masa_control.episode.types import Episode

Ref = TypeVar("Ref", bound=Hashable)


@dataclass(frozen=True, slots=True)
class RefillRules:
    """When a problem is replaced.

    Attributes:
        size: problems of a full batch, >= 1.
        dynamic: dynamic sampling: problems whose solutions all agree, or could not be judged, are
            replaced and not trained on.
        limit: where skipped problems are replaced: problems drawn a step, at most; None: they are
            not replaced, and leave a gap.
        ahead: times as many problems are drawn at once as are missing, >= 1. At 1 each is replaced
            as soon as it falls out; above, when all that were drawn are done.
    """

    size: int
    dynamic: bool = False
    limit: int | None = None
    ahead: float = 1.0

    @property
    def replaces(self) -> bool:
        """Whether any problem is replaced."""
        return self.dynamic or self.limit is not None

    @property
    def in_rounds(self) -> bool:
        """Whether replacements are drawn together, once all that were drawn are done."""
        return self.ahead > 1 and self.replaces

    def discards(self, episode: Episode) -> bool:
        """Whether dynamic sampling takes the problem out of the batch."""
        return self.dynamic and episode.pass_rate in (None, 0.0, 1.0)

    def falls_out(self, episode: Episode, drawn: int) -> bool:
        """Whether another problem is to be drawn for it.

        Args:
            episode: of the problem.
            drawn: problems drawn in this step so far.
        """
        refilled = self.limit is not None and episode.skipped is not None and drawn < self.limit
        return self.discards(episode) or refilled

    def count_draw(self, missing: int, drawn: int) -> int:
        """Return how many problems to draw together for so many places; at least 0.

        Args:
            missing: places to be filled.
            drawn: problems drawn in this step so far.
        """
        many = math.ceil(self.ahead * missing)
        if self.limit is not None and not self.dynamic:
            many = min(many, self.limit - drawn)
        return max(many, 0)


@dataclass(frozen=True, slots=True)
class FilledBatch:
    """The episodes of a step, each list in the order in which their problems were drawn.

    Attributes:
        episodes: those of the batch; skipped problems that were not replaced are among them.
        replaced: those that dynamic sampling took out, and those drawn ahead of which there was no
            need.
        played: both.
        is_over: the problems of this pass are used up.
    """

    episodes: list[Episode]
    replaced: list[Episode]
    played: list[Episode]
    is_over: bool


def fill_batch(
    rules: RefillRules,
    start: Callable[[int], tuple[Sequence[Ref], bool]],
    wait: Callable[[Sequence[Ref]], tuple[Ref, Episode]],
) -> FilledBatch:
    """Have problems played until the batch is full, or the problems are used up.

    Args:
        rules: when a problem is replaced.
        start: starts the episodes of so many further problems; returns what stands for each, fewer
            where fewer are left, and whether the problems are used up.
        wait: waits for one of the episodes that are being played, and returns it.
    """
    first = rules.count_draw(rules.size, 0) if rules.in_rounds else rules.size
    refs, over = start(first)
    position = {ref: number for number, ref in enumerate(refs)}
    pending = list(refs)
    done: dict[int, Episode] = {}
    while pending:
        ref, episode = wait(pending)
        pending.remove(ref)
        done[position[ref]] = episode
        drawn = len(position)
        missing = 0
        if not rules.in_rounds:
            missing = int(rules.falls_out(episode, drawn))
        elif not pending:
            kept = sum(not rules.falls_out(one, drawn) for one in done.values())
            missing = rules.count_draw(rules.size - kept, drawn)
        if missing > 0 and not over:
            refs, over = start(missing)
            position.update((ref, drawn + number) for number, ref in enumerate(refs))
            pending += refs
    return _collect_batch(rules, [done[number] for number in sorted(done)], over)


def _collect_batch(rules: RefillRules, played: list[Episode], over: bool) -> FilledBatch:
    """Split what was played into the batch, and what was drawn for nothing."""
    episodes: list[Episode] = []
    replaced: list[Episode] = []
    room = rules.size
    for episode in played:
        too_many = rules.in_rounds and not room and episode.skipped is None
        if rules.discards(episode) or too_many:
            replaced.append(episode)
            continue
        episodes.append(episode)
        room -= room > 0 and episode.skipped is None
    return FilledBatch(episodes, replaced, played, over)
