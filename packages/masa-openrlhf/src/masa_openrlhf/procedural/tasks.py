"""Which tasks of reasoning-gym a source names, with which parameters, and the library itself."""

from __future__ import annotations

import ast
import difflib
import sys
import warnings
from typing import Any, NamedTuple

from masa_openrlhf.data.errors import DataError

PREFIX = "reasoning_gym:"
"""What a source of such problems begins with."""


class NamedTask(NamedTuple):
    """A task, and what of its configuration is named."""

    name: str
    parameters: dict[str, Any]


def parse_tasks(source: str) -> list[NamedTask]:
    """Return the tasks of a source, as in ``reasoning_gym:chain_sum(max_terms=3),gcd``.

    Raises:
        DataError: it is not of this form.
    """
    text = source.removeprefix(PREFIX).strip()
    try:
        call = ast.parse(f"f({text})", mode="eval").body
        if not isinstance(call, ast.Call) or call.keywords or not call.args:
            raise ValueError
        return [_read_task(argument) for argument in call.args]
    except (SyntaxError, ValueError) as error:
        raise DataError(
            f"{source!r} names no tasks: the form is {PREFIX}TASK,TASK(PARAMETER=VALUE,...), as "
            f"{PREFIX}chain_sum(max_terms=3),gcd"
        ) from error


def _read_task(argument: ast.expr) -> NamedTask:
    called = argument if isinstance(argument, ast.Call) else None
    name = called.func if called else argument
    if not isinstance(name, ast.Name) or (called and called.args):
        raise ValueError
    keywords = called.keywords if called else []
    return NamedTask(name.id, {str(one.arg): ast.literal_eval(one.value) for one in keywords})


def import_library() -> Any:
    """Return the library.

    Raises:
        DataError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what its dependencies are warned of when compiled
            import reasoning_gym
    except ModuleNotFoundError as error:
        if error.name != "reasoning_gym":
            raise
        older = "" if sys.version_info >= (3, 11) else ", in Python 3.11 or newer"
        raise DataError(
            "the package reasoning-gym is not installed: "
            f"`pip install 'masa-openrlhf[reasoning-gym]'`{older}"
        ) from error
    return reasoning_gym


def build_dataset(task: NamedTask, *, seed: int, size: int, level: int | None) -> Any:
    """Return the library's data set of a task.

    Args:
        task: its name and parameters.
        seed: the library's: item i of seed s is item 0 of seed s + i.
        size: items.
        level: of its curriculum; None: its defaults.

    Raises:
        DataError: there is no such task, parameter or curriculum, or a value is out of its range.
    """
    factory = import_library().factory
    if task.name not in factory.DATASETS:
        near = difflib.get_close_matches(task.name, factory.DATASETS, n=3)
        raise DataError(
            f"reasoning-gym has no task {task.name!r}"
            + (f"; did you mean {' or '.join(near)}?" if near else "")
        )
    if level is not None and not factory.has_curriculum(task.name):
        raise DataError(
            f"reasoning-gym has no levels of {task.name!r}: leave data.reasoning_gym.level unset, "
            f"and name its parameters, as {task.name}(PARAMETER=VALUE)"
        )
    try:
        usual: dict[str, Any] = {}
        if level is not None:
            curriculum = factory.create_curriculum(task.name)
            curriculum.set_global_level(level)
            usual = vars(curriculum.generate_configuration())
        named = {**usual, **task.parameters, "seed": seed, "size": size}
        return factory.create_dataset(task.name, **named)
    except (AssertionError, TypeError, ValueError) as error:
        raise DataError(
            f"reasoning-gym does not make {task.name!r} with {task.parameters!r}"
            f"{'' if level is None else f' at level {level}'}: {error}"
        ) from error
