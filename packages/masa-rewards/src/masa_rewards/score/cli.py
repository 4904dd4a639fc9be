"""The command line: `masa-rewards score FILE`, or `python -m masa_rewards score FILE`."""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from masa_rewards.score.arguments import (
    make_parsers,
    make_verifier,
    read_log_settings,
    read_settings,
)
from masa_rewards.score.line_reader import LineError
from masa_rewards.score.report import Report
from masa_rewards.score.run import add_entries, add_lines
from masa_rewards.score.scorer import Scorer
from masa_rewards.score.settings import ScoreSettings
from masa_rewards.score.sources.demo import DEMO_NOTE, make_demo_lines
from masa_rewards.score.sources.logged import FormError
from masa_rewards.score.sources.paths import list_files
from masa_rewards.score.sources.read import LogSettings, open_problems
from masa_rewards.score.text import render_report
from masa_rewards.verify.verifier import AnswerVerifier

_PROGRAM = "masa_rewards score"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Of the command line; by default those of the process.

    Returns:
        The exit code: 0 if any line could be scored, 1 if none or at an error, 2 for a file that
        cannot be read, 130 if interrupted. Wrong usage exits with 2.
    """
    parser, score = make_parsers()
    options = parser.parse_args(arguments)
    if not options.files and not options.demo:
        score.error("name a file of rollouts, or see what it would say with --demo")
    if options.html is not None and not Path(options.html).absolute().parent.is_dir():
        return _print_refusal(f"there is no folder for {options.html!r}")
    try:
        settings, verifier = read_settings(options), make_verifier(options)
    except (OSError, ValueError) as error:
        score.error(_explain_error(error))
    with verifier:
        return _score_files(options, settings, verifier)


def _score_files(
    options: argparse.Namespace, settings: ScoreSettings, verifier: AnswerVerifier
) -> int:
    scorer, stopped, code = Scorer(verifier, settings), None, 0
    logs, path = read_log_settings(options, settings), ""
    try:
        if options.demo:
            scorer.add_note(DEMO_NOTE)
            add_lines(scorer, make_demo_lines())
        for path in list_files(options.files):
            _add_file(scorer, path, logs, strict=options.strict)
    except KeyboardInterrupt:
        stopped, code = "interrupted", 130
    except LineError:
        return 1  # reported already
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        stopped, code = f"damaged: {error}", 1
    except FormError as error:
        if not scorer.lines:
            return _print_refusal(f"cannot read {path!r}: {error}" if path else str(error))
        stopped, code = f"{path}: {error}", 1
    except OSError as error:
        if not scorer.lines:
            return _print_refusal(f"cannot read {path!r}: {error.strerror or error}")
        stopped, code = str(error), 1
    except RuntimeError as error:
        # No worker for verification: what comes after would not be verified either.
        stopped, code = str(error), 1
    if stopped:
        print(f"stopped: {stopped}", file=sys.stderr)
    report = scorer.report(stopped=stopped)
    _print_report(report, as_json=options.json)
    if options.html is not None and (failed := _write_page(report, Path(options.html))):
        return failed
    return code or int(not report.lines.scored)


def _add_file(scorer: Scorer, path: str, logs: LogSettings, *, strict: bool) -> None:
    with open_problems(path, sys.stderr, logs, scorer.add_note) as (entries, bar):

        def report_bad(number: int, error: LineError) -> None:
            bar.clear()
            print(f"line {number}: {error}", file=sys.stderr)

        add_entries(scorer, entries, strict=strict, on_bad=report_bad)


def _print_refusal(message: str) -> int:
    print(f"{_PROGRAM}: {message}", file=sys.stderr)
    return 2


def _write_page(report: Report, path: Path) -> int:
    """Write the page of figures; return an exit code, 0 if it is written."""
    from masa_rewards.score.page.page import render_page

    try:
        path.write_text(render_page(report), encoding="utf-8")
    except OSError as error:
        return _print_refusal(f"cannot write {str(path)!r}: {error.strerror or error}")
    print(f"{_PROGRAM}: figures are in {path}", file=sys.stderr)
    return 0


def _print_report(report: Report, *, as_json: bool) -> None:
    text = report.model_dump_json(indent=2) + "\n" if as_json else render_report(report)
    try:
        # UTF-8 whatever the locale, as JSON is.
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has closed the pipe; Python would raise again when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain_error(error: OSError | ValueError) -> str:
    if isinstance(error, ValidationError):
        faults = error.errors(include_url=False)
        return "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'settings'}: {fault['msg']}, got "
            f"{str(fault['input'])[:80]}"
            for fault in faults
        )
    return str(error)
