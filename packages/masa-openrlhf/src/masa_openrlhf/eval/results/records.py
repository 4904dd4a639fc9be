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

import pydantic
from masa_rewards import Verdict
from masa_rewards.verify.verdict import FAILED, Status
from pydantic import BaseModel, ConfigDict

from masa_openrlhf.eval.engine.messages import GeneratedAnswer
from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.eval.question import Question
from masa_openrlhf.run.files import read_lines


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EvalSample(_Line):
    """An answer, and what its judge found.

    Attributes:
        status: of the verdict.
        answer: as it was read; None where none is stated.
        detail: why, for people.
        tokens: how many the text has.
        truncated: whether it was cut off at the limit.
        text: what the model wrote.
    """

    status: Status
    answer: str | None
    detail: str
    tokens: int
    truncated: bool
    text: str

    @property
    def correct(self) -> bool:
        """Whether it is right; of no meaning where the judge ``failed``."""
        return self.status == "correct"

    @property
    def failed(self) -> bool:
        """Whether the judge failed, so that it is neither right nor wrong."""
        return self.status in FAILED


class EvalRecord(_Line):
    """The line of a question that was answered, in the order in which one would read it.

    Attributes:
        id: of the question.
        prompt: the whole prompt.
        gold: the right answer.
        order: for each place, the place in the source that the choice there came from; empty where
            it is no multiple-choice question, and then not in the file.
        right: how many answers are correct.
        samples: every answer.
        predictions: what was said to the meta prompt; empty where it was not asked.
        statement: the problem, without instructions.
        prompt_tokens: length of the encoded prompt.
        seed: of the samples.
    """

    id: str
    prompt: str
    gold: str
    order: tuple[int, ...] = ()
    right: int
    samples: tuple[EvalSample, ...]
    predictions: tuple[GeneratedAnswer, ...]
    statement: str
    prompt_tokens: int
    seed: int

    def verified(self) -> list[bool]:
        """Return for each judged answer, in order, whether it is right."""
        return [sample.correct for sample in self.samples if not sample.failed]


class LeftOutRecord(_Line):
    """The line of a question whose prompt leaves the model no room for an answer.

    Attributes:
        id: of the question.
        prompt: the whole prompt.
        gold: the right answer.
        left_out: why, for people.
        prompt_tokens: length of the encoded prompt.
    """

    id: str
    prompt: str
    gold: str
    left_out: str
    prompt_tokens: int


Record = EvalRecord | LeftOutRecord


def make_record(
    question: Question,
    answers: Sequence[GeneratedAnswer],
    verdicts: Sequence[Verdict],
    predictions: Sequence[GeneratedAnswer],
    *,
    prompt_tokens: int,
    seed: int,
) -> EvalRecord:
    """Return the record of a question.

    Args:
        question: what was asked.
        answers: all of them.
        verdicts: one an answer.
        predictions: what was said to the meta prompt.
        prompt_tokens: length of the encoded prompt.
        seed: of the samples.
    """
    return EvalRecord(
        id=question.id,
        prompt=question.prompt,
        gold=question.gold,
        order=question.order,
        right=sum(verdict.correct for verdict in verdicts),
        samples=tuple(
            EvalSample(**verdict.model_dump(), **answer.model_dump())
            for answer, verdict in zip(answers, verdicts, strict=True)
        ),
        predictions=tuple(predictions),
        statement=question.statement,
        prompt_tokens=prompt_tokens,
        seed=seed,
    )


def make_left_out(question: Question, *, prompt_tokens: int, room: int) -> LeftOutRecord:
    """Return the record of a question whose prompt leaves the model no room for an answer."""
    return LeftOutRecord(
        id=question.id,
        prompt=question.prompt,
        gold=question.gold,
        left_out=f"the prompt has {prompt_tokens} tokens, the model reads {room} in all",
        prompt_tokens=prompt_tokens,
    )


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
        line = json.dumps(_to_row(record), ensure_ascii=False) + "\n"
        with open(self.path, "ab") as file:
            file.write(line.encode("utf-8", errors="backslashreplace"))
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> Iterator[Record]:
        """Yield the records; a last line that is unfinished is passed over.

        Raises:
            EvalError: a line is no record of ours.
        """
        for number, row in enumerate(read_lines(self.path), start=1):
            try:
                yield _to_record(row)
            except pydantic.ValidationError as error:
                first = error.errors(include_url=False)[0]
                place = ".".join(map(str, first["loc"]))
                raise EvalError(
                    f"{self.path}, line {number} is no record of an evaluation "
                    f"({place + ': ' if place else ''}{first['msg']}): take the line out, and "
                    "--resume asks its question again"
                ) from error


def _to_record(row: object) -> Record:
    if isinstance(row, dict) and "left_out" in row:
        return LeftOutRecord.model_validate(row)
    return EvalRecord.model_validate(row)


def _to_row(record: Record) -> dict[str, Any]:
    """Return a record as its line holds it: without an order where there is none."""
    row = record.model_dump()
    if not row.get("order", True):
        del row["order"]
    return row
