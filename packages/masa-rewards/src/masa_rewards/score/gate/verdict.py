"""Does a gate pay on this file, and what is to be set for it?"""

from __future__ import annotations

import math

from masa_rewards.score.gate.savings import GateReport, GateRuleReport, GateVerdict, PredictionCost

LITTLE = 0.1
"""A gate that can spare less than this share at best is not worth its predictions."""

SURE = 0.9
"""Precision from which on a rule is trusted: that which the audited gate holds by default."""

SURELY = 0.7
"""And the lower end of its interval: nine of nine are enough, two of two are not."""

FEW = 20
"""With fewer groups a verdict is a hint."""

_EFFICIENT = 'mode = "masa-efficient"'
_WAIT = (
    _EFFICIENT,
    'schedule.rule = "aligned"  # predictions decide once they tell well enough',
)

NO_VERDICT = GateVerdict(answer="unknown", sentence="", settings=())


def judge_savings(report: GateReport) -> GateVerdict:
    """Say whether a gate pays, why, and what to set in masa-openrlhf.

    - No group: unknown.
    - Groups without variance took less than a tenth: no.
    - No predictions: maybe; it pays while predictions cost less than those groups took.
    - Predictions cost more than those groups took: no, with so many or so long predictions.
    - No rule has a precision of at least 0.9, surely at least 0.7: not yet.
    - Else yes, with the rule by which a group that teaches takes least; it was chosen on the file
      it is judged by.

    Args:
        report: The sums; its own verdict is passed over.
    """
    if report.ceiling is None:
        return GateVerdict(
            answer="unknown",
            sentence="There is no problem with two judged rollouts: nothing can be said of groups. "
            "Give at least two rollouts a problem, each with `correct` or with an `answer`.",
            settings=(),
        )
    verdict = _judge_groups(report, report.ceiling)
    if report.groups >= FEW:
        return verdict
    hint = f" This rests on {report.groups} groups only: a hint, no more."
    return verdict.model_copy(update={"sentence": verdict.sentence + hint})


def _judge_groups(report: GateReport, ceiling: float) -> GateVerdict:
    if ceiling < LITTLE:
        return GateVerdict(
            answer="no",
            sentence=f"Groups without variance took {ceiling:.0%} of the {report.unit}: even a "
            "perfect gate would spare no more.",
            settings=('mode = "masa"  # the rewards, without a gate',),
        )
    if report.cost is None:
        return _judge_without_predictions(report, ceiling)
    return _judge_predictions(report, report.cost, ceiling)


def _judge_without_predictions(report: GateReport, ceiling: float) -> GateVerdict:
    allowed = ceiling * report.amount / report.groups
    return GateVerdict(
        answer="maybe",
        sentence=f"A perfect gate would spare {ceiling:.0%} of the {report.unit}. It pays if the "
        f"predictions of a problem take clearly less than {allowed:,.0f} {report.unit} together, "
        "and tell those groups apart, which this file cannot show: it has no predictions.",
        settings=(
            _EFFICIENT,
            f"meta.rollouts = 8  # of at most {allowed / 8:,.0f} {report.unit} each, to break even",
        ),
    )


def _judge_predictions(report: GateReport, cost: PredictionCost, ceiling: float) -> GateVerdict:
    if cost.share is not None and cost.share >= ceiling:
        each = cost.predictions / cost.groups
        return GateVerdict(
            answer="no",
            sentence=f"The predictions took {cost.share:.0%} of what the rollouts did, and a "
            f"perfect gate would spare {ceiling:.0%}: ask for fewer than {each:.0f} a problem, or "
            "for shorter ones.",
            settings=(f"meta.rollouts = {max(1, int(each) // 2)}",),
        )
    trusted = [rule for rule in report.rules if _is_trusted(rule)]
    if not trusted:
        return _judge_untrusted(report.rules[0])
    best = min(trusted, key=lambda rule: math.inf if (r := rule.relative_cost) is None else r)
    if best.relative_cost is not None and best.relative_cost >= 1:
        return GateVerdict(
            answer="not yet",
            sentence="No rule that can be trusted skips enough to pay for the predictions, which "
            f"took {cost.share or 0:.0%} of what the rollouts did.",
            settings=_WAIT,
        )
    return _recommend_rule(report, best, cost)


def _is_trusted(rule: GateRuleReport) -> bool:
    precision = rule.precision
    return (precision.value or 0.0) >= SURE and (precision.low or 0.0) >= SURELY


def _judge_untrusted(paper: GateRuleReport) -> GateVerdict:
    said = (
        f"The paper's rule would have been right in {paper.precision.value:.0%} of what it skips"
        if paper.skipped
        else "By these predictions the paper's rule would have skipped nothing"
    )
    why = (
        f"{said}, and no wider one can be trusted (a precision of {SURE:.0%}, surely {SURELY:.0%})."
    )
    return GateVerdict(
        answer="not yet",
        sentence=f"{why} The model has to learn to predict first.",
        settings=_WAIT,
    )


def _recommend_rule(report: GateReport, best: GateRuleReport, cost: PredictionCost) -> GateVerdict:
    is_paper = best == report.rules[0]
    ratio = best.relative_cost
    saved = "fewer" if ratio is None else f"{1 - ratio:.0%} fewer"
    shown = "" if ratio is None else f" (ratio {ratio:.2f})"
    paid = "predictions counted" if cost.amount is not None else "predictions not counted"
    rule = "The paper's" if is_paper else "A wider"
    sentence = (
        f"{rule} rule would use {saved} {report.unit} per group with variance{shown}, {paid}, "
        f"and be right in {best.precision.value:.0%} of what it skips."
    )
    static = (
        'gate.rule = "static"',
        f"gate.max_std = {best.max_std}",
        f"gate.tolerance = {best.tolerance}",
    )
    if is_paper:
        return GateVerdict(answer="yes", sentence=sentence, settings=(_EFFICIENT, *static[:1]))
    return GateVerdict(
        answer="yes",
        sentence=f"{sentence} It was chosen on this very file, so expect less; the audited gate "
        "follows while training.",
        settings=(
            _EFFICIENT,
            'gate.rule = "audited"  # or the rule above:',
            *_write_as_comments(static),
        ),
    )


def _write_as_comments(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"# {line}" for line in lines)
