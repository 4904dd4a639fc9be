"""Multiple choice: a question, its choices, and which of them is right."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from masa_openrlhf.eval.benchmarks.choices import LETTERS
from masa_openrlhf.eval.benchmarks.entry import BenchmarkItem, BenchmarkRow
from masa_openrlhf.eval.benchmarks.parsers import RowError, read_id, read_text

_LABEL = re.compile(r"^\s*\(?([A-Z])[).:]\s*")


def parse_logic(row: BenchmarkRow, number: int) -> BenchmarkItem:
    """Read a row of Logic-LLM's: context, question, options as "A) True", answer "A"."""
    labels, options = _split_labels(row.get("options"))
    right = _find_place(read_text(row, "answer"), labels)
    statement = f"{read_text(row, 'context')}\n\n{read_text(row, 'question')}"
    return _make_item(read_id(row, "id", number), statement, options, right)


def parse_gpqa(row: BenchmarkRow, number: int) -> BenchmarkItem:
    """Read a row of GPQA: one column holds the right answer, three hold wrong ones."""
    wrong = [read_text(row, f"Incorrect Answer {i}") for i in (1, 2, 3)]
    options = (read_text(row, "Correct Answer"), *wrong)
    return _make_item(read_id(row, "Record ID", number), read_text(row, "Question"), options, 0)


def make_letter_parser(*letters: str) -> Callable[[BenchmarkRow, int], BenchmarkItem]:
    """Read a row whose choices stand in columns named by letters (R-Bench)."""

    def read(row: BenchmarkRow, number: int) -> BenchmarkItem:
        given = [letter for letter in letters if str(row.get(letter) or "").strip()]
        options = tuple(read_text(row, letter) for letter in given)
        right = _find_place(read_text(row, "answer"), given)
        return _make_item(read_id(row, "index", number), read_text(row, "question"), options, right)

    return read


def parse_arc(row: BenchmarkRow, number: int) -> BenchmarkItem:
    """Read a row of ARC: choices of texts and labels, which are letters or figures."""
    choices = row.get("choices")
    if not isinstance(choices, dict) or not {"text", "label"} <= choices.keys():
        raise RowError(f"choices hold no text and label: {choices!r:.60}")
    options = tuple(str(one).strip() for one in choices["text"])
    right = _find_place(
        read_text(row, "answerKey"), [str(label).strip() for label in choices["label"]]
    )
    return _make_item(read_id(row, "id", number), read_text(row, "question"), options, right)


def _split_labels(options: object) -> tuple[list[str], tuple[str, ...]]:
    if not isinstance(options, (list, tuple)) or not options:
        raise RowError(f"options is no list: {options!r:.60}")
    labels, texts = [], []
    for place, option in enumerate(options):
        found = _LABEL.match(str(option))
        labels.append(found[1] if found else LETTERS[place])
        texts.append(str(option)[found.end() if found else 0 :].strip())
    return labels, tuple(texts)


def _find_place(answer: str, labels: Sequence[str]) -> int:
    if len(set(labels)) < len(labels):
        raise RowError(f"two choices have one label: {list(labels)!r}")
    if answer not in labels:
        raise RowError(f"the answer {answer!r:.40} is none of {', '.join(labels)}")
    return labels.index(answer)


def _make_item(name: str, statement: str, options: Sequence[str], right: int) -> BenchmarkItem:
    if len(options) < 2 or not all(options):
        raise RowError(f"fewer than two choices, or a blank one: {list(options)!r:.80}")
    return BenchmarkItem(name, statement, options=tuple(options), right=right)
