"""The page: one HTML file with everything in it, and its figures as PNG files beside it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from masa_openrlhf.report.groups import RunGroup, group_runs
from masa_openrlhf.report.plots import RenderedPlot, draw_plots
from masa_openrlhf.report.runs import RecordedRun
from masa_openrlhf.report.section import Section
from masa_openrlhf.report.sections import (
    accuracy,
    calibration,
    contributions,
    decisions,
    evaluations,
    examples,
    facts,
    headline,
    notions,
    rewards,
    tokens,
    verdict,
)
from masa_openrlhf.run.files import write_atomically

PAGE = "report.html"


class WrittenReport(NamedTuple):
    """What was written.

    Attributes:
        page: the HTML file.
        pictures: the PNG files beside it.
    """

    page: Path
    pictures: tuple[Path, ...]


def write_report(
    runs: Sequence[RecordedRun], out: Path, evals: Sequence[Path] = ()
) -> WrittenReport:
    """Write the report of runs.

    Args:
        runs: at least one.
        out: the folder; made where it is not there. Files of an older report in it are replaced.
        evals: results of evaluations, to be taken in.

    Raises:
        ReportError: an evaluation that was named cannot be read.
        OSError: the folder cannot be written.
    """
    groups = group_runs(runs)
    sections = build_sections(groups, evals)
    pictures = [picture for section in sections for picture in section.pictures]
    drawn = dict(zip((p.key for p in pictures), draw_plots(pictures), strict=True))
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for key, picture in drawn.items():
        file = out / f"{key}.png"
        file.write_bytes(picture.png)
        files.append(file)
    write_atomically(out / PAGE, render_page(groups, sections, drawn, out))
    return WrittenReport(out / PAGE, tuple(files))


def build_sections(groups: Sequence[RunGroup], evals: Sequence[Path] = ()) -> list[Section]:
    """Return all sections of a report, in their order."""
    benchmarks = evaluations.evaluations_section(groups, evals)
    found = [
        headline.headline_section(groups),
        accuracy.accuracy_section(groups),
        rewards.rewards_section(groups),
        calibration.calibration_section(groups),
        decisions.decisions_section(groups),
        tokens.tokens_section(groups),
        notions.notions_section(groups),
        contributions.contributions_section(groups),
        *([benchmarks] if benchmarks else []),
        examples.examples_section(groups),
    ]
    if not any(group.predicts for group in groups):  # the baseline alone has nothing to foresee
        found = [one for one in found if one.key not in _PREDICTION_SECTIONS]
    if not any(group.decides for group in groups):
        found = [one for one in found if one.key != "decisions"]
    return found


_PREDICTION_SECTIONS = {"rewards", "calibration", "notions", "contributions"}


def render_page(
    groups: Sequence[RunGroup],
    sections: Sequence[Section],
    drawn: dict[str, RenderedPlot],
    out: Path,
) -> str:
    """Return the page. All that comes from a run is escaped; only our own markup is not.

    Args:
        groups: of the runs.
        sections: in their order.
        drawn: the figures by their keys.
        out: the folder that the page is written to; links to runs are relative to it.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("masa_openrlhf.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    runs = [run for group in groups for run in group.runs]
    values: dict[str, Any] = {
        "title": runs[0].name if len(runs) == 1 else f"{len(runs)} runs compared",
        "lead": headline.lead_sentences(groups),
        "verdict": verdict.verdict_sentences(groups),
        "facts": facts.list_facts(groups),
        "links": {
            run.path: Path(os.path.relpath(run.path, out.resolve())).as_posix() for run in runs
        },
        "groups": groups,
        "sections": sections,
        "svg": {key: one.svg for key, one in drawn.items()},
        "version": version("masa-openrlhf"),
        "made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }
    return environment.get_template("page.html").render(values)
