"""In how many right and wrong solutions of a step each predicted notion stood."""

from __future__ import annotations

from collections.abc import Sequence

from masa_rewards.notions.phrases import Phrase
from masa_rewards.notions.rules import NotionCount

from masa_control.episode.types import Episode


def count_step_notions(
    episodes: Sequence[Episode], limit: int | None = None
) -> dict[str, NotionCount]:
    """Add up the counts of the predicted notions over problems.

    Args:
        episodes: with their ``notion_counts``; without, there is nothing to add.
        limit: keep so many notions, those that stood in most solutions; None: all.

    Returns:
        Notion (its lemmas, as "vieta formula") -> counts over the problems that it was predicted
        for, and does not stand in itself; those that stood in most solutions first. One that stood
        in none is kept: it was predicted and not used.
    """
    totals: dict[Phrase, NotionCount] = {}
    for episode in episodes:
        for phrase, count in episode.notion_counts.items():
            if phrase:
                before = totals.get(phrase, NotionCount(0, 0, 0, 0))
                added = (a + b for a, b in zip(before, count, strict=True))
                totals[phrase] = NotionCount(*added)
    ranked = sorted(totals.items(), key=lambda item: (-item[1].correct - item[1].incorrect, item))
    return {" ".join(phrase): count for phrase, count in ranked[:limit]}
