"""Two models on the same questions, paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter

from masa_rewards.statistics import Interval, difference_interval

from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.eval.folder import EvalFolder
from masa_openrlhf.eval.questions import BenchmarkQuestions
from masa_openrlhf.eval.results.metrics import FrozenModel, compute_pass_rates
from masa_openrlhf.eval.results.records import EvalRecord, Record


class BenchmarkComparison(FrozenModel):
    """Two models on one benchmark.

    Attributes:
        benchmark: its name.
        questions: that both answered; the figures are over these.
        unpaired: that only one of them answered.
        before: Pass@1 of the other evaluation.
        now: of this one.
        gain: now - before, with its interval over questions.
        better: questions on which this one is more often right.
        worse: on which it is less often.
    """

    benchmark: str
    questions: int
    unpaired: int
    before: float | None
    now: float | None
    gain: Interval
    better: int
    worse: int


class EvaluationComparison(FrozenModel):
    """Two evaluations, over the benchmarks that both have.

    Attributes:
        before: folder of the other one.
        model_before: its model.
        settings: settings that differ: name -> (there, here).
        benchmarks: one each.
    """

    before: str
    model_before: str
    settings: dict[str, tuple[object, object]]
    benchmarks: tuple[BenchmarkComparison, ...]


# What makes the score of one question mean something else.
_SCORE_SETTINGS = ("samples", "temperature", "top_p", "max_tokens", "seed", "verifier.extraction")


def compare_evaluations(
    this: EvalFolder, other: EvalFolder, names: Sequence[str]
) -> EvaluationComparison:
    """Compare this evaluation with another, question by question.

    Args:
        this: the newer one.
        other: what it is held against.
        names: benchmarks of this one.

    Raises:
        EvalError: the other is no evaluation, they share no benchmark, or a question was asked
            otherwise.
    """
    theirs, ours = other.read_settings(), this.read_settings()
    shared = _shared_benchmarks(other, names)
    now = {name: list(this.records(name).read()) for name in shared}
    for name in shared:
        asked = {r.id: _question_key(r) for r in now[name] if isinstance(r, EvalRecord)}
        _check_same_questions(name, asked, this, other)
    return EvaluationComparison(
        before=str(other.path),
        model_before=theirs.model,
        settings={
            name: (attrgetter(name)(theirs), attrgetter(name)(ours))
            for name in _SCORE_SETTINGS
            if attrgetter(name)(theirs) != attrgetter(name)(ours)
        },
        benchmarks=tuple(
            _compare_benchmark(name, list(other.records(name).read()), now[name]) for name in shared
        ),
    )


def check_comparable(
    this: EvalFolder, other: EvalFolder, asked: Sequence[BenchmarkQuestions]
) -> None:
    """Refuse, before anything is asked, what could not be compared afterwards.

    Raises:
        EvalError: as ``compare_evaluations``.
    """
    other.read_settings()
    shared = _shared_benchmarks(other, [each.benchmark.name for each in asked])
    for each in asked:
        if each.benchmark.name in shared:
            wanted = {q.id: (q.statement, q.gold) for q in each.questions}
            _check_same_questions(each.benchmark.name, wanted, this, other)


def _shared_benchmarks(other: EvalFolder, names: Sequence[str]) -> list[str]:
    shared = [name for name in names if other.records(name).path.exists()]
    if not shared:
        raise EvalError(
            f"{other.path} has no records of {', '.join(names)}: there is nothing to compare"
        )
    return shared


def _check_same_questions(
    name: str, asked: Mapping[str, tuple[str, str]], this: EvalFolder, other: EvalFolder
) -> None:
    """Refuse a benchmark of which a question has another statement, order of choices or gold."""
    differ = [
        record.id
        for record in other.records(name).read()
        if isinstance(record, EvalRecord)
        and asked.get(record.id, _question_key(record)) != _question_key(record)
    ]
    if differ:
        raise EvalError(
            f"{name}: {len(differ)} questions, as {differ[0]!r}, have another statement, order of "
            f"choices or gold in {other.path} (seed {other.read_settings().seed}) than in "
            f"{this.path}: compare evaluations of the same data and --seed, or leave {name} out"
        )


def _compare_benchmark(
    name: str, before: Sequence[Record], now: Sequence[Record]
) -> BenchmarkComparison:
    a, b = compute_pass_rates(before), compute_pass_rates(now)
    pairs = [(a[key], b[key]) for key in a if key in b]
    return BenchmarkComparison(
        benchmark=name,
        questions=len(pairs),
        unpaired=len(a.keys() | b.keys()) - len(pairs),
        before=sum(one for one, _ in pairs) / len(pairs) if pairs else None,
        now=sum(two for _, two in pairs) / len(pairs) if pairs else None,
        gain=difference_interval(pairs),
        better=sum(two > one for one, two in pairs),
        worse=sum(two < one for one, two in pairs),
    )


def _question_key(record: EvalRecord) -> tuple[str, str]:
    """What makes a question the same one: statement, choices in their order, gold.

    Two models may be asked in wordings of their own.
    """
    return record.statement, record.gold
