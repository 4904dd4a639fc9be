"""The table of the nineteen as docs/evaluation.md has it; a test holds the page to it.

``python -m masa_openrlhf.eval.table_text`` prints it.
"""

from __future__ import annotations

from masa_openrlhf.eval.benchmark import Benchmark, Source
from masa_openrlhf.eval.catalogue import NINETEEN

_JUDGED = {
    "maths": "`AnswerVerifier`",
    "choice": "letter in a box",
    "number": "number, within 5 %",
    "literal": "literal, with types",
    "tests": "tests, in the sandbox",
    "cases": "inputs and outputs, in the sandbox",
}


def table() -> str:
    """Return the table, and below it where each protocol comes from and what differs."""
    lines = ["| benchmark | name | questions | where it lies | judged by | licence |"]
    lines.append("|---|---|---|---|---|---|")
    lines += map(_row, NINETEEN)
    lines.append("")
    lines += [
        f"- **{entry.title}.** {_sentence(entry.protocol)} {entry.notes}" for entry in NINETEEN
    ]
    return "\n".join(lines) + "\n"


def _row(entry: Benchmark) -> str:
    cells = (
        entry.title,
        f"`{entry.name}`",
        f"{entry.questions:,}",
        _where(entry),
        _JUDGED[entry.grader],
        entry.licence,
    )
    return f"| {' | '.join(cells)} |"


def _where(entry: Benchmark) -> str:
    source = entry.source
    if source.hub is None:
        return source.address
    parts = [f"`{name}`" for name in (source.hub, *(name for name, _ in source.more_hubs))]
    parts += [f"`{name}`" for name in (source.subset, *source.hub_files) if name]
    parts.append(source.split)
    parts.append(_revision(source))
    return ", ".join(parts)


def _revision(source: Source) -> str:
    if source.revision is None:
        return "newest"
    commits = [f"`{one[:10]}`" for one in (source.revision, *(one for _, one in source.more_hubs))]
    return f"revision{'s' if len(commits) > 1 else ''} {' and '.join(commits)}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


if __name__ == "__main__":
    print(table(), end="")
