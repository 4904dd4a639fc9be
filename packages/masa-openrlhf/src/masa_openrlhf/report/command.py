"""``masa-openrlhf report``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from masa_openrlhf.command.invocation import format_command

_DESCRIPTION = """\
Write a report of a run, or of several that are compared: one HTML file that opens without a
network, and its figures as PNG files beside it. Runs whose settings differ in nothing but the seed
are drawn as one, with a band. A run may be going on still, or have stopped early.
"""


def main(argv: Sequence[str]) -> int:
    """Write a report, and say where; return the exit status."""
    options = _make_parser().parse_args(argv)
    from masa_openrlhf.report.page import write_report
    from masa_openrlhf.report.runs import ReportError, read_run

    try:
        runs = [read_run(path) for path in dict.fromkeys(p.resolve() for p in options.runs)]
        written = write_report(runs, options.out or choose_folder(options.runs), options.evals)
    except (ReportError, OSError) as error:
        print(f"masa-openrlhf: {error}", file=sys.stderr)
        return 2
    print(f"Report: {written.page.resolve()}")
    return 0


def write_final_report(run: Path) -> None:
    """Write the report of a run that has just ended, and say where.

    The run is whole without it: whatever goes wrong is a warning.
    """
    try:
        from masa_openrlhf.report.page import write_report
        from masa_openrlhf.report.runs import read_run

        written = write_report([read_run(run)], choose_folder([run]))
    except Exception as error:
        print(
            f"masa-openrlhf: warning: no report was written ({type(error).__name__}: {error}). The "
            f"run is whole; to try again: {format_command('report', run)}",
            file=sys.stderr,
        )
    else:
        print(f"Report: {written.page}")


def choose_folder(runs: Sequence[Path]) -> Path:
    """Return where a report goes that was told nothing: into the run, or for several, here."""
    return runs[0] / "report" if len({run.resolve() for run in runs}) == 1 else Path("report")


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="masa-openrlhf report",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("runs", metavar="RUN", type=Path, nargs="+", help="folder of a run")
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        type=Path,
        help="where to; default: report/ in the run's folder, for several runs in this one",
    )
    parser.add_argument(
        "--eval",
        metavar="FILE",
        dest="evals",
        type=Path,
        action="append",
        default=[],
        help="results of masa-openrlhf eval to take in (results.json, or its folder); may be "
        "repeated. Those in a run's folder are taken in anyway",
    )
    return parser
