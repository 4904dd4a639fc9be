"""Mathematics: a statement and its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from masa_openrlhf.eval.benchmarks.entry import BenchmarkItem, BenchmarkRow
from masa_openrlhf.eval.benchmarks.parsers import RowError, read_id, read_text

_SCIENTIFIC = re.compile(r"(?<![\w.\\])([+-]?\d+(?:\.\d+)?)[eE]([+-]?\d+)(?!\w)")


def parse_columns(
    problem: str, answer: str, *, id_key: str | None = None
) -> Callable[[BenchmarkRow, int], BenchmarkItem]:
    """Read two columns."""

    def read(row: BenchmarkRow, number: int) -> BenchmarkItem:
        return BenchmarkItem(
            read_id(row, id_key, number),
            read_text(row, problem),
            strip_gold(read_text(row, answer)),
        )

    return read


def make_verl_parser(problem: str, answer: str) -> Callable[[BenchmarkRow, int], BenchmarkItem]:
    """Read two columns, or verl's form: ``prompt`` of messages, ``reward_model.ground_truth``.

    The authors' own files of AIME 2025 and AMC 2023 have verl's.
    """
    columns = parse_columns(problem, answer, id_key="id")

    def read(row: BenchmarkRow, number: int) -> BenchmarkItem:
        if "reward_model" not in row:
            return columns(row, number)
        truth = (row["reward_model"] or {}).get("ground_truth")
        target = truth.get("target") if isinstance(truth, Mapping) else truth
        said = [
            turn.get("content") for turn in row.get("prompt") or () if turn.get("role") == "user"
        ]
        found: dict[str, Any] = {"prompt": said[-1] if said else None, "target": target}
        return BenchmarkItem(
            str(number), read_text(found, "prompt"), strip_gold(read_text(found, "target"))
        )

    return read


def parse_tiny(row: BenchmarkRow, number: int) -> BenchmarkItem:
    """Read a problem of the tiny model, or one that a run wrote: the rest of it under ``task``."""
    return parse_columns("problem", "answer", id_key="id")(
        {**row, **(row.get("task") or {})}, number
    )


def parse_minerva(row: BenchmarkRow, number: int) -> BenchmarkItem:
    r"""Read a row of Minerva's: 2.75e11 is written 2.75 \times 10^{11}."""
    answer = _SCIENTIFIC.sub(
        lambda m: rf"{m[1]} \times 10^{{{int(m[2])}}}", strip_gold(read_text(row, "answer"))
    )
    return BenchmarkItem(str(number), read_text(row, "question"), answer)


def parse_olympiad(row: BenchmarkRow, number: int) -> BenchmarkItem:
    """Read a row of OlympiadBench: several final answers are one, with commas between."""
    answers = row.get("final_answer")
    if isinstance(answers, str):
        answers = [answers]
    if not isinstance(answers, (list, tuple)) or not answers:
        raise RowError(f"final_answer is no list of answers: {answers!r:.60}")
    stated = [strip_gold(read_text({"final_answer": one}, "final_answer")) for one in answers]
    return BenchmarkItem(read_id(row, "id", number), read_text(row, "question"), ", ".join(stated))


_COMMAND = re.compile(r"\\(?:[A-Za-z]+|.)")
_EMPTY = {r"\frac", r"\dfrac", r"\tfrac", r"\sqrt", r"\text", r"\left", r"\right", r"\boxed"}


def strip_gold(answer: str) -> str:
    r"""Take the dollar signs off an answer that is one formula, and refuse one that says nothing.

    Raises:
        FormError: its braces do not balance, or nothing is left of it without \frac and the like.
    """
    inner = answer.strip("$").strip() if answer.count("$") == 2 else answer
    stated = inner if answer.startswith("$") and answer.endswith("$") and inner else answer
    bare = re.sub(r"\\[{}]", "", stated)
    rest = _COMMAND.sub(lambda m: "" if m[0] in _EMPTY else "x", stated)
    if bare.count("{") != bare.count("}") or not re.search(r"\w", rest):
        raise RowError(f"the gold answer cannot be read: {answer!r:.60}")
    return stated
