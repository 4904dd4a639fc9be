"""What an evaluation found, a few numbers a question: small enough for the repository."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from masa_openrlhf.eval.engine.model_source import read_likeness
from masa_openrlhf.eval.results.records import EvalRecord, RecordFile
from masa_rewards import MetaPrompt
from pydantic import BaseModel, ConfigDict


class QuestionRecord(BaseModel):
    """One question, G answers and M predictions.

    Attributes:
        id: names the source before the slash.
        right: for each judged answer whether it is right.
        lengths: tokens of the right answers.
        solution_tokens: tokens of all answers.
        truncated: answers that reached the limit.
        unparsable: answers that state none that can be read.
        rates: predicted pass rates; None where it cannot be read.
        predicted_lengths: likewise, in tokens.
        notions_read: predictions whose notions can be read.
        meta_tokens: tokens of all predictions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    right: tuple[bool, ...]
    lengths: tuple[int, ...]
    solution_tokens: int
    truncated: int
    unparsable: int
    rates: tuple[float | None, ...]
    predicted_lengths: tuple[int | None, ...]
    notions_read: int
    meta_tokens: int


class ModelRecord(BaseModel):
    """One model's evaluation.

    Attributes:
        name: of the model.
        settings: those that the answers depend on.
        questions: in the order in which they were asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    settings: dict[str, Any]
    questions: tuple[QuestionRecord, ...]


ASKING = Path(__file__).parent / "asking.toml"
"""How all models are asked."""


def read_evaluation(folder: Path, name: str) -> ModelRecord:
    """Return the record of an evaluation's folder.

    Args:
        folder: as `masa-openrlhf eval --like ASKING` made it.
        name: of the model, as the tables will call it.
    """
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    prompt = read_likeness(str(ASKING)).meta_prompt
    settings = results["settings"]
    kept = ("samples", "temperature", "top_p", "max_tokens", "seed", "prediction")
    return ModelRecord(
        name=name,
        settings={key: settings[key] for key in kept},
        questions=tuple(_shorten_records(folder / "records" / "own.jsonl", prompt)),
    )


def _shorten_records(file: Path, prompt: MetaPrompt) -> Iterator[QuestionRecord]:
    for record in RecordFile(file).read():
        if not isinstance(record, EvalRecord):
            continue
        predictions = [prompt.parse(one.text) for one in record.predictions]
        statuses = Counter(one.status for one in record.samples)
        yield QuestionRecord(
            id=record.id,
            right=tuple(record.verified()),
            lengths=tuple(one.tokens for one in record.samples if one.correct),
            solution_tokens=sum(one.tokens for one in record.samples),
            truncated=sum(one.truncated for one in record.samples),
            unparsable=statuses["unparsable"],
            rates=tuple(one.pass_rate for one in predictions),
            predicted_lengths=tuple(one.length for one in predictions),
            notions_read=sum(bool(one.notions) for one in predictions),
            meta_tokens=sum(one.tokens for one in record.predictions),
        )


def read_record(file: Path) -> list[ModelRecord]:
    """Return the models of a record, in its order."""
    return [ModelRecord.model_validate(row) for row in json.loads(file.read_text("utf-8"))]
