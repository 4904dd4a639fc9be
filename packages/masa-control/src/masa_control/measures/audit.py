"""Audits: what a decision forgoes is looked at all the same now and then, by chance.

A gate that skips a problem never sees whether it was right to; a cutoff never sees how a rollout
would have ended. So a share ε of what a decision would forgo goes on as if nothing had been
decided. Each audited case stands for 1/ε like it, whatever the policy has become in the meantime
(Horvitz and Thompson). The paper has no such thing: there a skipped problem is never looked at
again.
"""

from __future__ import annotations

import hashlib
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from masa_rewards.statistics import UNKNOWN, Z95, Interval, student_t_quantile, wilson_interval
from pydantic import SerializerFunctionWrapHandler, WrapSerializer

from masa_control.state import Number


def draw_audit(*names: object) -> float:
    """Return a number in [0, 1) that depends on the names alone.

    So an audit falls alike whatever the order of problems, on whichever machine, after a resume.

    Args:
        *names: what the draw is for: the run's seed, the decision, the step, the problem.
    """
    text = "/".join(map(str, names))
    digest = hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


@dataclass(frozen=True, slots=True)
class ConfusionCounts:
    """Sums over problems from which precision, recall and F1 of a decision follow; they add up.

    A problem flags f units (the gate: the problem itself, 1; the cutoff: its rollouts that are, or
    would be, cut). Of an audited problem it is known how many of them were flagged rightly: t. Its
    weight is w = 1/ε. The number of flagged units, and of those that should have been flagged and
    were not, is known of every problem.

    Attributes:
        problems: problems with f > 0.
        flagged: Σ f, all problems.
        missed: units that should have been flagged and were not (false negatives), all problems.
        audits: audited problems with f > 0.
        weighted_flagged: Σ w f.
        weighted_right: Σ w t.
        ff: Σ w² f².
        ft: Σ w² f t.
        tt: Σ w² t².
        missed_spread: Σ (u² - u) m², where each m missed units stand for u like them and `missed`
            is Σ u m: the variance of that estimate. 0 where all missed units are known.
        outside: audits of problems that were not flagged, where chance decides which are.
    """

    problems: Number = 0.0
    flagged: Number = 0.0
    missed: Number = 0.0
    audits: Number = 0.0
    weighted_flagged: Number = 0.0
    weighted_right: Number = 0.0
    ff: Number = 0.0
    ft: Number = 0.0
    tt: Number = 0.0
    missed_spread: Number = 0.0
    outside: Number = 0.0

    @staticmethod
    def of(
        flagged: int, missed: int, *, right: int | None = None, weight: float | None = None
    ) -> ConfusionCounts:
        """Return the tally of one problem.

        Args:
            flagged: f, >= 0.
            missed: units that should have been flagged and were not, >= 0.
            right: t in [0, f] where the problem was audited; None where not.
            weight: w = 1/ε >= 1 of an audited problem.

        Raises:
            ValueError: numbers that cannot be.
        """
        if flagged < 0 or missed < 0:
            raise ValueError(f"counts must be >= 0, got flagged {flagged!r}, missed {missed!r}")
        base = ConfusionCounts(
            problems=float(flagged > 0), flagged=float(flagged), missed=float(missed)
        )
        if right is None or not flagged:
            return base
        if weight is None or not 1 <= weight < math.inf or not 0 <= right <= flagged:
            raise ValueError(
                f"an audited problem needs 0 <= right <= flagged and a weight >= 1, got right "
                f"{right!r} of {flagged!r} with weight {weight!r}"
            )
        f, t, w = float(flagged), float(right), float(weight)
        return base + ConfusionCounts(
            0, 0, 0, 1, w * f, w * t, w * w * f * f, w * w * f * t, w * w * t * t
        )

    @staticmethod
    def miss(units: float, weight: float) -> ConfusionCounts:
        """Return the tally of a problem that was not flagged, and stands for others like it.

        Args:
            units: those that should have been flagged, >= 0.
            weight: how many problems it stands for, u >= 1.
        """
        spread = (weight * weight - weight) * units * units
        return ConfusionCounts(missed=weight * units, missed_spread=spread)

    @staticmethod
    def kept(right: int, keep: float, weight: float = 1.0) -> ConfusionCounts:
        """Return the tally of a problem that chance kept, of a decision that skips by chance.

        It is two things. It was not skipped, and is missed where it should have been. And it stands
        for 1 / keep - 1 problems like it that were: their number is Σ (1 - keep), of which the
        sum of 1 / keep - 1 over kept problems is an unbiased estimate.

        Args:
            right: whether it should have been skipped, 0 or 1.
            keep: probability with which it was kept, in (0, 1].
            weight: how many kept problems it stands for, >= 1: those of which nobody knows, and
                that are not counted.

        Raises:
            ValueError: numbers that cannot be.
        """
        if right not in (0, 1) or not 0 < keep <= 1 or not 1 <= weight < math.inf:
            raise ValueError(
                f"a kept problem is right or not, with a probability in (0, 1] and a weight >= 1, "
                f"got right {right!r}, keep {keep!r} and weight {weight!r}"
            )
        missed = ConfusionCounts.miss(right, weight)
        w, t = weight * (1 / keep - 1), float(right)
        if not w:
            return missed
        sums = ConfusionCounts(0, 0, 0, 1, w, w * t, w * w, w * w * t, w * w * t, outside=1)
        return missed + sums

    def __add__(self, other: ConfusionCounts) -> ConfusionCounts:
        return ConfusionCounts(*map(operator.add, _list_sums(self), _list_sums(other)))

    def __sub__(self, other: ConfusionCounts) -> ConfusionCounts:
        return ConfusionCounts(*map(operator.sub, _list_sums(self), _list_sums(other)))

    @property
    def precision(self) -> Interval:
        """Share of flagged units that were flagged rightly.

        With one unit a problem (the gate) and one ε this is the mean over the audited problems: of
        those that were flagged an even sample, so it is unbiased for them. With several units a
        problem it is a ratio of unbiased totals. The interval is Wilson's, on as many independent
        cases as the variance between problems says there are, and closes as all are audited.
        """
        if not self.audits or not self.weighted_flagged or not self.flagged:
            return UNKNOWN
        share = min(1.0, self.weighted_right / self.weighted_flagged)
        cases = self._cases(share)
        if self.outside:
            # Those that were skipped are not among those that were looked at: they vary too.
            return wilson_interval(share, 1 / (1 / cases + 1 / self.flagged))
        left = 1 - min(1.0, self.audits / self.problems)
        cases = cases / left if left > 0 else math.inf
        return wilson_interval(share, cases)

    @property
    def expected_precision(self) -> Interval:
        """The precision that problems to come can expect, if they are as these were.

        The share is the same. The interval does not close as all are audited: it is not about the
        problems at hand, of which all is known then, but about what they are a sample of.
        """
        if not self.audits or not self.weighted_flagged:
            return UNKNOWN
        share = min(1.0, self.weighted_right / self.weighted_flagged)
        return wilson_interval(share, self._cases(share))

    def _cases(self, share: float) -> float:
        """Independent cases that the audits are worth."""
        problems = self.weighted_flagged**2 / self.ff  # Kish's number, of unequal weights
        between = self.tt - 2 * share * self.ft + share * share * self.ff
        variance = between / self.weighted_flagged**2
        # Where all audits agree, their variance says nothing: a problem is a case then.
        if not (0 < share < 1 and variance > 0):
            return problems
        cases = share * (1 - share) / variance
        # Beyond a case a problem they rest on a variance that few problems show, and badly: divide
        # by k - 1 and take Student's t, here t² = z² (1 + (z² + 1) / 2(k - 1)).
        free = max(problems - 1, 0.0)
        sure = cases * free / problems * free / (free + (Z95 * Z95 + 1) / 2)
        return max(1.0, min(cases, problems), sure)

    @property
    def recall(self) -> Interval:
        """Share of the units that should have been flagged which were.

        Not known where there was, by the estimate, none that should have been.
        """
        if self.flagged and not self.missed and not self.weighted_right:
            return UNKNOWN
        return self._of_precision(
            lambda precision, missed: _safe_ratio(
                self.flagged * precision, self.flagged * precision + missed
            )
        )

    @property
    def f1(self) -> Interval:
        """Harmonic mean of precision and recall: 2 TP / (flagged + TP + missed)."""
        return self._of_precision(
            lambda precision, missed: _safe_ratio(
                2 * self.flagged * precision, self.flagged * (1 + precision) + missed
            )
        )

    def _of_precision(self, figure: Callable[[float, float], float]) -> Interval:
        """Carry precision's interval over: the figure grows with it, and falls with what is missed.

        Where that is an estimate too, what each of them leaves open is added in squares (MOVER;
        Zou and Donner, 2008).
        """
        precision = self.precision
        if not self.flagged:
            # Nothing was flagged: nothing was found, if there was something to find.
            return Interval(0.0, 0.0, 0.0) if self.missed else UNKNOWN
        if precision.value is None or precision.low is None or precision.high is None:
            return UNKNOWN
        ends = [figure(p, self.missed) for p in (precision.value, precision.low, precision.high)]
        if self.missed_spread:
            half = Z95 * math.sqrt(self.missed_spread)
            value = ends[0]
            more = figure(precision.value, self.missed + half)
            fewer = figure(precision.value, max(self.missed - half, 0.0))
            ends[1] = max(0.0, value - math.hypot(value - ends[1], value - more))
            ends[2] = min(1.0, value + math.hypot(ends[2] - value, fewer - value))
        return Interval(*ends)

    def figures(self, area: str) -> dict[str, float]:
        """Return precision, recall and F1, with ends, as far as they are known."""
        found: dict[str, float] = {}
        for name in ("precision", "recall", "f1"):
            interval: Interval = getattr(self, name)
            for end, value in zip(("", "_low", "_high"), interval, strict=True):
                if value is not None:
                    found[f"{area}_{name}{end}"] = value
        return found


