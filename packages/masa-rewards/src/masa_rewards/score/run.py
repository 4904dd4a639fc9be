"""Scores the lines of a file, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any

from masa_rewards.score.line_reader import LineError
from masa_rewards.score.report import Report
from masa_rewards.score.scorer import Scorer
from masa_rewards.score.settings import ScoreSettings
from masa_rewards.verify.verifier import AnswerVerifier


def score_lines(
    lines: Iterable[str | bytes],
    *,
    settings: ScoreSettings | None = None,
    verifier: AnswerVerifier | None = None,
    strict: bool = False,
    on_bad: Callable[[int, LineError], None] | None = None,
) -> Report:
    """Score the lines of a file: how aware is a model of its own rollouts?

    Args:
        lines: JSON objects, each with problem, rollouts and predictions; blank ones are passed
            over. They are read one by one, and none is kept.
        settings: What predictions are parsed and rewarded by; by default the paper's.
        verifier: Verifies the rollouts whose correctness a line does not state. By
            default one with its own defaults, closed at the end.
        strict: Whether the first bad line ends it.
        on_bad: Called with the number, from 1, and the error of each bad line.

    Returns:
        The figures.

    Raises:
        LineError: At the first bad line, if `strict`.
        TypeError: If `lines` is one text, or the name of a file.
        RuntimeError: If there is something to verify, and no worker could ever be started.
    """
    with AnswerVerifier() if verifier is None else nullcontext(verifier) as judge_of_answers:
        scorer = Scorer(judge_of_answers, settings)
        add_lines(scorer, lines, strict=strict, on_bad=on_bad)
    return scorer.report()


def add_lines(
    scorer: Scorer,
    lines: Iterable[str | bytes],
    *,
    strict: bool = False,
    on_bad: Callable[[int, LineError], None] | None = None,
) -> None:
    """Add lines to a scorer, as of `score_lines`."""
    if isinstance(lines, str | bytes):
        raise TypeError(f"lines must be lines, not one text; open the file: got {lines[:80]!r}")
    entries = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    add_entries(scorer, entries, strict=strict, on_bad=on_bad)


def add_entries(
    scorer: Scorer,
    entries: Iterable[tuple[int, str | bytes | Mapping[str, Any] | LineError]],
    *,
    strict: bool = False,
    on_bad: Callable[[int, LineError], None] | None = None,
) -> None:
    """Add numbered lines, or what they hold, to a scorer, as of `score_lines`.

    Args:
        scorer: Gets them.
        entries: Numbers, from 1, and lines; in the place of one that cannot be read, its error.
        strict: Whether the first bad one ends it.
        on_bad: Called with the number and the error of each bad one.

    Raises:
        LineError: At the first bad one, if `strict`.
    """
    for number, entry in entries:
        try:
            if isinstance(entry, LineError):
                scorer.add_bad(entry, number)
                raise entry
            scorer.add(entry, number)
        except LineError as error:
            if on_bad is not None:
                on_bad(number, error)
            if strict:
                raise LineError(f"line {number}: {error}") from None
