"""What a gate would save on this file, as in a report."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Unit = Literal["tokens", "characters"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ShareEstimate(_Frozen):
    """A share in [0, 1] with Wilson's interval of 95 %; None where it is of nothing."""

    value: float | None
    low: float | None
    high: float | None


class GroupShare(_Frozen):
    """Some of the groups.

    Attributes:
        groups: How many.
        amount: What their rollouts took, in the report's unit.
        share: Of what all groups took, in [0, 1]; None where nothing was taken.
    """

    groups: int
    amount: int
    share: float | None


class GateRuleReport(_Frozen):
    """What one rule would have done, over the groups that have predictions.

    Attributes:
        max_std: gate.max_std of the rule.
        tolerance: gate.tolerance of the rule.
        skipped: Groups that it would have skipped.
        right: Of these, those without variance, at the end that was foreseen.
        missed: Groups without variance that it would have rolled out.
        precision: right / skipped.
        recall: right / (right + missed).
        amount_skipped: What the rollouts of the skipped groups took.
        amount_lost: Of that, what groups with a variance took, which would have been learnt from.
        relative_cost: Tokens (or characters) per group with variance, relative to no gate: the
            amount that would have been rolled out and predicted by the groups with variance left
            in it, divided by the same without a gate. Lower is better; above 1 where predictions
            cost more than they spare. None where no such group is left. What predictions took is
            left out where it is not known.
    """

    max_std: float
    tolerance: float
    skipped: int
    right: int
    missed: int
    precision: ShareEstimate
    recall: ShareEstimate
    amount_skipped: int
    amount_lost: int
    relative_cost: float | None


class PredictionCost(_Frozen):
    """What it took to predict.

    Attributes:
        groups: Groups with a prediction.
        predictions: Their predictions.
        rollout_amount: What the rollouts of these groups took, in the report's unit.
        amount: What the predictions took. In tokens it is estimated, by the tokens a character of
            the solutions in the file. None where a prediction is not given as text.
        share: amount / rollout_amount.
    """

    groups: int
    predictions: int
    rollout_amount: int
    amount: int | None
    share: float | None


class GateVerdict(_Frozen):
    """Whether a gate pays on this file.

    Attributes:
        answer: "yes", "not yet" (predictions do not tell well enough), "no", "maybe" (there are no
            predictions), "unknown" (there are no groups).
        sentence: Why, in a sentence or two.
        settings: What to set in masa-openrlhf for it, as lines of TOML.
    """

    answer: Literal["yes", "not yet", "no", "maybe", "unknown"]
    sentence: str
    settings: tuple[str, ...]


class GateReport(_Frozen):
    """What a gate would save on this file.

    A group is a problem with at least two rollouts that were judged. It is without variance when
    they are all right, or all wrong.

    Attributes:
        groups: How many there are.
        unit: What amounts are in: tokens; characters where the file does not state all lengths.
        amount: What the rollouts of all groups took.
        all_right: Groups whose rollouts are all right.
        all_wrong: Groups whose rollouts are all wrong.
        ceiling: Share of the amount that a perfect predictor, free of cost, would spare: that of
            groups without variance. None without a group.
        by_pass_rate: Share of the amount by the true pass rate of the group: 0, below a quarter,
            from there below a half, below three quarters, below 1, and 1.
        cost: What it took to predict; None without a prediction.
        rules: The paper's rule first, then wider ones; none without a prediction.
        verdict: Whether a gate pays.
    """

    groups: int
    unit: Unit
    amount: int
    all_right: GroupShare
    all_wrong: GroupShare
    ceiling: float | None
    by_pass_rate: tuple[float, ...]
    cost: PredictionCost | None
    rules: tuple[GateRuleReport, ...]
    verdict: GateVerdict
