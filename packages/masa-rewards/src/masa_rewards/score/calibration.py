"""Calibration of the pass rate and of the length, as in a report."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PassRateError(_Frozen):
    """How far predicted pass rates are off.

    Attributes:
        absolute: Mean of |p̂ - p|.
        brier: Mean of (p̂ - y)^2 over the rollouts, y = 1 for a correct one, else 0.
        difficulty: Mean of b ** |p - p̂|, the difficulty reward.
    """

    absolute: float | None
    brier: float | None
    difficulty: float | None


class ReliabilityRow(_Frozen):
    """Predictions of about the same pass rate, and the true rates.

    Attributes:
        predicted: The mean of what they predicted.
        true: The mean of the true pass rates.
        predictions: How many they are.
    """

    predicted: float
    true: float
    predictions: int


class PassRateReport(_Frozen):
    """Calibration of the pass rate, over the predictions that state one.

    Attributes:
        predictions: How many these are.
        predicted: Mean of the predicted pass rates.
        true: Mean of the true ones, each counted as often as it was predicted.
        error: Of the predictions.
        baseline: Of a constant prediction of `true`.
        correlation: Of predicted and true, over predictions.
        calibration_error: Mean over predictions of |true - predicted| of their row.
        table: By predicted value, to the nearest step of the prompt's scale.
    """

    predictions: int
    predicted: float | None
    true: float | None
    error: PassRateError
    baseline: PassRateError
    correlation: float | None
    calibration_error: float | None
    table: tuple[ReliabilityRow, ...]


class LengthReport(_Frozen):
    """Calibration of the length, over problems with a correct rollout.

    Attributes:
        predictions: How many predictions of such problems state a length.
        within: How many of these lie in [l_min, l_max].
        below: How many below.
        above: How many above.
        ratio_quartiles: Of predicted length / median length of the correct rollouts: a quarter of
            the predictions, half of them (the median) and three quarters lie below; None when
            there is none.
        correlation: Of predicted length and median length of the correct rollouts.
        no_correct: Predictions with a length that are not among them, as no rollout of their
            problem is correct.
    """

    predictions: int
    within: int
    below: int
    above: int
    ratio_quartiles: tuple[float, float, float] | None
    correlation: float | None
    no_correct: int
