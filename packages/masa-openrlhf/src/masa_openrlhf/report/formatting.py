"""Numbers as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence

DASH = "–"


def format_number(value: float | None, form: str = ".2f") -> str:
    """Return a number; a dash where there is none."""
    return DASH if value is None else format(value, form)


def format_percent(value: float | None) -> str:
    """Return a share as a percentage with one decimal."""
    return DASH if value is None else f"{100 * value:.1f} %"


def format_points(value: float) -> str:
    """Return a difference of two shares, in percentage points."""
    return f"{100 * value:+.1f} points"


def format_amount(value: float | None) -> str:
    """Return a count with three figures: 950, 12.3 thousand, 4.56 million, 1.2 billion."""
    if value is None:
        return DASH
    for size, name in ((1e9, " billion"), (1e6, " million"), (1e4, " thousand")):
        if abs(value) >= size:
            scaled = value / (1e3 if size == 1e4 else size)
            return f"{scaled:.3g}{name}" if abs(scaled) < 1000 else f"{scaled:,.0f}{name}"
    return f"{value:,.0f}"


def format_interval(low: float | None, high: float | None, form: str = ".2f") -> str:
    """Return the ends of an interval in brackets, nothing where there is none."""
    if low is None or high is None:
        return ""
    return f" [{low:{form}}, {high:{form}}]"


def join_words(words: Sequence[str]) -> str:
    """Return words as a list: a, b and c."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def format_title(whose: str, text: str) -> str:
    """Return a title: whose it is first, where there are several; else with a capital."""
    return f"{whose}: {text}" if whose else text[:1].upper() + text[1:]


def format_count(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: 1 run, 3 runs."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
