"""The figures as a table in Markdown, a column a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from masa_rewards.statistics import Interval

from masa_benchmarks.awareness.figures import AwarenessFigures
from masa_benchmarks.markdown import format_interval, format_table


def render_table(names: Sequence[str], found: Sequence[AwarenessFigures]) -> str:
    """Return the table.

    Args:
        names: of the models.
        found: their figures, in the same order.
    """
    rows = [["", *names]]
    rows += [[title, *(show(one) for one in found)] for title, show in _ROWS]
    return format_table(rows)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _ends(interval: Interval | None) -> str:
    return "-" if interval is None else format_interval(*interval) or "-"


def _percents(interval: Interval) -> str:
    return format_interval(*(None if end is None else 100 * end for end in interval), form=".1f")


def _gate(found: AwarenessFigures) -> str:
    gate = found.gate
    if not gate.skipped:
        return f"0 of {gate.to_skip}"
    return f"{gate.skipped} skipped, {gate.both} rightly, of {gate.to_skip}"


_ROWS: tuple[tuple[str, Callable[[AwarenessFigures], str]], ...] = (
    ("questions", lambda f: str(f.questions)),
    ("pass@1, %", lambda f: _percents(f.pass_at_1)),
    ("solved sometimes", lambda f: _percent(f.solved_sometimes)),
    ("never solved", lambda f: _percent(f.never)),
    ("answers truncated", lambda f: _percent(f.truncated)),
    ("answers that cannot be read", lambda f: _percent(f.unparsable)),
    (
        "predictions with readable pass rate, length, notions",
        lambda f: ", ".join(map(_percent, f.readable)),
    ),
    ("mean predicted pass rate", lambda f: _percent(f.predicted)),
    ("Brier score", lambda f: _ends(f.brier)),
    ("Brier score of the mean pass rate", lambda f: _number(f.brier_of_mean)),
    ("correlation of predicted and true pass rate", lambda f: _ends(f.correlation)),
    ("length error (median)", lambda f: _percent(f.length_error)),
    ("the paper's gate, of questions without variance", _gate),
    ("answer tokens on questions without variance", lambda f: _percent(f.dead_tokens)),
    ("tokens that gate would save, predictions counted", lambda f: _percent(f.saved_tokens)),
)
