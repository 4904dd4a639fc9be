"""A report as plain text, within 80 columns."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator

from masa_rewards.score.calibration import LengthReport, PassRateReport
from masa_rewards.score.gate.text import render_gate, render_verdict
from masa_rewards.score.headline import write_headline
from masa_rewards.score.report import Estimate, NotionReport, NotionRow, Report, RewardEstimates

_BAR = 20
_NAME = 32


def render_report(report: Report) -> str:
    """Lay a report out for people.

    Args:
        report: What scoring a file came to.

    Returns:
        Lines of at most 80 columns, with "-" for what is not defined.
    """
    parts = [_render_headline(report), _render_head(report), render_gate(report.gate)]
    if report.predictions:
        parts += [
            _render_rewards(report.rewards),
            _render_pass_rate(report.pass_rate),
            _render_length(report.length),
            _render_unreadable(report),
        ]
    parts.append(_render_verdicts(report))
    if report.predictions:
        parts.append(_render_notions(report.notions, report.settings.notion_counting))
    parts.append(_render_unscored(report))
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part))) + "\n"


def _render_headline(report: Report) -> Iterator[str]:
    yield from textwrap.wrap(write_headline(report), 80)
    yield from render_verdict(report.gate)
    for note in report.notes:
        yield from textwrap.wrap(f"({note})", 80, subsequent_indent=" ")


def _render_head(report: Report) -> Iterator[str]:
    lines = report.lines
    yield (
        f"{report.problems:,} problems, {report.rollouts:,} rollouts "
        f"({report.correct:,} correct), {report.predictions:,} predictions"
    )
    if lines.stopped:
        yield from _wrap_lines("NOT READ TO THE END: ", lines.stopped)
    if lines.bad:
        yield f"bad lines, not among them: {lines.bad:,}"
    if report.repeated_problems:
        yield f"lines with a problem that stood in one before: {report.repeated_problems:,}"
        yield "  (they count as problems of their own: the intervals are too narrow)"


def _render_rewards(rewards: RewardEstimates) -> Iterator[str]:
    yield (
        f"Rewards: mean over {rewards.predictions:,} predictions, 95 % interval by "
        f"{rewards.problems:,} problems"
    )
    for name in ("total", "length", "difficulty", "notion"):
        estimate: Estimate = getattr(rewards, name)
        between = f"[{_format_number(estimate.low)}, {_format_number(estimate.high)}]"
        yield f"  {name:<12}{_format_number(estimate.mean)}  {between}"
    if rewards.problems == 1:
        yield "  (one problem: no interval)"


def _render_pass_rate(rate: PassRateReport) -> Iterator[str]:
    yield (
        f"Pass rate: {rate.predictions:,} predictions, mean predicted "
        f"{_format_number(rate.predicted)}, true {_format_number(rate.true)}"
    )
    if not rate.predictions:
        return
    yield f"{'':<26}{'predictions':>12}{'always ' + _format_number(rate.true):>16}"
    for name, key in (
        ("mean absolute error", "absolute"),
        ("Brier score", "brier"),
        ("difficulty reward", "difficulty"),
    ):
        ours, constant = getattr(rate.error, key), getattr(rate.baseline, key)
        yield f"  {name:<24}{_format_number(ours):>12}{_format_number(constant):>16}"
    yield f"  {'correlation':<24}{_format_number(rate.correlation):>12}{'-':>16}"
    yield f"  {'calibration error':<24}{_format_number(rate.calibration_error):>12}{'-':>16}"
    yield ""
    yield "  predicted   true   predictions"
    for row in rate.table:
        bar = "#" * round(_BAR * row.true)
        yield f"  {row.predicted:>9.3f}  {row.true:.3f}  {row.predictions:>12,}  |{bar:<{_BAR}}|"


def _render_length(length: LengthReport) -> Iterator[str]:
    yield f"Length: {length.predictions:,} predictions of problems with a correct rollout"
    if length.predictions:
        for name in ("below", "within", "above"):
            count: int = getattr(length, name)
            yield f"  {name:<12}{count / length.predictions:>6.1%}  ({count:,})"
        if length.ratio_quartiles:
            first, middle, third = length.ratio_quartiles
            yield (
                f"  predicted / true median: {middle:.2f} (half of them from {first:.2f} to "
                f"{third:.2f})"
            )
        yield f"  correlation {_format_number(length.correlation)}"
    if length.no_correct:
        yield f"  left out, as no rollout of the problem is correct: {length.no_correct:,}"


def _render_unreadable(report: Report) -> Iterator[str]:
    yield "Unreadable components, by reason"
    for component, reasons in report.unreadable.items():
        counts = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
        yield from _wrap_lines(f"  {component:<12}{sum(reasons.values()):>8,}  ", counts)


def _render_verdicts(report: Report) -> Iterator[str]:
    if report.verdicts:
        counts = ", ".join(f"{status} {count:,}" for status, count in report.verdicts.items())
        yield from _wrap_lines("Verdicts: ", counts)
    if report.targets:
        counts = ", ".join(f"{reason} {count:,}" for reason, count in report.targets.items())
        yield from _wrap_lines("Answers that only the same text matches: ", counts)


def _render_notions(notions: NotionReport, counting: str) -> Iterator[str]:
    yield f"Notions: {notions.distinct:,} different ones, counted by {counting}"
    yield (
        f"  left out: {notions.in_problem:,} that the problem holds, {notions.not_admitted:,} that "
        "the rules do not admit"
    )
    if notions.forgotten:
        yield f"  forgotten, so that memory stays bounded: {notions.forgotten:,}"
    for title, rows in (("best", notions.best), ("worst", notions.worst)):
        if rows:
            yield f"  {title:<{_NAME}} predicted rewarded/problems    right    wrong"
            yield from map(_render_notion, rows)


def _render_notion(row: NotionRow) -> str:
    rewarded = f"{row.rewarded:,} / {row.problems:,}"
    return (
        f"  {_fit_name(row.notion)} {row.predictions:>9,} {rewarded:>17} "
        f"{_format_percent(row.correct)} {_format_percent(row.incorrect)}"
    )


def _render_unscored(report: Report) -> Iterator[str]:
    counts = report.unscored
    left_out = {
        "rollouts left out, as the verifier took too long": counts.rollouts_timeout,
        "rollouts left out, as the verifier failed": counts.rollouts_error,
        "rollouts left out, as their correctness is not given": counts.rollouts_unknown,
        "predictions of problems without a rollout": counts.predictions_no_rollouts,
        "predictions of problems all of whose rollouts were left out": (
            counts.predictions_none_verified
        ),
        "predictions of problems with a rollout whose length is not stated": (
            counts.predictions_no_lengths
        ),
    }
    if any(left_out.values()):
        yield "Not judged"
        yield from (f"  {what}: {count:,}" for what, count in left_out.items() if count)


def _format_number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _format_percent(value: float | None) -> str:
    return f"{'-':>8}" if value is None else f"{value:>8.1%}"


def _fit_name(notion: str) -> str:
    """Exactly `_NAME` columns of it: Chinese and Japanese characters take two."""
    plain = "".join(char if char.isprintable() else "?" for char in notion)
    fitted, width = "", 0
    for char in plain:
        step = _char_width(char)
        if width + step > _NAME:
            break
        fitted, width = fitted + char, width + step
    return fitted + " " * (_NAME - width)


def _char_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _wrap_lines(head: str, text: str) -> Iterator[str]:
    indent = " " * len(head)
    yield from textwrap.wrap(head + (text or "-"), 80, subsequent_indent=indent) or [head]
