"""Problems that reasoning-gym makes: as many as are wanted, of any difficulty, without a hub.

An answer that is a whole number is compared as every answer is. Any other is judged by the task's
own scorer: 6/8 has the value of 3/4 and does not simplify it, and a countdown has many solutions.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, NamedTuple

from masa_control import Problem

from masa_openrlhf.config.sections import ReasoningGymConfig
from masa_openrlhf.data.errors import DataError
from masa_openrlhf.procedural.tasks import NamedTask, build_dataset, parse_tasks
from masa_openrlhf.procedural.worked import write_worked_solution

SEED_STEP = 10_000_000
"""Seeds of the library from one seed of ours to the next: items of neighbours are the same."""

_WHOLE = re.compile(r"[-+]?\d+")


class ProceduralProblems(NamedTuple):
    """What was made.

    Attributes:
        problems: each once.
        scorers: by id, how an answer is judged that is not compared: `ScoredItem` in JSON.
        left_out: repeated problems, and held-out ones that are trained on.
        worked: by id, the way to the answer, for tasks that have one.
    """

    problems: list[Problem]
    scorers: dict[str, str]
    left_out: dict[str, int]
    worked: dict[str, str]


class ScoredItem(NamedTuple):
    """An item of reasoning-gym, enough to make it again.

    Attributes:
        task: the task's name.
        parameters: of its configuration.
        level: of its curriculum; None: its defaults.
        seed: the library's, of this item alone.
        answer: what must come out again.
    """

    task: str
    parameters: dict[str, Any]
    level: int | None
    seed: int
    answer: str


def make_problems(
    source: str, settings: ReasoningGymConfig, *, held_out: bool, limit: int | None = None
) -> ProceduralProblems:
    """Make problems, the tasks in turn.

    Args:
        source: ``reasoning_gym:TASK,...``.
        settings: how many, of which seed and level.
        held_out: those of ``data.eval``: of other seeds, and without those that are trained on.
        limit: most problems; None: as many as the settings say.

    Raises:
        DataError: the source names none, the library is missing, or it does not make them.
    """
    trained = settings.seed * SEED_STEP
    made = _make_items(source, settings, settings.problems, trained)
    known = {problem.text for problem in made.problems} if held_out else set()
    if held_out:
        made = _make_items(source, settings, settings.held_out, trained + SEED_STEP // 2)
    new = [problem for problem in made.problems if problem.text not in known]
    if not new:
        raise DataError(
            f"{source}: all {len(made.problems)} held-out problems are trained on too, since there "
            "are so few: raise data.reasoning_gym.level, or name wider parameters"
        )
    repeated = len(made.problems) - len(new)
    left_out = {**made.left_out, **({"trained on too": repeated} if repeated else {})}
    return ProceduralProblems(new[:limit], made.scorers, left_out, made.worked)


def _make_items(
    source: str, settings: ReasoningGymConfig, count: int, seed: int
) -> ProceduralProblems:
    tasks = parse_tasks(source)
    size = -(-count // len(tasks))
    made = [build_dataset(task, seed=seed, size=size, level=settings.level) for task in tasks]
    problems: list[Problem] = []
    scorers: dict[str, str] = {}
    worked: dict[str, str] = {}
    left_out: Counter[str] = Counter()
    seen: set[str] = set()
    for number in range(count):
        index, place = divmod(number, len(tasks))
        question, answer, metadata = _take_item(tasks[place], made[place], index)
        if question in seen:
            left_out["repeated"] += 1
            continue
        seen.add(question)
        name = f"{tasks[place].name}-{place}-{seed + index}"
        problems.append(Problem(id=name, text=question, answer=answer))
        if not _WHOLE.fullmatch(answer):
            item = ScoredItem(*tasks[place], settings.level, seed + index, answer)
            scorers[name] = json.dumps(item)
        if way := write_worked_solution(tasks[place].name, metadata):
            worked[name] = way
    return ProceduralProblems(problems, scorers, dict(left_out), worked)


def _take_item(task: NamedTask, made: Any, index: int) -> tuple[str, str, dict[str, Any]]:
    try:
        item = made[index]
    except Exception as error:  # some tasks find no item for some parameters
        raise DataError(
            f"reasoning-gym makes no {task.name!r} with {task.parameters!r}: {error}"
        ) from error
    question, answer = str(item["question"]).strip(), item["answer"]
    if not question or answer is None or not str(answer).strip():
        raise DataError(f"reasoning-gym gives no answer of its own for {task.name!r}")
    return question, str(answer), item["metadata"]
