"""The rows that TRL, verl and OpenRLHF write, and plain ones: a row a rollout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from masa_rewards.score.sources.logged import (
    FormError,
    LoggedRollout,
    join_messages,
    read_answer,
    read_count,
    read_number,
)
from masa_rewards.score.sources.traces import is_trace_row, read_traces

Row = Mapping[str, Any]

PROBLEM_KEYS = ("problem", "question", "prompt", "input", "query")
TEXT_KEYS = ("text", "response", "completion", "output", "solution", "generation")
ANSWER_KEYS = ("answer", "gold", "gts", "ground_truth", "target", "label", "solution")
CORRECT_KEYS = ("correct", "is_correct")
REWARD_KEYS = ("reward", "score")
LENGTH_KEYS = (
    "length",
    "tokens",
    "num_tokens",
    "completion_tokens",
    "response_length",
    "completion_length",
    "completion_ids",
    "response_token_ids",
)


class RowForm(NamedTuple):
    """A form of rows.

    Attributes:
        name: What is told of it.
        fits: Whether a row is of it.
        read: Reads the rollouts of a row.
    """

    name: str
    fits: Callable[[Row], bool]
    read: Callable[[Row], list[LoggedRollout]]


def find_form(row: Row) -> RowForm:
    """Return the form that a file's first row is of.

    Raises:
        FormError: It is of none.
    """
    for form in FORMS:
        if form.fits(row):
            return form
    raise FormError(
        f"a row with the keys {', '.join(map(repr, list(row)[:12]))} is no form that can be read. "
        "Wanted is a problem with `rollouts`, or a rollout a row: a problem "
        f"({_list_names(PROBLEM_KEYS)}), a text ({_list_names(TEXT_KEYS)}), and whether it is "
        f"right ({_list_names((*CORRECT_KEYS, *REWARD_KEYS))}) or the right answer "
        f"({_list_names(ANSWER_KEYS)})"
    )


def _list_names(keys: Iterable[str]) -> str:
    return ", ".join(keys)


def _find_key(row: Row, keys: Iterable[str], without: Iterable[str] = ()) -> str | None:
    return next((key for key in keys if row.get(key) is not None and key not in without), None)


def _has_keys(*keys: str) -> Callable[[Row], bool]:
    return lambda row: all(key in row for key in keys)


def _read_trl(row: Row) -> list[LoggedRollout]:
    """A row of `completions/completions_*.parquet`: every other number is a reward function's.

    Rows of problems that a gate skipped are left out: no solution, nothing to judge predictions by.
    """
    if row.get("masa") == "skipped":
        return []
    taken = {"step", "prompt", "completion", "advantage"}
    prompt = join_messages(row["prompt"])
    return [
        LoggedRollout(
            group=(row["step"], prompt),
            prompt=prompt,
            text=join_messages(row["completion"], ("assistant",)),
            tokens=None,
            rewards=_read_rewards(row, taken),
            correct=None,
            answer=None,
            is_prediction=None,
        )
    ]


def _read_verl(row: Row) -> list[LoggedRollout]:
    """A row of `rollout_data_dir/STEP.jsonl`: `acc` says more than `score`, where there is one."""
    taken = {"input", "output", "gts", "step", "uid", "request_id"}
    return [
        LoggedRollout(
            group=(row["step"], row["input"]),
            prompt=row["input"],
            text=row["output"],
            tokens=None,
            rewards=_read_rewards(row, taken),
            correct=None,
            answer=read_answer(row["gts"]),
            is_prediction=None,
        )
    ]


def _read_openrlhf(row: Row) -> list[LoggedRollout]:
    """A row that `openrlhf.cli.batch_inference` wrote (up to 0.9): `reward` from a reward model."""
    return [
        LoggedRollout(
            group=row["input"],
            prompt=row["input"],
            text=row["output"],
            tokens=_read_length(row),
            rewards=_read_rewards(row, {"input", "output", *LENGTH_KEYS}),
            correct=None,
            answer=_read_answer(row, "output"),
            is_prediction=None,
        )
    ]


def _read_plain(row: Row) -> list[LoggedRollout]:
    problem_key, text_key = _find_key(row, PROBLEM_KEYS), _find_key(row, TEXT_KEYS)
    if problem_key is None or text_key is None:
        raise FormError(
            f"no problem ({_list_names(PROBLEM_KEYS)}) or no text ({_list_names(TEXT_KEYS)})"
        )
    problem = join_messages(row[problem_key])
    correct_key = _find_key(row, CORRECT_KEYS)
    correct = None if correct_key is None else row[correct_key]
    if correct is not None and not isinstance(correct, bool):
        if correct not in (0, 1):
            raise FormError(f"{correct_key}: true or false is wanted, got {correct!r:.80}")
        correct = bool(correct)
    kind = row.get("kind")
    return [
        LoggedRollout(
            group=(row.get("step"), row.get("problem_id", problem)),
            prompt=problem,
            text=join_messages(row[text_key], ("assistant",)),
            tokens=_read_length(row),
            rewards={
                name: value
                for name in REWARD_KEYS
                if (value := read_number(row.get(name))) is not None
            },
            correct=correct,
            answer=_read_answer(row, text_key),
            is_prediction=None if kind is None else kind == "meta",
        )
    ]


def _read_rewards(row: Row, taken: set[str]) -> dict[str, float]:
    found = {name: read_number(value) for name, value in row.items() if name not in taken}
    return {name: value for name, value in found.items() if value is not None}


def _read_length(row: Row) -> int | None:
    key = _find_key(row, LENGTH_KEYS)
    return None if key is None else read_count(row[key])


def _read_answer(row: Row, text_key: str) -> str | None:
    key = _find_key(row, ANSWER_KEYS, without=(text_key,))
    return None if key is None else read_answer(row[key])


def _is_plain(row: Row) -> bool:
    return bool(_find_key(row, PROBLEM_KEYS) and _find_key(row, TEXT_KEYS))


FORMS = (
    RowForm("prime-rl's or verifiers' traces", is_trace_row, read_traces),
    RowForm("TRL's completions", _has_keys("step", "prompt", "completion", "advantage"), _read_trl),
    RowForm("verl's rollouts", _has_keys("input", "output", "gts", "score", "step"), _read_verl),
    RowForm(
        "OpenRLHF's batch inference",
        lambda row: {"input", "output"} <= row.keys() and not {"problem", "prompt"} & row.keys(),
        _read_openrlhf,
    ),
    RowForm("rows of rollouts", _is_plain, _read_plain),
)
