"""A report in one or two sentences: what somebody who reads nothing else should know."""

from __future__ import annotations

from masa_rewards.score.report import Report

_EVEN = 0.01
"""Mean predicted and mean true pass rates that differ by less are the same, to a reader."""


def write_headline(report: Report) -> str:
    """Return whether the model knows its pass rate, and what of the work teaches nothing.

    Args:
        report: What scoring a file came to.

    Returns:
        One to three sentences; what is not known is not said.
    """
    said = [*_describe_foresight(report), *_describe_groups(report)]
    return " ".join(said) or "There is nothing to judge in this file."


def _describe_foresight(report: Report) -> list[str]:
    rate = report.pass_rate
    error, baseline = rate.error.absolute, rate.baseline.absolute
    if error is None or baseline is None or rate.predicted is None or rate.true is None:
        return []
    than = "better than" if error < baseline else "worse than" if error > baseline else "as well as"
    off = rate.predicted - rate.true
    bias = (
        "on average it judges itself right"
        if abs(off) < _EVEN
        else f"it {'over' if off > 0 else 'under'}estimates itself by {abs(off) * 100:.0f} points"
    )
    return [
        f"The model knows its pass rate {than} a constant would: "
        f"off by {error * 100:.0f} points on average, against {baseline * 100:.0f} for "
        f"always saying {rate.true:.0%}; {bias}."
    ]


def _describe_groups(report: Report) -> list[str]:
    gate = report.gate
    if gate.ceiling is None or gate.all_right.share is None or gate.all_wrong.share is None:
        return []
    return [
        f"{gate.ceiling:.0%} of the {gate.unit} went into groups that teach nothing "
        f"({gate.all_right.share:.0%} all right, {gate.all_wrong.share:.0%} all wrong)."
    ]
