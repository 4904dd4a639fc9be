"""What the records of a benchmark come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from masa_rewards.statistics import Interval, mean_known, rate_interval
from pydantic import BaseModel, ConfigDict

from masa_openrlhf.eval.benchmarks.entry import Benchmark
from masa_openrlhf.eval.results.estimates import RunSpread, estimate_spread, pass_at_k
from masa_openrlhf.eval.results.records import EvalRecord, EvalSample, Record


class FrozenModel(BaseModel):
    """A part of the results."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BenchmarkMetrics(FrozenModel):
    """The figures of one benchmark.

    Attributes:
        benchmark: its name.
        title: as the paper has it.
        family: maths, logic, science, code.
        questions: those that were answered and judged; all figures are over these.
        published: how many the benchmark has.
        left_out: why -> how many questions could not be asked or judged.
        samples: answers that were judged.
        pass_at: k -> mean over questions with its interval over questions; "1" is the pass rate.
        too_few: k -> questions with fewer than k judged answers, which are not in that mean.
        spread: of single runs.
        unparsable: share of the answers that state none that can be read.
        truncated: share of the answers that were cut off.
        judge_failed: answers that the judge could not decide, which are in no figure.
        tokens: made in answers, in all.
        mean_tokens: of an answer.
        prompt_tokens: read, each prompt once.
        prediction_tokens: made in predictions.
    """

    benchmark: str
    title: str
    family: str
    questions: int
    published: int
    left_out: dict[str, int]
    samples: int
    pass_at: dict[str, Interval]
    too_few: dict[str, int]
    spread: RunSpread
    unparsable: float | None
    truncated: float | None
    judge_failed: int
    tokens: int
    mean_tokens: float | None
    prompt_tokens: int
    prediction_tokens: int


def compute_pass_rates(records: Iterable[Record]) -> dict[str, float]:
    """Return the pass rate of every question that has a judged answer."""
    found = {r.id: r.verified() for r in records if isinstance(r, EvalRecord)}
    return {name: sum(right) / len(right) for name, right in found.items() if right}


def compute_metrics(
    entry: Benchmark, records: Sequence[Record], ks: Sequence[int], unusable: int = 0
) -> BenchmarkMetrics:
    """Add up the records of a benchmark.

    Args:
        entry: its entry.
        records: a line a question.
        ks: k of the Pass@k to report.
        unusable: rows that could not be asked at all.

    Returns:
        The figures. What is not defined is None.
    """
    answered = [record for record in records if isinstance(record, EvalRecord)]
    right = [found for record in answered if (found := record.verified())]
    samples = [sample for record in answered for sample in record.samples]
    sound = [sample for sample in samples if not sample.failed]
    at = {k: [pass_at_k(len(one), sum(one), k) for one in right if len(one) >= k] for k in ks}
    tokens = sum(sample.tokens for sample in samples)
    return BenchmarkMetrics(
        benchmark=entry.name,
        title=entry.title,
        family=entry.family,
        questions=len(right),
        published=entry.questions,
        left_out=_count_excluded(
            len(records) - len(answered), len(answered) - len(right), unusable
        ),
        samples=len(sound),
        pass_at={str(k): rate_interval(values) for k, values in at.items()},
        too_few={str(k): less for k, v in at.items() if (less := len(right) - len(v))},
        spread=estimate_spread(right),
        unparsable=_share_of(sound, lambda sample: sample.status == "unparsable"),
        truncated=_share_of(samples, lambda sample: sample.truncated),
        judge_failed=len(samples) - len(sound),
        tokens=tokens,
        mean_tokens=tokens / len(samples) if samples else None,
        prompt_tokens=sum(record.prompt_tokens for record in records),
        prediction_tokens=sum(one.tokens for record in answered for one in record.predictions),
    )


def average_pass_rates(found: Sequence[BenchmarkMetrics]) -> float | None:
    """Return the mean of the benchmarks' Pass@1, each with the same weight, as in the paper."""
    return mean_known(one.pass_at["1"].value for one in found)


def _count_excluded(too_long: int, undecided: int, unusable: int) -> dict[str, int]:
    counts = {
        "prompt too long": too_long,
        "no answer could be judged": undecided,
        "row cannot be used": unusable,
    }
    return {why: count for why, count in counts.items() if count}


def _share_of(samples: Sequence[EvalSample], holds: Callable[[EvalSample], bool]) -> float | None:
    return sum(map(holds, samples)) / len(samples) if samples else None
