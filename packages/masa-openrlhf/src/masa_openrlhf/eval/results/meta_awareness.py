"""Meta-awareness as a benchmark: how well a model foresees its own answers.

Calibration of pass rate and length is that of ``masa_rewards.score``; what it lacks, the length
error and how right ``masa_control.PredictiveGate`` would be, is here.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from masa_control import PredictiveGate
from masa_rewards import MetaPrediction, MetaPrompt, Rollout, RolloutGroup
from masa_rewards.score import Report, Scorer, ScoreSettings
from masa_rewards.score.calibration import LengthReport, PassRateReport
from masa_rewards.statistics import Interval, rate_interval
from pydantic import AliasChoices, Field

from masa_openrlhf.eval.results.metrics import FrozenModel
from masa_openrlhf.eval.results.records import EvalRecord, Record


class GateMetrics(FrozenModel):
    """How right the gate would be. Positive: a question that it skips.

    It is right to skip a question whose judged answers are all right or all wrong: nothing can be
    learned from those. That depends on how many answers there are.

    Attributes:
        questions: with a prediction that could be read, and two judged answers or more. Where
            fewer than half of them can be read, the gate skips nothing.
        skipped: how many the gate skips.
        to_skip: how many it should.
        both: how many of these it does.
        precision: both / skipped; None where none is skipped.
        recall: both / to_skip; None where none should be.
        f1: 2 both / (skipped + to_skip); None where both are 0.
    """

    questions: int
    skipped: int
    to_skip: int
    both: int
    precision: float | None
    recall: float | None
    f1: float | None


class MetaAwarenessMetrics(FrozenModel):
    """How aware a model is of itself, on one benchmark.

    Attributes:
        questions: with predictions and judged answers.
        predictions: asked for.
        unreadable: component -> reason -> how many predictions lack it.
        pass_rate: calibration of the predicted pass rate: Brier score, absolute error, correlation,
            and those of whoever always says the mean.
        brier: Brier score, mean over questions with its interval over questions.
        length: calibration of the predicted length.
        length_error: median of |predicted - median length of the right answers| / that median.
        gate: of the gate that the predictions would make.
        reward: mean meta reward, as in training.
        failed: questions with texts on which the reader of predictions itself failed; they are in
            none of the figures.
    """

    questions: int
    predictions: int
    unreadable: dict[str, dict[str, int]] = Field(
        validation_alias=AliasChoices("unreadable", "unread")  # "unread": as 0.1.0 wrote it
    )
    pass_rate: PassRateReport
    brier: Interval
    length: LengthReport
    length_error: float | None
    gate: GateMetrics
    reward: float | None
    failed: int = 0


@dataclass(frozen=True)
class _Foreseen:
    """A question, and its predictions as they were read, once."""

    record: EvalRecord
    predictions: list[MetaPrediction]

    @property
    def rates(self) -> list[float | None]:
        """Predicted pass rates, None for one that could not be read."""
        return [prediction.pass_rate for prediction in self.predictions]


def compute_meta_metrics(
    records: Sequence[Record], prompt: MetaPrompt, *, max_std: float
) -> MetaAwarenessMetrics:
    """Add up what the model predicted, beside what it then did.

    Args:
        records: lines of questions; those without predictions or judged answers are left out.
        prompt: by which the predictions were asked for.
        max_std: of the gate.
    """
    asked = [r for r in records if isinstance(r, EvalRecord) and r.predictions and r.verified()]
    usable, report = _score_records(asked, prompt)
    return MetaAwarenessMetrics(
        questions=len(usable),
        predictions=report.predictions,
        unreadable={n: {str(why): c for why, c in r.items()} for n, r in report.unreadable.items()},
        pass_rate=report.pass_rate,
        brier=rate_interval([b for one in usable if (b := _brier_score(one)) is not None]),
        length=report.length,
        length_error=_compute_length_error(usable),
        gate=compute_gate_metrics(
            ((one.rates, one.record.verified()) for one in usable), max_std=max_std
        ),
        reward=report.rewards.total.mean,
        failed=len(asked) - len(usable),
    )


def _score_records(
    records: Sequence[EvalRecord], prompt: MetaPrompt
) -> tuple[list[_Foreseen], Report]:
    """Score the records, and return those that could be: no text of a model ends an evaluation."""
    usable: list[_Foreseen] = []
    scorer = Scorer(settings=ScoreSettings(prompt=prompt))
    for record in records:
        try:
            predictions = [prompt.parse(one.text) for one in record.predictions]
            verdicts = Counter[str](sample.status for sample in record.samples)
            scorer.add_group(_to_group(record), predictions, verdicts)
        except Exception:  # counted, and told
            continue
        usable.append(_Foreseen(record, predictions))
    return usable, scorer.report()


def _to_group(record: EvalRecord) -> RolloutGroup:
    rollouts = tuple(
        Rollout(text=sample.text, length=sample.tokens, correct=sample.correct)
        for sample in record.samples
        if not sample.failed
    )
    return RolloutGroup(problem=record.statement, rollouts=rollouts)


def compute_gate_metrics(
    questions: Iterable[tuple[Sequence[float | None], Sequence[bool]]], *, max_std: float = 0.1
) -> GateMetrics:
    """Add up the gate's decisions.

    Args:
        questions: predicted pass rates, None for one that could not be read, and whether each
            judged answer is right.
        max_std: of the gate.
    """
    gate = PredictiveGate(max_std=max_std)
    decided = [
        (decision.skip, len(set(right)) == 1)
        for predicted, right in questions
        if (decision := gate.decide(predicted)).read and len(right) > 1
    ]
    skipped, to_skip = (sum(column) for column in zip(*decided, strict=True)) if decided else (0, 0)
    both = sum(skip and should for skip, should in decided)
    return GateMetrics(
        questions=len(decided),
        skipped=skipped,
        to_skip=to_skip,
        both=both,
        precision=both / skipped if skipped else None,
        recall=both / to_skip if to_skip else None,
        f1=2 * both / (skipped + to_skip) if skipped + to_skip else None,
    )


def _brier_score(foreseen: _Foreseen) -> float | None:
    """Mean of (predicted - y)^2 over a question's predictions and answers."""
    rates = [rate for rate in foreseen.rates if rate is not None]
    right = foreseen.record.verified()
    if not rates:
        return None
    return math.fsum((p - y) ** 2 for p in rates for y in right) / (len(rates) * len(right))


def _compute_length_error(questions: Sequence[_Foreseen]) -> float | None:
    errors = []
    for one in questions:
        lengths = [sample.tokens for sample in one.record.samples if sample.correct]
        middle = statistics.median(lengths) if lengths else 0
        if not middle:
            continue
        for prediction in one.predictions:
            if prediction.length is not None:
                errors.append(abs(prediction.length - middle) / middle)
    return statistics.median(errors) if errors else None
