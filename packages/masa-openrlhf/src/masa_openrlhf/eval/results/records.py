"""A line a question: to be read by a person, and gone on from.

A question's line is written when all its answers are judged, and once. So an evaluation that was
killed at any time goes on with the questions that have none; a last line that the kill left
unfinished is cut off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from masa_rewards import Verdict

from masa_openrlhf.eval.question import Question
from masa_openrlhf.run.folder import read_lines

Record = dict[str, Any]


def record_of(
    question: Question,
    answers: Sequence[dict[str, Any]],
    grades: Sequence[Verdict],
    predictions: Sequence[dict[str, Any]],
    *,
    prompt_tokens: int,
    seed: int,
) -> Record:
    """Return the line of a question, in the order in which one would read it."""
    return {
        "id": question.id,
        "prompt": question.prompt,
        "gold": question.gold,
        **({"order": list(question.order)} if question.order else {}),
        "right": sum(grade.status == "correct" for grade in grades),
        "samples": [
            {
                "status": grade.status,
                "answer": grade.answer,
                "detail": grade.detail,
                "tokens": answer["tokens"],
                "truncated": answer["truncated"],
                "text": answer["text"],
            }
            for answer, grade in zip(answers, grades, strict=True)
        ],
        "predictions": list(predictions),
        "statement": question.statement,
        "prompt_tokens": prompt_tokens,
        "seed": seed,
    }


def left_out(question: Question, *, prompt_tokens: int, room: int) -> Record:
    """Return the line of a question whose prompt leaves the model no room for an answer."""
    why = f"the prompt has {prompt_tokens} tokens, the model reads {room} in all"
    return {
        "id": question.id,
        "prompt": question.prompt,
        "gold": question.gold,
        "left_out": why,
        "prompt_tokens": prompt_tokens,
    }


class RecordFile:
    """The lines of a benchmark.

    Args:
        path: the file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def mend(self) -> None:
        """Cut off a last line that has no end, so that the next one begins on its own."""
        if not self.path.exists():
            return
        with open(self.path, "rb+") as file:
            text = file.read()
            whole = text.rfind(b"\n") + 1
            if whole < len(text):
                file.truncate(whole)

    def append(self, record: Record) -> None:
        """Add a line; it is on the disk when this returns."""
        line = json.dumps(record, ensure_ascii=False) + "\n"
        with open(self.path, "ab") as file:
            file.write(line.encode("utf-8", errors="backslashreplace"))
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> Iterator[Record]:
        """Return the lines; a last one that is unfinished is passed over."""
        return read_lines(self.path)
