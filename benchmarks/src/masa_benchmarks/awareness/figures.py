"""From a record to figures: how aware a model is of itself before any training."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from masa_openrlhf.eval.results.meta_awareness import GateMetrics, compute_gate_metrics
from masa_rewards.statistics import Interval, pearson_correlation, rate_interval

from masa_benchmarks.awareness.record import ModelRecord, QuestionRecord

DRAWS = 2000
"""Of the bootstrap over questions (percentiles, Efron 1979)."""


class AwarenessFigures(NamedTuple):
    """What is known of one model on one set of questions.

    Attributes:
        questions: asked and judged.
        pass_at_1: mean pass rate, with its interval over questions.
        solved_sometimes: share of questions whose answers are neither all right nor all wrong.
        never: share of questions with no right answer.
        truncated: share of answers that reached the limit.
        unparsable: share of answers that state none that can be read.
        readable: share of predictions in which pass rate, length, notions can be read.
        predicted: mean predicted pass rate over readable predictions; None without any.
        brier: mean over questions of (prediction - outcome)^2; None where nothing can be read.
        brier_of_mean: of whoever always says the mean pass rate, on the same questions.
        correlation: Pearson's, of a question's mean prediction and its pass rate, with a bootstrap
            interval; without a value where either does not vary.
        length_error: median of |predicted - median length of right answers| / that median.
        gate: what the paper's rule would have skipped by these predictions.
        dead_tokens: share of answer tokens on questions without variance: what could be saved.
        saved_tokens: tokens of skipped questions, less those of all predictions, as a share of the
            answers' tokens; below 0: the gate costs more than it saves.
    """

    questions: int
    pass_at_1: Interval
    solved_sometimes: float
    never: float
    truncated: float
    unparsable: float
    readable: tuple[float, float, float]
    predicted: float | None
    brier: Interval | None
    brier_of_mean: float | None
    correlation: Interval
    length_error: float | None
    gate: GateMetrics
    dead_tokens: float
    saved_tokens: float


def compute_figures(record: ModelRecord) -> AwarenessFigures:
    """Return the figures of a model."""
    asked = [one for one in record.questions if one.right]
    answers = sum(len(one.right) for one in asked)
    predictions = sum(len(one.rates) for one in asked)
    said = [one for one in asked if _mean_rate(one) is not None]
    rates = [rate for one in asked for rate in one.rates if rate is not None]
    return AwarenessFigures(
        questions=len(asked),
        pass_at_1=rate_interval([_pass_rate(one) for one in asked]),
        solved_sometimes=_share(0 < _pass_rate(one) < 1 for one in asked),
        never=_share(_pass_rate(one) == 0 for one in asked),
        truncated=sum(one.truncated for one in asked) / answers,
        unparsable=sum(one.unparsable for one in asked) / answers,
        readable=(
            len(rates) / predictions,
            sum(length is not None for one in asked for length in one.predicted_lengths)
            / predictions,
            sum(one.notions_read for one in asked) / predictions,
        ),
        predicted=statistics.fmean(rates) if rates else None,
        brier=rate_interval([_brier_score(one) for one in said]) if said else None,
        brier_of_mean=_brier_of_mean(said) if said else None,
        correlation=_correlate([(_mean_rate(one) or 0.0, _pass_rate(one)) for one in said]),
        length_error=_length_error(asked),
        gate=compute_gate_metrics((one.rates, one.right) for one in asked),
        dead_tokens=_dead_tokens(asked),
        saved_tokens=_saved_tokens(asked),
    )


def _share(holds: object) -> float:
    return statistics.fmean(map(float, holds))  # type: ignore[call-overload]


def _pass_rate(one: QuestionRecord) -> float:
    return statistics.fmean(one.right)


def _mean_rate(one: QuestionRecord) -> float | None:
    read = [rate for rate in one.rates if rate is not None]
    return statistics.fmean(read) if read else None


def _brier_score(one: QuestionRecord) -> float:
    read = [rate for rate in one.rates if rate is not None]
    return statistics.fmean((rate - y) ** 2 for rate in read for y in one.right)


def _brier_of_mean(said: Sequence[QuestionRecord]) -> float:
    mean = statistics.fmean(map(_pass_rate, said))
    return statistics.fmean(statistics.fmean((mean - y) ** 2 for y in one.right) for one in said)


def _correlate(pairs: Sequence[tuple[float, float]]) -> Interval:
    value = pearson_correlation(pairs)
    if value is None:
        return Interval(None, None, None)
    rng = np.random.default_rng(0)
    drawn = (
        pearson_correlation([pairs[i] for i in rng.integers(len(pairs), size=len(pairs))])
        for _ in range(DRAWS)
    )
    low, high = np.quantile([each for each in drawn if each is not None], (0.025, 0.975))
    return Interval(value, float(low), float(high))


def _length_error(asked: Sequence[QuestionRecord]) -> float | None:
    errors = [
        abs(length - middle) / middle
        for one in asked
        if one.lengths and (middle := statistics.median(one.lengths))
        for length in one.predicted_lengths
        if length is not None
    ]
    return statistics.median(errors) if errors else None


def _dead_tokens(asked: Sequence[QuestionRecord]) -> float:
    dead = sum(one.solution_tokens for one in asked if len(set(one.right)) == 1)
    return dead / sum(one.solution_tokens for one in asked)


def _saved_tokens(asked: Sequence[QuestionRecord]) -> float:
    skipped = sum(
        one.solution_tokens
        for one in asked
        if compute_gate_metrics([(one.rates, one.right)]).skipped
    )
    return (skipped - sum(one.meta_tokens for one in asked)) / sum(
        one.solution_tokens for one in asked
    )
