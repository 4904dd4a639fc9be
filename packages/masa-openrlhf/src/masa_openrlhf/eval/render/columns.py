"""The columns of the result tables: one list each, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from masa_rewards.statistics import Interval

from masa_openrlhf.eval.results.comparison import BenchmarkComparison
from masa_openrlhf.eval.results.meta_awareness import MetaAwarenessMetrics
from masa_openrlhf.eval.results.metrics import BenchmarkMetrics
from masa_openrlhf.eval.results.summary import Results

R = TypeVar("R")
Align = Literal["left", "right"]
Medium = Literal["terminal", "page"]


@dataclass(frozen=True)
class Column(Generic[R]):
    """A column of a table whose rows are of type R.

    Attributes:
        name: its heading.
        get: takes its value of a row.
        format: writes the value.
        align: where its texts stand. A page's style has it too: first column left, others right.
        terminal: its heading in a terminal, where that is another. Neighbours that share it share
            a cell there, with slashes between.
        only: the medium that has it; None for both.
    """

    name: str
    get: Callable[[R], Any]
    format: Callable[[Any], str] = str
    align: Align = "right"
    terminal: str | None = None
    only: Medium | None = None


class TextTable(NamedTuple):
    """A table as text.

    Attributes:
        heads: a heading a column.
        aligns: where its texts stand.
        rows: a text a column.
    """

    heads: list[str]
    aligns: list[Align]
    rows: list[list[str]]


class MetaRow(NamedTuple):
    """Meta-awareness on one benchmark.

    Attributes:
        name: of the benchmark.
        title: as the paper has it.
        figures: what was measured.
    """

    name: str
    title: str
    figures: MetaAwarenessMetrics


def write_table(columns: Sequence[Column[R]], rows: Sequence[R], medium: Medium) -> TextTable:
    """Write a table as text.

    Args:
        columns: all of them; those of the other medium alone are left out.
        rows: what they take their values of.
        medium: where it is to be shown.
    """
    shown = [column for column in columns if column.only in (None, medium)]
    if medium == "page":
        cells = [(column.name, [column]) for column in shown]
    else:
        grouped = groupby(shown, key=lambda column: column.terminal or column.name)
        cells = [(heading, list(group)) for heading, group in grouped]
    return TextTable(
        [heading for heading, _ in cells],
        [group[0].align for _, group in cells],
        [[" / ".join(c.format(c.get(row)) for c in group) for _, group in cells] for row in rows],
    )


def format_interval(found: Interval | None) -> str:
    """Write a share and its interval in percent, "56.1 [50.2, 62.0]"."""
    return _format_interval(found, "")


def format_gain(found: Interval | None) -> str:
    """Write a difference of shares and its interval in percent, with signs."""
    return _format_interval(found, "+")


def _format_interval(found: Interval | None, sign: str) -> str:
    if found is None or found.value is None:
        return "–"
    mean = format(100 * found.value, f"{sign}.1f")
    if found.low is None or found.high is None:
        return mean
    return f"{mean} [{100 * found.low:{sign}.1f}, {100 * found.high:{sign}.1f}]"


def format_share(value: float | None) -> str:
    """Write a share in percent, or a dash for none."""
    return "–" if value is None else f"{100 * value:.1f}"


def number_format(form: str) -> Callable[[float | None], str]:
    """Return what writes a number in a form, or a dash for none.

    Args:
        form: as of ``format``.
    """
    return lambda value: "–" if value is None else format(value, form)


def list_score_columns(results: Results) -> list[Column[BenchmarkMetrics]]:
    """Return the columns of the scores, one for each k of Pass@k among them."""
    ks = sorted({int(k) for one in results.benchmarks for k in one.pass_at})
    return [
        Column("benchmark", lambda one: one.title, align="left"),
        Column("questions", lambda one: one.questions),
        *(_pass_at_column(k) for k in ks),
        Column("±runs", lambda one: one.spread.std, format_share),
        Column(
            "tokens an answer",
            lambda one: one.mean_tokens,
            number_format(",.0f"),
            terminal="tokens",
        ),
        Column("cut off", lambda one: one.truncated, format_share),
        Column("unreadable", lambda one: one.unparsable, format_share),
    ]


def _pass_at_column(k: int) -> Column[BenchmarkMetrics]:
    return Column(f"pass@{k}", lambda one: one.pass_at.get(str(k)), format_interval)


def list_mean_rows(results: Results) -> list[list[str]]:
    """Return the rows below the scores: the mean of each family."""
    return [[f"mean, {name}", "", format_share(mean)] for name, mean in results.means.items()]


def list_meta_rows(results: Results) -> list[MetaRow]:
    """Return the rows of meta-awareness."""
    titles = {one.benchmark: one.title for one in results.benchmarks}
    return [MetaRow(name, titles.get(name, name), one) for name, one in results.meta.items()]


def _unreadable_share(figures: MetaAwarenessMetrics) -> float | None:
    unreadable = sum(figures.unreadable.get("pass_rate", {}).values())
    return unreadable / figures.predictions if figures.predictions else None


def _within_share(figures: MetaAwarenessMetrics) -> float | None:
    length = figures.length
    return length.within / length.predictions if length.predictions else None


_THREE_DIGITS, _TWO_DIGITS = number_format(".3f"), number_format(".2f")
_GATE = "gate P / R / F1"

META_COLUMNS: tuple[Column[MetaRow], ...] = (
    Column("meta-awareness", lambda row: row.title, align="left", only="terminal"),
    Column("benchmark", lambda row: row.name, align="left", only="page"),
    Column("predictions", lambda row: row.figures.predictions),
    Column("unreadable", lambda row: _unreadable_share(row.figures), format_share, only="terminal"),
    Column("Brier", lambda row: row.figures.pass_rate.error.brier, _THREE_DIGITS),
    Column(
        "of the mean",
        lambda row: row.figures.pass_rate.baseline.brier,
        _THREE_DIGITS,
        terminal="(mean)",
    ),
    Column(
        "correlation",
        lambda row: row.figures.pass_rate.correlation,
        number_format("+.2f"),
        terminal="correl.",
    ),
    Column("within", lambda row: _within_share(row.figures), format_share, only="terminal"),
    Column("length error", lambda row: row.figures.length_error, format_share),
    Column("gate precision", lambda row: row.figures.gate.precision, _TWO_DIGITS, terminal=_GATE),
    Column("recall", lambda row: row.figures.gate.recall, _TWO_DIGITS, terminal=_GATE),
    Column("F1", lambda row: row.figures.gate.f1, _TWO_DIGITS, terminal=_GATE),
)

COMPARED_COLUMNS: tuple[Column[BenchmarkComparison], ...] = (
    Column("benchmark", lambda one: one.benchmark, align="left"),
    Column("questions", lambda one: one.questions),
    Column("before", lambda one: one.before, format_share),
    Column("now", lambda one: one.now, format_share),
    Column("gain", lambda one: one.gain, format_gain, terminal="gain [95 %]"),
    Column("better", lambda one: one.better, terminal="better / worse"),
    Column("worse", lambda one: one.worse, terminal="better / worse"),
    Column("unpaired", lambda one: one.unpaired, only="terminal"),
)