def _safe_ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


@dataclass(frozen=True, slots=True)
class SavingsEstimate:
    """What was spared in all, of which audits show a part; they add up.

    How many units were forgone is known (the gate: problems that were skipped; the cutoff: rollouts
    that were cut), and audits say what one is worth. So the total is

        forgone * Σ v a / Σ v f,   v = 1/ε - 1

    over audited problems of f units that would have cost the amount a. An audited problem itself
    went on and forwent nothing; it stands for 1/ε - 1 that did. Beside the sum of v a alone
    (Horvitz and Thompson), the ratio does not vary with how many audits fell, only with how the
    amounts differ.

    Attributes:
        forgone: Σ f of the problems that were not audited.
        audits: audited problems with f > 0.
        units: Σ v f.
        amount: Σ v a.
        ff: Σ (v² + v) f².
        fa: Σ (v² + v) f a.
        aa: Σ (v² + v) a².
    """

    forgone: Number = 0.0
    audits: Number = 0.0
    units: Number = 0.0
    amount: Number = 0.0
    ff: Number = 0.0
    fa: Number = 0.0
    aa: Number = 0.0

    @staticmethod
    def audited(units: int, amount: float, share: float) -> SavingsEstimate:
        """Return what one audited problem says.

        Args:
            units: f, what the decision would have forgone here, >= 0.
            amount: a, what that would have spared, >= 0.
            share: ε in (0, 1].

        Raises:
            ValueError: numbers that cannot be.
        """
        if not 0 < share <= 1:
            raise ValueError(f"the share that is audited must lie in (0, 1], got {share!r}")
        if units < 0 or amount < 0:
            raise ValueError(f"units and amount must be >= 0, got {units!r} and {amount!r}")
        if not units:
            return SavingsEstimate()
        v, f, a = 1 / share - 1, float(units), float(amount)
        vv = v * v + v
        return SavingsEstimate(0.0, 1.0, v * f, v * a, vv * f * f, vv * f * a, vv * a * a)

    def __add__(self, other: SavingsEstimate) -> SavingsEstimate:
        return SavingsEstimate(*map(operator.add, _list_sums(self), _list_sums(other)))

    @property
    def interval(self) -> Interval:
        """The estimate with an interval of 95 %, by Student's t on the audits.

        0 where nothing was forgone; not known with fewer than two audits.
        """
        if not self.forgone:
            return Interval(0.0, 0.0, 0.0)
        if self.audits < 2 or not self.units:
            return UNKNOWN
        mean, scale = self.amount / self.units, self.forgone / self.units
        squares = max(0.0, self.aa - 2 * mean * self.fa + mean * mean * self.ff)
        free = round(self.audits) - 1
        variance = scale * scale * squares * (self.audits / free)
        half = student_t_quantile(free) * math.sqrt(variance)
        value = self.forgone * mean
        return Interval(value, max(0.0, value - half), value + half)


def _drop_unused(counts: object, handler: SerializerFunctionWrapHandler) -> object:
    """Leave out what only some runs count, so that a state of the others is what it was."""
    found = handler(counts)
    return {k: v for k, v in found.items() if v or k not in ("missed_spread", "outside")}


SavedCounts = Annotated[ConfusionCounts, WrapSerializer(_drop_unused)]
"""Counts in a saved state."""


def _list_sums(sums: ConfusionCounts | SavingsEstimate) -> list[float]:
    return [getattr(sums, name) for name in sums.__slots__]
