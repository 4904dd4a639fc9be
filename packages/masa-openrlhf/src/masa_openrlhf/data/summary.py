"""What has to be told of the problems of a run, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from masa_openrlhf.data.problems import LoadedProblems

_SHOWN = 80


def summarise_problems(loaded: LoadedProblems) -> dict[str, Any]:
    """Return how many there are, how they were read, and what is left out, as plain values."""
    return {
        "count": len(loaded.problems),
        "left_out": dict(loaded.left_out),
        "doubtful": dict(loaded.doubtful),
        "first_doubtful": loaded.first_doubtful,
        "unread": loaded.unread,
        "read_as": loaded.read_as,
        "unwrapped": loaded.unwrapped,
        "shared": loaded.shared,
        "scored": len(loaded.scorers),
    }


def describe_problems(summary: Mapping[str, Any], purpose: str) -> list[str]:
    """Say it in lines.

    Args:
        summary: of `summarise_problems`; an older one may lack what is not a count.
        purpose: what they are for, as "train on".
    """
    parts = [f"{summary['count']:,} problems to {purpose}"]
    if read_as := summary.get("read_as"):
        parts.append(f"read as {read_as}")
    if unwrapped := summary.get("unwrapped"):
        parts.append(f"{unwrapped:,} without the instruction around them")
    if scored := summary.get("scored"):
        parts.append(f"{scored:,} judged by their task's own scorer")
    if left_out := summary["left_out"]:
        parts.append(f"left out: {_count_reasons(left_out)}")
    lines = ["; ".join(parts)]
    if doubtful := summary.get("doubtful"):
        unread = summary.get("unread")
        first = summary["first_doubtful"][:_SHOWN]
        lines.append(
            f"of these, {sum(doubtful.values()):,} have a gold answer that only the same text "
            f"matches ({_count_reasons(doubtful)}): the first is {first!r}"
            + (f"; of {unread:,} more it was not looked into" if unread else "")
        )
    if shared := summary.get("shared"):
        lines.append(
            f"all of them begin or end with {shared[:_SHOWN]!r}: an instruction in the data stands "
            "beside the run's own; data.instruction takes it off"
        )
    return lines


def _count_reasons(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.items())
