"""The tables of the nineteen as docs/reference/eval_benchmarks.md has them, which a test compares.

``python -m masa_openrlhf.eval.render.docs_tables`` prints them.
"""

from __future__ import annotations

from masa_openrlhf.eval.benchmarks.entry import Benchmark, BenchmarkSource
from masa_openrlhf.eval.benchmarks.registry import PAPER_BENCHMARKS

_GRADER_LABELS = {
    "maths": "`AnswerVerifier`",
    "choice": "letter in a box",
    "number": "number, within 5 %",
    "literal": "literal, with types",
    "tests": "tests, in the sandbox",
    "cases": "inputs and outputs, in the sandbox",
}


def render_table() -> str:
    """Return the table, and below it where each protocol comes from and what differs."""
    lines = ["| benchmark | name | questions | where it lies | judged by | licence |"]
    lines.append("|---|---|---|---|---|---|")
    lines += map(_render_row, PAPER_BENCHMARKS)
    lines.append("")
    lines += [
        f"- **{entry.title}.** {_to_sentence(entry.protocol)} {entry.notes}"
        for entry in PAPER_BENCHMARKS
    ]
    return "\n".join(lines) + "\n"


ANSWERS, TOKENS = 32, 16_384
"""The paper's settings: answers a question, tokens an answer at most."""

TOKENS_PER_SECOND = (2_500, 10_000, 40_000)
"""Tokens a second, over all GPUs: what an engine makes of a model depends on both."""


def render_costs() -> str:
    """Return what each of the nineteen costs at the paper's settings, at most: arithmetic."""
    heads = [
        "benchmark",
        "answers",
        "tokens at most",
        *(f"h at {s:,}/s" for s in TOKENS_PER_SECOND),
    ]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    counted = [(entry.title, entry.questions) for entry in PAPER_BENCHMARKS]
    for title, questions in [*counted, ("all", sum(count for _, count in counted))]:
        tokens = questions * ANSWERS * TOKENS
        hours = (f"{tokens / speed / 3600:,.1f}" for speed in TOKENS_PER_SECOND)
        cells = [title, f"{questions * ANSWERS:,}", f"{tokens / 1e6:,.0f} M", *hours]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _render_row(entry: Benchmark) -> str:
    cells = (
        entry.title,
        f"`{entry.name}`",
        f"{entry.questions:,}",
        _render_source(entry),
        _GRADER_LABELS[entry.grader],
        entry.licence,
    )
    return f"| {' | '.join(cells)} |"


def _render_source(entry: Benchmark) -> str:
    source = entry.source
    if source.hub is None:
        return source.address
    parts = [f"`{name}`" for name in (source.hub, *(name for name, _ in source.more_hubs))]
    parts += [f"`{name}`" for name in (source.subset, *source.hub_files) if name]
    parts.append(source.split)
    parts.append(_render_revision(source))
    return ", ".join(parts)


def _render_revision(source: BenchmarkSource) -> str:
    if source.revision is None:
        return "newest"
    commits = [f"`{one[:10]}`" for one in (source.revision, *(one for _, one in source.more_hubs))]
    return f"revision{'s' if len(commits) > 1 else ''} {' and '.join(commits)}"


def _to_sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


if __name__ == "__main__":
    print(render_table(), render_costs(), sep="\n", end="")
