"""The command line: `python -m masa_rewards score FILE.jsonl`."""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import zlib
from collections.abc import Sequence

from pydantic import ValidationError

from masa_rewards.score.arguments import make_parsers, make_verifier, read_settings
from masa_rewards.score.line_reader import LineError
from masa_rewards.score.progress import open_lines
from masa_rewards.score.report import Report
from masa_rewards.score.run import add_lines
from masa_rewards.score.scorer import Scorer
from masa_rewards.score.settings import ScoreSettings
from masa_rewards.score.text import render_report
from masa_rewards.verify.verifier import AnswerVerifier


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Of the command line; by default those of the process.

    Returns:
        The exit code: 0 if any line could be scored, 1 if none or at an error, 130 if interrupted.
        Wrong usage exits with 2.
    """
    parser, score = make_parsers()
    options = parser.parse_args(arguments)
    try:
        settings, verifier = read_settings(options), make_verifier(options)
    except (OSError, ValueError) as error:
        score.error(_explain_error(error))
    with verifier:
        return _score_file(options, settings, verifier, score)


def _score_file(
    options: argparse.Namespace,
    settings: ScoreSettings,
    verifier: AnswerVerifier,
    parser: argparse.ArgumentParser,
) -> int:
    scorer, stopped, code = Scorer(verifier, settings), None, 0
    try:
        with open_lines(options.file, sys.stderr) as (lines, bar):

            def report_bad(number: int, error: LineError) -> None:
                bar.clear()
                print(f"line {number}: {error}", file=sys.stderr)

            add_lines(scorer, lines, strict=options.strict, on_bad=report_bad)
    except KeyboardInterrupt:
        stopped, code = "interrupted", 130
    except LineError:
        return 1  # reported already
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        stopped, code = f"damaged: {error}", 1
    except OSError as error:
        if not scorer.lines:
            parser.error(f"cannot read {options.file!r}: {error.strerror or error}")
        stopped, code = str(error), 1
    except RuntimeError as error:
        # No worker for verification: what comes after would not be verified either.
        stopped, code = str(error), 1
    if stopped:
        print(f"stopped: {stopped}", file=sys.stderr)
    report = scorer.report(stopped=stopped)
    _print_report(report, as_json=options.json)
    return code or int(not report.lines.scored)


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
