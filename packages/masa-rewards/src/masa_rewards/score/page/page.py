"""The page: headline, verdict, two figures, and what rules would have done."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from masa_rewards.score.gate.savings import GateReport, GateRuleReport
from masa_rewards.score.gate.text import format_estimate, format_share
from masa_rewards.score.headline import write_headline
from masa_rewards.score.page.charts import draw_pass_rates, draw_reliability
from masa_rewards.score.report import Report


def render_page(report: Report) -> str:
    """Return the page as HTML with everything in it; it needs no network and runs no script.

    Args:
        report: What scoring a file came to.
    """
    style = files("masa_rewards.score.page").joinpath("style.css").read_text("utf-8")
    body = "".join(
        [_render_top(report), '<div class="figures">', *_render_figures(report), "</div>"]
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Meta-awareness of rollouts</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _render_top(report: Report) -> str:
    gate = report.gate
    settings = "\n".join(gate.verdict.settings)
    counts = (
        f"{report.problems:,} problems, {report.rollouts:,} rollouts ({report.correct:,} correct), "
        f"{report.predictions:,} predictions"
    )
    notes = [counts, *report.notes]
    if report.lines.stopped:
        notes.append(f"not read to the end: {report.lines.stopped}")
    if report.lines.bad:
        notes.append(f"{report.lines.bad:,} bad lines left out")
    return (
        f"<h1>{escape(write_headline(report))}</h1>"
        f'<p class="soft">{escape(". ".join(notes))}.</p>'
        f'<div class="verdict"><p>Does a gate pay here? <b>{escape(gate.verdict.answer)}</b>. '
        f"{escape(gate.verdict.sentence)}</p>"
        + (f"<pre>{escape(settings)}</pre>" if settings else "")
        + "</div>"
    )


def _render_figures(report: Report) -> list[str]:
    gate, parts = report.gate, []
    if gate.groups:
        parts.append(
            f"<section><h2>Where the {gate.unit} went</h2><p class='soft'>By the true pass rate of "
            "the group. Grey groups have no variance: nothing is learnt from them.</p>"
            f"{draw_pass_rates(gate.by_pass_rate, gate.unit)}</section>"
        )
    if report.pass_rate.table:
        parts.append(
            "<section><h2>Predicted and true pass rates</h2><p class='soft'>On the dashed line "
            "predictions are right on average. Area: how many predictions.</p>"
            f"{draw_reliability(report.pass_rate.table)}</section>"
        )
    if report.rewards.predictions:
        parts.append(_render_rewards(report))
    if gate.cost is not None:
        parts.append(_render_rules(gate, gate.cost.groups))
    return parts


def _render_rules(gate: GateReport, groups: int) -> str:
    rows = "".join(
        _render_rule(rule, groups, is_paper=number == 0) for number, rule in enumerate(gate.rules)
    )
    cost = gate.cost
    share = None if cost is None else cost.share
    return (
        "<section class='wide'><h2>What a gate would have skipped</h2><p class='soft'>"
        "Precision: skipped groups that have no variance indeed. Recall: groups without variance "
        f"that are skipped. Ratio: {gate.unit} per group with variance, relative to no gate, "
        "predictions counted. A "
        f"perfect gate, free of cost, would spare {format_share(gate.ceiling)}; predicting took "
        f"{format_share(share)} of what the rollouts did.</p><div class='scroll'><table><tr>"
        "<th>rule</th><th>skips</th><th>precision</th><th>recall</th>"
        f"<th>lost {gate.unit}</th><th>ratio</th></tr>{rows}</table></div></section>"
    )


def _render_rule(rule: GateRuleReport, groups: int, *, is_paper: bool) -> str:
    name = f"std &lt; {rule.max_std:g}, mean within {rule.tolerance:g} of 0 or 1"
    cells = [
        f"the paper's: {name}" if is_paper else name,
        f"{rule.skipped / groups:.1%}",
        format_estimate(rule.precision),
        format_estimate(rule.recall),
        f"{rule.amount_lost:,}",
        "-" if rule.relative_cost is None else f"{rule.relative_cost:.2f}",
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _render_rewards(report: Report) -> str:
    rows = ""
    for name in ("total", "length", "difficulty", "notion"):
        one = getattr(report.rewards, name)
        ends = "" if one.low is None else f" [{one.low:.3f}, {one.high:.3f}]"
        mean = "-" if one.mean is None else f"{one.mean:.3f}"
        rows += f"<tr><td>{name}</td><td>{mean}{ends}</td></tr>"
    return (
        "<section><h2>What the predictions would earn</h2><p class='soft'>Mean reward, with its "
        f"interval of 95 %.</p><div class='scroll'><table>{rows}</table></div></section>"
    )
