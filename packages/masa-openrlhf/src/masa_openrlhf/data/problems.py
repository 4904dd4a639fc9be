"""Problems from files and from the hub, checked before a GPU is asked for.

Two forms are read as they are:

- verl and DeepScaleR: ``prompt`` is a list of chat messages, ``reward_model.ground_truth`` the gold
  answer (or an object that holds it as ``target`` or ``answer``);
- plain: ``problem`` (or ``question``) and ``answer``.

Anything else is named by ``data.problem_key`` and ``data.answer_key``, with dots for nesting.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from masa_control import Problem
from masa_rewards import AnswerVerifier

from masa_openrlhf.config.sections import DataConfig
from masa_openrlhf.data.readers import READABLE_SUFFIXES, ReadError, read_file
from masa_openrlhf.run.folder import write_atomically

_PROBLEM_KEYS = ("prompt", "problem", "question")
_ANSWER_KEYS = (
    "reward_model.ground_truth.target",
    "reward_model.ground_truth.answer",
    "reward_model.ground_truth",
    "answer",
)
_NO_ANSWER = ("blank", "placeholder")
_MOST_WORKERS = 8


class DataError(ValueError):
    """The problems cannot be used as they are; the message says what to do."""


@dataclass(frozen=True)
class LoadedProblems:
    """Problems, how many were left out, and how many have a target to look at, by reason.

    Of a problem whose target is "unreadable", "too long", a "sentence" or the like, only an answer
    of the same text is right: see `masa_rewards.AnswerVerifier.check_target`. It is kept.
    """

    problems: list[Problem]
    left_out: Mapping[str, int] = field(default_factory=dict)
    doubtful: Mapping[str, int] = field(default_factory=dict)
    first_doubtful: str = ""


def load_problems(source: str, config: DataConfig) -> LoadedProblems:
    """Read problems.

    Args:
        source: a .parquet, .jsonl or .json file, or the name of a data set on the hub.
        config: keys, split and limit.

    Returns:
        The problems in their order; counts of those without a statement or an answer, and of
        targets that answers cannot be compared with.

    Raises:
        DataError: no such file, no rows, no usable column, no problem left.
    """
    rows = _read_rows(source, config.split)
    if not len(rows):
        raise DataError(f"{source} has no rows")
    columns = _list_columns(rows)
    problem_key = _choose_key(source, columns, config.problem_key, _PROBLEM_KEYS, "problem")
    answer_key = _choose_key(source, columns, config.answer_key, _ANSWER_KEYS, "answer")
    problems, left_out = _read_problems(rows, problem_key, answer_key, config.max_problems)
    if not problems:
        raise DataError(
            f"{source}: none of {len(rows)} rows can be used ({dict(left_out)}); "
            f"read were {problem_key!r} and {answer_key!r}: set data.problem_key, data.answer_key"
        )
    return check_targets(LoadedProblems(problems, dict(left_out)), source)


def check_targets(loaded: LoadedProblems, source: str) -> LoadedProblems:
    """Find targets that no answer can match: placeholders are left out, the others counted.

    Args:
        loaded: Problems as they were read.
        source: Where they are from, for messages.

    Raises:
        DataError: no problem is left.
    """
    workers = max(1, min(_MOST_WORKERS, len(os.sched_getaffinity(0))))
    with AnswerVerifier(workers=workers) as verifier:
        faults = verifier.check_targets([problem.answer for problem in loaded.problems])
    judged = list(zip(loaded.problems, faults, strict=True))
    kept = [problem for problem, fault in judged if fault not in _NO_ANSWER]
    left_out = Counter(f"{fault} for an answer" for fault in faults if fault in _NO_ANSWER)
    if not kept:
        raise DataError(
            f"{source}: no target can be used: {dict(left_out)}; the first is "
            f"{loaded.problems[0].answer!r}. Name the column of the answers: data.answer_key"
        )
    doubtful = [
        (fault, problem.answer) for problem, fault in judged if fault and fault not in _NO_ANSWER
    ]
    return LoadedProblems(
        kept,
        dict(loaded.left_out) | left_out,
        dict(Counter(fault for fault, _ in doubtful)),
        doubtful[0][1] if doubtful else "",
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
    left_out = dict(loaded.left_out)
    if dropped:
        left_out["prompt too long"] = dropped
    return replace(loaded, problems=kept, left_out=left_out)


def write_problems(problems: Iterable[Problem], path: Path) -> None:
    """Write problems as OpenRLHF is told to read them: a statement, and the rest as its label."""
    rows = (
        {"problem": problem.text, "task": {"id": problem.id, "answer": problem.answer}}
        for problem in problems
    )
    write_atomically(path, "".join(json.dumps(row) + "\n" for row in rows))


def _read_rows(source: str, split: str) -> Sequence[Mapping[str, Any]]:
    if Path(source).suffix.lower() not in READABLE_SUFFIXES:
        if Path(source).exists() or source.startswith((".", "/")):
            raise DataError(
                f"{source} is none of {', '.join(READABLE_SUFFIXES)}, nor a name on the hub"
            )
        return _load_from_hub(source, split)
    if not Path(source).is_file():
        raise DataError(f"there is no file {source}")
    if not Path(source).stat().st_size:
        raise DataError(f"{source} is empty")
    try:
        return read_file(Path(source), "problems")
    except ReadError as error:
        raise DataError(str(error)) from error


def _load_from_hub(source: str, split: str) -> Any:
    import datasets

    try:
        return datasets.load_dataset(source, split=split)
    except Exception as error:  # many kinds, by what is wrong with the name or the network
        raise DataError(
            f"the hub's {source!r}, split {split!r}, cannot be read: {error}. For a file, give its "
            f"path with one of {', '.join(READABLE_SUFFIXES)}"
        ) from error


def _list_columns(rows: Any) -> list[str]:
    """Names of all columns, nested ones with dots, as far as the first row shows them."""

    def walk(value: Any, name: str) -> Iterable[str]:
        yield name
        if isinstance(value, Mapping):
            for key, inner in value.items():
                yield from walk(inner, f"{name}.{key}")

    return [found for key, value in rows[0].items() for found in walk(value, key)]


def _choose_key(
    source: str, columns: Sequence[str], given: str | None, usual: Sequence[str], what: str
) -> str:
    if given is not None:
        if given not in columns:
            raise DataError(
                f"{source} has no column {given!r} (data.{what}_key); it has {', '.join(columns)}"
            )
        return given
    for key in usual:
        if key in columns:
            return key
    raise DataError(
        f"{source} has none of the columns {', '.join(usual)}; it has {', '.join(columns)}. "
        f"Name the one that holds the {what}: data.{what}_key"
    )


def _read_problems(
    rows: Any, problem_key: str, answer_key: str, limit: int | None
) -> tuple[list[Problem], Counter[str]]:
    problems: list[Problem] = []
    left_out: Counter[str] = Counter()
    for number, row in enumerate(rows):
        if limit is not None and len(problems) == limit:
            break
        text = _read_statement(_get_nested(row, problem_key))
        answer = _read_answer(_get_nested(row, answer_key))
        if not text:
            left_out["no problem"] += 1
        elif not answer:
            left_out["no answer"] += 1
        else:
            problems.append(Problem(id=_read_id(row, number), text=text, answer=answer))
    return problems, left_out


def _get_nested(row: Any, key: str) -> Any:
    for part in key.split("."):
        row = row.get(part) if isinstance(row, Mapping) else None
    return row


def _read_statement(value: Any) -> str:
    """The text itself, or the last user message of a chat."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Sequence):
        said = [
            m.get("content") for m in value if isinstance(m, Mapping) and m.get("role") == "user"
        ]
        return said[-1].strip() if said and isinstance(said[-1], str) else ""
    return ""


def _read_answer(value: Any) -> str:
    """The answer as text; of several texts the first, of several numbers all."""
    if isinstance(value, (list, tuple)):
        if len(value) > 1 and all(_is_number(one) for one in value):
            return ", ".join(map(_read_answer, value))
        value = value[0] if value else None
    if value is None or isinstance(value, (Mapping, bool)):
        return ""
    return _write_float(value) if isinstance(value, float) else str(value).strip()


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _write_float(value: float) -> str:
    """The shortest text of a float; of one that came from 32 bits, the shortest for those."""
    if not math.isfinite(value):
        return ""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        if _round_to_single(float(text)) == value:
            return text
    return repr(value)


def _round_to_single(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.inf


def _read_id(row: Mapping[str, Any], number: int) -> str:
    given = row.get("id")
    return str(given) if isinstance(given, (str, int)) and str(given) else str(number)
