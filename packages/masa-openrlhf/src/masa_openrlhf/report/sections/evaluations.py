"""Results of ``masa-openrlhf eval``, as the evaluation shows them itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from masa_openrlhf.report.groups import RunGroup
from masa_openrlhf.report.runs import ReportError
from masa_openrlhf.report.section import Section

_INTRO = (
    "How the trained models answer benchmarks. Intervals of 95 % are over the questions of a "
    "benchmark."
)
_RESULT_PATTERNS = ("eval*/results.json", "eval*/*/results.json")


def evaluations_section(groups: Sequence[RunGroup], files: Sequence[Path] = ()) -> Section | None:
    """Return the evaluations' own sections; None where there is none.

    Args:
        groups: an evaluation that lies in a run's folder ("eval" or "evals") is taken in.
        files: results.json of further ones, or their folders.

    Raises:
        ReportError: a file that was named cannot be read.
    """
    lying = [file for group in groups for run in group.runs for file in _find_results(run.path)]
    fragments = [_render_results(file) for file in files]
    missing = []
    for file in lying:
        try:
            fragments.append(_render_results(file))
        except ReportError as error:
            missing.append(str(error))
    if not fragments and not missing:
        return None
    title = "Benchmarks"
    return Section("benchmarks", title, (_INTRO,), fragments=fragments, missing=missing)


def _find_results(path: Path) -> list[Path]:
    return sorted({file for place in _RESULT_PATTERNS for file in path.glob(place)})


def _render_results(path: Path) -> str:
    from masa_openrlhf.eval.render.html import render_html as evaluation
    from masa_openrlhf.eval.results.summary import Results

    file = path / "results.json" if path.is_dir() else path
    if not file.is_file():
        raise ReportError(
            f"{path} is no evaluation: name its folder, or the results.json in it, which "
            "masa-openrlhf eval writes"
        )
    try:
        return evaluation(Results.model_validate_json(file.read_text("utf-8")))
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise ReportError(
            f"{file} cannot be read as results of masa-openrlhf eval: {str(error)[:300]}"
        ) from error
