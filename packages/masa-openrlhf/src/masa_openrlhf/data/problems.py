"""Problems from files, folders, the hub and reasoning-gym, checked before a GPU is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from masa_control import Problem

from masa_openrlhf.config.sections import DataConfig
from masa_openrlhf.data.columns import RowColumns, choose_columns, get_nested
from masa_openrlhf.data.errors import DataError
from masa_openrlhf.data.readers import ReadError
from masa_openrlhf.data.row_problems import read_problems
from masa_openrlhf.data.sources import read_rows
from masa_openrlhf.data.targets import check_targets
from masa_openrlhf.procedural.problems import make_problems
from masa_openrlhf.procedural.tasks import PREFIX
from masa_openrlhf.run.files import write_atomically


@dataclass(frozen=True)
class LoadedProblems:
    """Problems, and what has to be told of them.

    Attributes:
        problems: in their order.
        left_out: rows that are no problem of the run, by reason.
        doubtful: problems whose gold only the same text matches, by reason.
        first_doubtful: the gold of the first of them; "" where there is none.
        unread: problems whose gold would have to be read to be checked, and was not.
        read_as: the form that was found, and the columns that were read; "" where none were.
        unwrapped: problems whose statement stood within an instruction, which was taken off.
        shared: what all statements begin or end with all the same; "" where there is no such.
        scorers: by id, how answers are judged that are not compared with the gold.
        worked: by id, worked solutions that came with the making of the problems.
    """

    problems: list[Problem]
    left_out: Mapping[str, int] = field(default_factory=dict)
    doubtful: Mapping[str, int] = field(default_factory=dict)
    first_doubtful: str = ""
    unread: int = 0
    read_as: str = ""
    unwrapped: int = 0
    shared: str = ""
    scorers: Mapping[str, str] = field(default_factory=dict)
    worked: Mapping[str, str] = field(default_factory=dict)


def load_problems(source: str, config: DataConfig, *, held_out: bool = False) -> LoadedProblems:
    """Read problems, or make them.

    Args:
        source: a file, a folder of files or of `save_to_disk`, the name of a data set on the hub,
            or ``reasoning_gym:TASK,...``.
        config: keys, split, limits.
        held_out: they are for evaluation: those that reasoning-gym makes are not the trained ones.

    Raises:
        DataError: no such source, no rows, no usable column, two problems with one id, too many
            golds that no answer can match, or no problem left.
    """
    if source.startswith(PREFIX):
        limit = config.max_problems
        made = make_problems(source, config.reasoning_gym, held_out=held_out, limit=limit)
        return LoadedProblems(
            made.problems, made.left_out, scorers=made.scorers, worked=made.worked
        )
    rows = read_rows(source, config)
    if not len(rows):
        raise DataError(f"{source} has no rows")
    try:
        return _load_rows(source, rows, config)
    except ReadError as error:  # of a table that is damaged further down
        raise DataError(str(error)) from error


def _load_rows(source: str, rows: Any, config: DataConfig) -> LoadedProblems:
    columns = choose_columns(source, rows, config)
    if hasattr(rows, "select_columns"):
        rows = rows.select_columns(columns.list_top_level())
    read = read_problems(source, rows, columns, config)
    if not read.problems:
        raise DataError(_explain_nothing(source, rows, columns, read.left_out))
    checked = check_targets(source, read.problems, config.max_unmatchable)
    return LoadedProblems(
        checked.problems,
        {**read.left_out, **checked.left_out},
        checked.doubtful,
        checked.first_doubtful,
        checked.unread,
        f"{columns.form or 'columns'}: {columns.problem}, {columns.answer}",
        read.unwrapped,
        read.shared,
    )


def _explain_nothing(
    source: str, rows: Any, columns: RowColumns, left_out: Mapping[str, int]
) -> str:
    first = next(iter(rows))
    held = (f"{key!r} holds {get_nested(first, key)!r:.80}" for key in columns[1:3])
    reasons = ", ".join(f"{count:,} {why}" for why, count in left_out.items())
    return (
        f"{source}: none of {len(rows):,} rows can be used ({reasons}). In row 1 "
        f"{' and '.join(held)}: name other columns by data.problem_key, data.answer_key"
    )


def drop_long_problems(
    loaded: LoadedProblems, tokens: Callable[[Problem], int], limit: int
) -> LoadedProblems:
    """Leave out problems whose prompt is longer than ``limit`` tokens, and count them.

    Raises:
        DataError: none is left.
    """
    kept = [problem for problem in loaded.problems if tokens(problem) <= limit]
    dropped = len(loaded.problems) - len(kept)
    if not kept:
        raise DataError(
            f"all {dropped} problems have prompts of more than {limit} tokens: "
            "raise data.prompt_max_tokens"
        )
    left_out = {**loaded.left_out, **({"prompt too long": dropped} if dropped else {})}
    return replace(loaded, problems=kept, left_out=left_out)


def write_problems(loaded: LoadedProblems, path: Path) -> None:
    """Write problems as OpenRLHF is told to read them: a statement, and the rest as its label."""
    rows = (
        {"problem": problem.text, "task": _make_label(problem, loaded.scorers)}
        for problem in loaded.problems
    )
    write_atomically(path, "".join(json.dumps(row) + "\n" for row in rows))


def _make_label(problem: Problem, scorers: Mapping[str, str]) -> dict[str, str]:
    label = {"id": problem.id, "answer": problem.answer}
    if scorers:  # in all rows or in none: they are read as one table
        label["scorer"] = scorers.get(problem.id, "")
    return label
