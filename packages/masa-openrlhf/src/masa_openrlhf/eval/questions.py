"""From a benchmark's rows to the questions that a model is asked."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from masa_openrlhf.eval.benchmarks.choices import letter_choices, shuffle_choices
from masa_openrlhf.eval.benchmarks.entry import Benchmark, BenchmarkItem
from masa_openrlhf.eval.benchmarks.parsers import RowError
from masa_openrlhf.eval.benchmarks.rows import describe_source, read_rows
from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.engine.model_source import ModelSource
from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.eval.own_problems import load_own_items
from masa_openrlhf.eval.question import Question

MAX_SHOWN_ROWS = 3


@dataclass(frozen=True)
class BenchmarkQuestions:
    """The questions of a benchmark.

    Attributes:
        benchmark: its entry.
        questions: in their order.
        unusable: rows that cannot be asked: number from 1 -> why. They are told, never counted
            as answered.
        where: file, or hub name and revision, that they come from.
    """

    benchmark: Benchmark
    questions: tuple[Question, ...]
    where: str = ""
    unusable: Mapping[int, str] = field(default_factory=dict)


def load_questions(
    benchmark: Benchmark, config: EvaluationConfig, model: ModelSource
) -> BenchmarkQuestions:
    """Read a benchmark and word its questions.

    Raises:
        EvalError: it cannot be read, none of its rows can be asked, or two have one id.
    """
    if benchmark.family == "own":
        own = load_own_items(config)
        asked = tuple(_make_question(item, benchmark, config, model) for item in own)
        return BenchmarkQuestions(benchmark, asked, str(config.problems))
    folder, wanted = config.data, benchmark
    if benchmark.family == "tiny":
        wanted, folder = _tiny_benchmark(benchmark, model)
    rows = read_rows(wanted, folder)
    items: list[BenchmarkItem] = []
    unusable: dict[int, str] = {}
    for number, row in enumerate(rows, start=1):
        if config.max_questions is not None and len(items) == config.max_questions:
            break
        try:
            items.append(benchmark.read(row, number - 1))
        except RowError as error:
            unusable[number] = str(error)
    _check_items(benchmark, items, unusable)
    worded = tuple(_make_question(item, benchmark, config, model) for item in items)
    return BenchmarkQuestions(benchmark, worded, describe_source(wanted, folder), unusable)


def _tiny_benchmark(benchmark: Benchmark, model: ModelSource) -> tuple[Benchmark, Path]:
    if model.tiny_file is None:
        raise EvalError(
            "the benchmark tiny is for MODEL tiny, and for runs on the tiny problems: "
            f"{model.name} is neither"
        )
    source = dataclasses.replace(benchmark.source, files=(model.tiny_file.name,))
    return dataclasses.replace(benchmark, source=source), model.tiny_file.parent


def _check_items(
    benchmark: Benchmark, items: list[BenchmarkItem], unusable: Mapping[int, str]
) -> None:
    if not items:
        why = "; ".join(
            f"row {number}: {said}" for number, said in list(unusable.items())[:MAX_SHOWN_ROWS]
        )
        raise EvalError(f"{benchmark.name}: none of {len(unusable)} rows can be asked ({why})")
    several = [name for name, count in Counter(item.id for item in items).items() if count > 1]
    if several:
        raise EvalError(
            f"{benchmark.name}: {len(several)} ids stand in several rows, as {several[0]!r}: "
            "give each row an id of its own"
        )


def _make_question(
    item: BenchmarkItem, benchmark: Benchmark, config: EvaluationConfig, model: ModelSource
) -> Question:
    template = benchmark.prompt or model.asked_as.solution.template.replace(
        "{problem}", "{statement}"
    )
    fields = {"statement": item.statement, **(item.fields or {})}
    gold, options = item.gold, item.options
    order: tuple[int, ...] = ()
    if item.options:
        options, order, gold = shuffle_choices(
            item.options, item.right, seed=config.seed, key=f"{benchmark.name}/{item.id}"
        )
        fields["choices"] = letter_choices(options)
    statement = item.statement
    if options:
        statement += "\n\n" + fields["choices"]
    return Question(
        id=item.id,
        statement=statement,
        prompt=fill_template(template, fields),
        gold=gold or "passes all tests",
        options=options,
        order=order,
        tests=dict(item.tests or {}),
        scorer=item.scorer,
    )


def fill_template(template: str, fields: Mapping[str, str]) -> str:
    """Put texts into a template, at once: a brace within a text stays as it is.

    A name of the template that has no text is left out.
    """
    return re.sub(r"\{(statement|choices|tests|form)\}", lambda m: fields.get(m[1], ""), template)
