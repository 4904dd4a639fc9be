"""Sums what the savings of a gate need, problem by problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from masa_rewards.gate_rule import PAPER_MAX_STD, PAPER_TOLERANCE, GroupEnd, foresee_group_end
from masa_rewards.score.gate.savings import (
    GateReport,
    GateRuleReport,
    GroupShare,
    PredictionCost,
    ShareEstimate,
    Unit,
)
from masa_rewards.score.gate.verdict import NO_VERDICT, judge_savings
from masa_rewards.statistics import UNKNOWN, wilson_interval

_RULES = (
    (PAPER_MAX_STD, PAPER_TOLERANCE),
    (0.1, 0.05),
    (0.1, 0.1),
    (0.2, 0.1),
    (0.2, 0.2),
)
"""(max_std, tolerance) of the paper's rule, and of wider ones."""

_BINS = 6


class TextAmount(NamedTuple):
    """How much text there is.

    Attributes:
        tokens: In tokens; None where some length is not stated.
        characters: In characters; None where some text is not given.
    """

    tokens: int | None
    characters: int | None


@dataclass
class _AmountSums:
    tokens: int = 0
    characters: int = 0

    def add(self, amount: TextAmount) -> None:
        self.tokens += amount.tokens or 0
        self.characters += amount.characters or 0

    def read(self, unit: Unit) -> int:
        return self.tokens if unit == "tokens" else self.characters


@dataclass
class _GroupSums:
    groups: int = 0
    amount: _AmountSums = field(default_factory=_AmountSums)

    def add(self, amount: TextAmount) -> None:
        self.groups += 1
        self.amount.add(amount)


@dataclass
class _RuleSums:
    skipped: int = 0
    right: int = 0
    missed: int = 0
    amount_skipped: _AmountSums = field(default_factory=_AmountSums)
    amount_lost: _AmountSums = field(default_factory=_AmountSums)
    useful: int = 0
    useful_kept: int = 0

    def add(self, foreseen: GroupEnd | None, true: GroupEnd | None, amount: TextAmount) -> None:
        """As the trainer counts: right is at the end that was foreseen, missed at either."""
        self.useful += true is None
        if foreseen is None:
            self.useful_kept += true is None
            self.missed += true is not None
            return
        self.skipped += 1
        self.right += foreseen == true
        self.amount_skipped.add(amount)
        if true is None:
            self.amount_lost.add(amount)


class GateTally:
    """Sums what a `GateReport` needs; it keeps no problem."""

    def __init__(self) -> None:
        self._all = _GroupSums()
        self._ends: dict[GroupEnd, _GroupSums] = {
            "all_right": _GroupSums(),
            "all_wrong": _GroupSums(),
        }
        self._bins = [_AmountSums() for _ in range(_BINS)]
        self._predicted = _GroupSums()
        self._predictions = 0
        self._prediction_characters: int | None = 0
        self._has_tokens = True
        self._rules = {rule: _RuleSums() for rule in _RULES}

    def add(
        self,
        verdicts: Sequence[bool],
        amount: TextAmount,
        pass_rates: Sequence[float | None],
        prediction_characters: int | None,
    ) -> None:
        """Add one problem. One with fewer than two judged rollouts is no group, and passed over.

        Args:
            verdicts: Whether each judged rollout is right.
            amount: What all its rollouts took.
            pass_rates: Its predicted pass rates in [0, 1]; None for one that could not be read.
            prediction_characters: How long the texts of its predictions are together; None where
                one is not given as text.
        """
        if len(verdicts) < 2:
            return
        rate = sum(verdicts) / len(verdicts)
        true: GroupEnd | None = {0.0: "all_wrong", 1.0: "all_right"}.get(rate)  # type: ignore[assignment]
        self._has_tokens &= amount.tokens is not None
        self._all.add(amount)
        self._bins[_find_bin(rate)].add(amount)
        if true is not None:
            self._ends[true].add(amount)
        if not pass_rates:
            return
        self._predicted.add(amount)
        self._predictions += len(pass_rates)
        if prediction_characters is None or self._prediction_characters is None:
            self._prediction_characters = None
        else:
            self._prediction_characters += prediction_characters
        for (max_std, tolerance), sums in self._rules.items():
            foreseen = foresee_group_end(pass_rates, max_std=max_std, tolerance=tolerance)
            sums.add(foreseen, true, amount)

    def report(self) -> GateReport:
        """What it comes to."""
        unit: Unit = "tokens" if self._has_tokens else "characters"
        amount = self._all.amount.read(unit)
        ends = {end: _share_groups(sums, unit, amount) for end, sums in self._ends.items()}
        cost = self._cost(unit)
        rules = [_report_rule(*rule, sums, unit, cost) for rule, sums in self._rules.items()]
        report = GateReport(
            groups=self._all.groups,
            unit=unit,
            amount=amount,
            all_right=ends["all_right"],
            all_wrong=ends["all_wrong"],
            ceiling=sum(end.amount for end in ends.values()) / amount if amount else None,
            by_pass_rate=tuple(sums.read(unit) / amount if amount else 0.0 for sums in self._bins),
            cost=cost,
            rules=tuple(rules) if cost else (),
            verdict=NO_VERDICT,
        )
        return report.model_copy(update={"verdict": judge_savings(report)})

    def _cost(self, unit: Unit) -> PredictionCost | None:
        if not self._predictions:
            return None
        rollouts = self._predicted.amount.read(unit)
        amount = self._prediction_characters
        if unit == "tokens" and amount is not None:
            solutions = self._predicted.amount
            known = solutions.characters > 0
            amount = round(amount * solutions.tokens / solutions.characters) if known else None
        return PredictionCost(
            groups=self._predicted.groups,
            predictions=self._predictions,
            rollout_amount=rollouts,
            amount=amount,
            share=amount / rollouts if amount is not None and rollouts else None,
        )


def _find_bin(rate: float) -> int:
    if rate in (0.0, 1.0):
        return _BINS - 1 if rate else 0
    return 1 + int(rate * (_BINS - 2))


def _share_groups(sums: _GroupSums, unit: Unit, whole: int) -> GroupShare:
    amount = sums.amount.read(unit)
    return GroupShare(groups=sums.groups, amount=amount, share=amount / whole if whole else None)


def _report_rule(
    max_std: float, tolerance: float, sums: _RuleSums, unit: Unit, cost: PredictionCost | None
) -> GateRuleReport:
    skipped = sums.amount_skipped.read(unit)
    return GateRuleReport(
        max_std=max_std,
        tolerance=tolerance,
        skipped=sums.skipped,
        right=sums.right,
        missed=sums.missed,
        precision=_estimate_share(sums.right, sums.skipped),
        recall=_estimate_share(sums.right, sums.right + sums.missed),
        amount_skipped=skipped,
        amount_lost=sums.amount_lost.read(unit),
        relative_cost=_compare_cost(sums, skipped, cost),
    )


def _compare_cost(sums: _RuleSums, skipped: int, cost: PredictionCost | None) -> float | None:
    """Amount per group with variance with the gate, relative to that without it."""
    if cost is None or not sums.useful_kept or not cost.rollout_amount:
        return None
    spent = cost.rollout_amount - skipped + (cost.amount or 0)
    return (spent / sums.useful_kept) / (cost.rollout_amount / sums.useful)


def _estimate_share(part: int, whole: int) -> ShareEstimate:
    value, low, high = wilson_interval(part / whole, whole) if whole else UNKNOWN
    return ShareEstimate(value=value, low=low, high=high)
