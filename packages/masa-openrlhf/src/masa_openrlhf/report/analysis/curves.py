"""How accuracy rises with what a run spends, and how soon it is where.

A curve has a point an evaluation. Evaluations are noisy, so what a run has reached is read off a
curve that does not fall: the nearest such one by least squares (isotonic), or the best so far.
Between evaluations accuracy is taken to move on a straight line.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from masa_rewards.statistics import fit_isotonic

from masa_openrlhf.report.analysis.intervals import DRAWS, IntervalMethod, interval_over_runs

Axis = Literal["tokens", "steps", "seconds"]
"""What a run spends."""

MonotoneMethod = Literal["isotonic", "best"]
"""How a curve is kept from falling."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Accuracy of one run at its evaluations, in their order.

    Attributes:
        tokens: made until then, of all kinds; >= 0, never falling.
        steps: taken until then; rising.
        seconds: spent in steps until then; >= 0, never falling.
        accuracy: held-out pass@1, in [0, 1].
        low: lower end of the interval over questions of each; empty where it is not known.
        high: upper end, likewise.
    """

    tokens: tuple[float, ...]
    steps: tuple[float, ...]
    seconds: tuple[float, ...]
    accuracy: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        sizes = {len(one) for one in (self.tokens, self.steps, self.seconds, self.accuracy)}
        if len(sizes) > 1 or {len(self.low), len(self.high)} - {0, len(self.accuracy)}:
            raise ValueError(f"the parts of a curve must be of one length, got {self!r}")
        for name in ("tokens", "steps", "seconds"):
            values = self.along(name)
            if any(b < a for a, b in itertools.pairwise(values)):
                raise ValueError(f"{name} of a curve must not fall, got {values!r}")

    def __len__(self) -> int:
        return len(self.accuracy)

    def along(self, axis: Axis) -> tuple[float, ...]:
        """Return the points' places on an axis."""
        return {"tokens": self.tokens, "steps": self.steps, "seconds": self.seconds}[axis]


class PairedRatio(NamedTuple):
    """What one arm spends until an accuracy, relative to another: < 1 where it spends less.

    Attributes:
        value: geometric mean over pairs of other / base; None without a pair that both reached.
        low: lower end of its interval of 95 %; None for fewer than two such pairs.
        high: upper end, likewise.
        pairs: pairs in which both reached it after the first evaluation; only they count above.
        only_base: pairs in which the base reached it and the other did not.
        only_other: the reverse.
        neither: pairs in which none did.
        at_start: pairs in which one was there at its first evaluation: nothing to divide.
    """

    value: float | None
    low: float | None
    high: float | None
    pairs: int
    only_base: int
    only_other: int
    neither: int
    at_start: int


def make_monotone(values: Sequence[float], how: MonotoneMethod = "isotonic") -> tuple[float, ...]:
    """Return the values so that none is below one before it.

    Args:
        values: as they were measured.
        how: "isotonic": the nearest such sequence by least squares (pool adjacent violators);
            "best": the highest so far, which one lucky evaluation lifts for good.
    """
    if how == "best":
        return tuple(float(value) for value in np.maximum.accumulate(np.asarray(values, float)))
    return fit_isotonic(values)


def cost_to_reach(
    curve: Curve, accuracy: float, *, by: Axis = "tokens", how: MonotoneMethod = "isotonic"
) -> float | None:
    """Return what a run had spent when it reached an accuracy; None where it did not.

    Args:
        curve: of the run.
        accuracy: in [0, 1].
        by: what is spent.
        how: as of ``make_monotone``.

    Returns:
        The place on the axis, on a straight line between two evaluations; that of the first
        evaluation where it was there from the beginning.
    """
    places, values = curve.along(by), make_monotone(curve.accuracy, how)
    for i, value in enumerate(values):
        if value >= accuracy:
            if i == 0:
                return float(places[0])
            share = (accuracy - values[i - 1]) / (value - values[i - 1])
            return float(places[i - 1] + share * (places[i] - places[i - 1]))
    return None


def tokens_to(curve: Curve, accuracy: float, *, how: MonotoneMethod = "isotonic") -> float | None:
    """Return the tokens a run had made when it reached an accuracy; None where it did not.

    Args:
        curve: of the run.
        accuracy: in [0, 1].
        how: as of ``make_monotone``.
    """
    return cost_to_reach(curve, accuracy, by="tokens", how=how)


def paired_ratio(
    base: Sequence[Curve],
    other: Sequence[Curve],
    accuracy: float | Sequence[float],
    *,
    by: Axis = "tokens",
    how: MonotoneMethod = "isotonic",
    method: IntervalMethod = "bootstrap",
    draws: int = DRAWS,
    seed: int = 0,
) -> PairedRatio:
    """Compare what two arms spend until an accuracy, pair by pair (as by seed).

        value = exp(mean over pairs of log(other / base))

    Args:
        base: a curve a pair, as of the baseline.
        other: a curve a pair, in the same order.
        accuracy: in [0, 1]; the same for all pairs, or one a pair.
        by: what is spent.
        how: as of ``make_monotone``.
        method: of the interval. "bootstrap": percentiles over pairs drawn with putting back; with
            few pairs (three, say) it is too narrow, as it knows no spread beyond theirs. "t":
            Student's t on the logarithms.
        draws: of the bootstrap.
        seed: likewise.

    Returns:
        The ratio. Pairs in which one did not get there cannot be divided, and are counted instead:
        a value beside many of those says little.

    Raises:
        ValueError: the arms have different numbers of curves, or there are not as many accuracies.
    """
    goals = [accuracy] * len(base) if isinstance(accuracy, int | float) else accuracy
    spent = [
        (cost_to_reach(a, goal, by=by, how=how), cost_to_reach(b, goal, by=by, how=how))
        for a, b, goal in zip(base, other, goals, strict=True)
    ]
    logs = [math.log(b / a) for a, b in spent if a and b]
    mean, low, high = interval_over_runs(logs, method=method, draws=draws, seed=seed)
    return PairedRatio(
        value=None if mean is None else math.exp(mean),
        low=None if low is None else math.exp(low),
        high=None if high is None else math.exp(high),
        pairs=len(logs),
        only_base=sum(a is not None and b is None for a, b in spent),
        only_other=sum(a is None and b is not None for a, b in spent),
        neither=sum(a is None and b is None for a, b in spent),
        at_start=sum(a is not None and b is not None and not (a and b) for a, b in spent),
    )
