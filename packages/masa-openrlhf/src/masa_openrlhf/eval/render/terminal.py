"""What a person sees of an evaluation: a bar while it runs, tables after it."""

from __future__ import annotations

import threading
from collections import Counter

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from masa_openrlhf.eval.evaluation import QuestionTask
from masa_openrlhf.eval.render.columns import (
    COMPARED_COLUMNS,
    META_COLUMNS,
    TextTable,
    list_mean_rows,
    list_meta_rows,
    list_score_columns,
    write_table,
)
from masa_openrlhf.eval.results.comparison import EvaluationComparison
from masa_openrlhf.eval.results.metrics import BenchmarkMetrics
from masa_openrlhf.eval.results.summary import Results

LEGEND = (
    "pass@1: mean over questions of the share of answers that are right · [..]: interval of 95 % "
    "over questions · ±runs: standard deviation of single runs, one answer a question each · "
    "cut off: share of answers that reached the limit of tokens · unreadable: share that states no "
    "answer that can be read; it is wrong"
)
META_LEGEND = (
    "Brier: mean (predicted - right)² , lower is better; (mean): of whoever always says the mean "
    "rate · correl.: of predicted and true pass rate · within: predicted lengths within those of "
    "right answers · length error: median, as a share of the right answers' median length · gate: "
    "of skipping questions that are always or never solved"
)


class ProgressBar:
    """A bar of questions; without a terminal a line a benchmark."""

    def __init__(self, console: Console, totals: Counter[str]) -> None:
        self._console, self._left = console, Counter(totals)
        self._tokens = 0
        self._lock = threading.Lock()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[tokens]} tokens"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("questions", total=totals.total(), tokens="0")

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def done(self, task: QuestionTask, tokens: int) -> None:
        """Note that a question is done; called from several threads."""
        with self._lock:
            self._tokens += tokens
            self._left[task.benchmark] -= 1
            self._bar.update(self._task, advance=1, tokens=f"{self._tokens:,}")
            if not self._left[task.benchmark] and not self._console.is_terminal:
                self._console.print(f"{task.benchmark}: all questions are answered")


def render_terminal(results: Results, console: Console) -> None:
    """Print the tables of an evaluation."""
    console.print(_score_table(results))
    console.print(LEGEND, style="dim", highlight=False)
    for one in results.benchmarks:
        if warning := format_warnings(one):
            console.print(
                f"{one.title}: {warning}", style="yellow", highlight=False, soft_wrap=True
            )
    if results.meta:
        console.print(_meta_table(results))
        console.print(META_LEGEND, style="dim", highlight=False)
        for said in list_meta_warnings(results):
            console.print(said, style="yellow", highlight=False, soft_wrap=True)
    if results.unlimited:
        lacking = "; ".join(results.unlimited)
        said = f"programs ran without these limits (--allow-unsandboxed): {lacking}"
        console.print(said, style="bold red", soft_wrap=True)


def format_warnings(one: BenchmarkMetrics) -> str:
    """Say what a reader of the figures must know besides them."""
    said = [f"{count} questions not in the figures: {why}" for why, count in one.left_out.items()]
    if one.judge_failed:
        said.append(f"{one.judge_failed} answers not in the figures: the judge failed on them")
    if one.questions + sum(one.left_out.values()) < one.published:
        said.append(f"{one.questions} of the {one.published} published questions")
    for k, count in one.too_few.items():
        said.append(f"pass@{k} is without {count} questions that have fewer judged answers")
    return "; ".join(said)


def list_meta_warnings(results: Results) -> list[str]:
    """Say what is in none of the figures of meta-awareness."""
    why = "questions not in the figures of meta-awareness: what was said could not be scored"
    return [f"{name}: {one.failed} {why}" for name, one in results.meta.items() if one.failed]


def _score_table(results: Results) -> Table:
    table = _make_table(write_table(list_score_columns(results), results.benchmarks, "terminal"))
    for row in list_mean_rows(results):
        table.add_row(*row, style="bold")
    return table


def _meta_table(results: Results) -> Table:
    return _make_table(write_table(META_COLUMNS, list_meta_rows(results), "terminal"))


def render_comparison_terminal(
    comparison: EvaluationComparison, model: str, console: Console
) -> None:
    """Print how an evaluation compares with another."""
    table = _make_table(write_table(COMPARED_COLUMNS, comparison.benchmarks, "terminal"))
    table.title = f"{model} against {comparison.model_before} ({comparison.before}), pass@1"
    table.title_justify = "left"
    console.print(table)
    for name, (there, here) in comparison.settings.items():
        console.print(f"they differ in {name}: {there} there, {here} here", style="yellow")


def _make_table(text: TextTable) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading, align in zip(text.heads, text.aligns, strict=True):
        table.add_column(heading, justify=align)
    for row in text.rows:
        table.add_row(*row)
    return table
