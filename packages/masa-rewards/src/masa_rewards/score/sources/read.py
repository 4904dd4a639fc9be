"""Reads a file of any form into the problems that are scored."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.score.line_reader import LineError
from masa_rewards.score.progress import LineProgressBar, open_lines
from masa_rewards.score.sources.containers import (
    is_parquet,
    read_array,
    read_parquet,
    try_object,
)
from masa_rewards.score.sources.forms import RowForm, find_form
from masa_rewards.score.sources.groups import GroupedLog, group_rollouts
from masa_rewards.score.sources.logged import FormError, LoggedRollout
from masa_rewards.score.sources.right_rewards import RIGHT_FROM

Entry = bytes | Mapping[str, Any] | LineError
"""A line, what one holds, or why a row cannot be read."""


class LogSettings(NamedTuple):
    """How logs are read.

    Attributes:
        prompt: Its wording tells which rollouts are predictions, where the log does not.
        reward: The reward that says whether an answer is right; None: the one that must be it.
        right_from: The value from which on it counts as right.
    """

    prompt: MetaPrompt = MetaPrompt()
    reward: str | None = None
    right_from: float = RIGHT_FROM


class ProblemSource(NamedTuple):
    """Where problems come from.

    Attributes:
        entries: Their numbers, from 1, and what they are read from; rows of a log are joined first.
        bar: What shows how far it is read.
    """

    entries: Iterator[tuple[int, Entry]]
    bar: LineProgressBar


@contextlib.contextmanager
def open_problems(
    path: str, terminal: TextIO, settings: LogSettings, note: Callable[[str], None]
) -> Iterator[ProblemSource]:
    """Open a file whose form is told from its first bytes and its first row.

    Args:
        path: JSON lines, a JSON array (both with .gz too) or parquet; "-" is standard input.
        terminal: Where to show how far it is read.
        settings: How logs are read.
        note: Takes a sentence on how a log was read, once.

    Raises:
        FormError: It is of no form that can be read.
        OSError: It cannot be opened.
    """
    if path != "-" and is_parquet(_read_head(path)):
        bar = LineProgressBar(terminal, None)
        yield ProblemSource(_read_rows(read_parquet(Path(path)), settings, note), bar)
        return
    with open_lines(path, terminal) as (lines, bar):
        yield ProblemSource(_read_lines(lines, settings, note), bar)


def _read_head(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(4)


def _read_lines(
    lines: Iterator[bytes], settings: LogSettings, note: Callable[[str], None]
) -> Iterator[tuple[int, Entry]]:
    blank = 0
    for first in lines:
        if first.strip():
            break
        blank += 1
    else:
        return
    if first.lstrip(b"\xef\xbb\xbf \t").startswith(b"["):
        yield from _read_rows(read_array(b"".join([first, *lines])), settings, note)
        return
    row = try_object(first)
    numbered = enumerate(chain([first], lines), start=blank + 1)
    if row is None or "rollouts" in row:
        yield from ((number, line) for number, line in numbered if line.strip())
        return
    form = find_form(row)
    objects = ((number, try_object(line)) for number, line in numbered if line.strip())
    yield from _read_log(objects, form, settings, note)


def _read_rows(
    rows: Iterable[dict[str, Any]], settings: LogSettings, note: Callable[[str], None]
) -> Iterator[tuple[int, Entry]]:
    numbered = enumerate(rows, start=1)
    first = next(numbered, None)
    if first is None:
        return
    if "rollouts" in first[1]:
        yield from chain([first], numbered)
        return
    yield from _read_log(chain([first], numbered), find_form(first[1]), settings, note)


def _read_log(
    rows: Iterable[tuple[int, dict[str, Any] | None]],
    form: RowForm,
    settings: LogSettings,
    note: Callable[[str], None],
) -> Iterator[tuple[int, Entry]]:
    """The bad rows of a log, then its problems. It is kept whole: a group may lie anywhere."""
    rollouts: list[LoggedRollout] = []
    for number, row in rows:
        try:
            rollouts += _read_row(row, form)
        except FormError as error:
            yield number, LineError(str(error))
    if not rollouts:
        return
    log = group_rollouts(
        rollouts, settings.prompt, reward=settings.reward, right_from=settings.right_from
    )
    _require_judgement(log, rollouts)
    note(_describe_log(form, log))
    yield from enumerate(log.problems, start=1)


def _read_row(row: dict[str, Any] | None, form: RowForm) -> list[LoggedRollout]:
    if row is None:
        raise FormError("not a JSON object")
    if not form.fits(row):
        raise FormError(f"not of the form of the first row ({form.name}): {sorted(row)!r:.200}")
    try:
        return form.read(row)
    except (KeyError, TypeError, AttributeError) as error:
        raise FormError(f"not {form.name} as they are known: {error!r}") from None


def _require_judgement(log: GroupedLog, rollouts: list[LoggedRollout]) -> None:
    said = any(rollout.correct is not None or rollout.answer for rollout in rollouts)
    if log.reward.name is None and not said:
        raise FormError(
            "it has rollouts, and neither rewards nor right answers: add a `reward`, a `correct` "
            "or an `answer` to each row"
        )


def _describe_log(form: RowForm, log: GroupedLog) -> str:
    parts = [f"read as {form.name}"]
    if log.reward.name is not None:
        parts.append(f"an answer is right where {log.reward.name} >= {log.reward.right_from:g}")
        if log.reward.others:
            values = ", ".join(f"{value:g}" for value in log.reward.others)
            parts.append(f"it takes other values than 0 and 1 too, as {values}: see --right-from")
    if log.orphans:
        parts.append(f"{log.orphans:,} predictions left out, as their problem has no rollout here")
    return "; ".join(parts)
