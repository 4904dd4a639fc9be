"""The process that scores answers by reasoning-gym's own scorers, and may be killed at any time.

    python -m masa_openrlhf.procedural.worker TIMEOUT_SECONDS MEMORY_MB

A scorer reads what a model wrote: it runs under the limits of a verification worker, and one that
evaluates expressions is given none that could run anything else.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from functools import lru_cache
from typing import Any

from masa_rewards.verify.verdict import Status
from masa_rewards.verify.workers.worker import serve_cases

from masa_openrlhf.procedural.answers import is_expression, list_readings
from masa_openrlhf.procedural.problems import ScoredItem
from masa_openrlhf.procedural.tasks import NamedTask, build_dataset, import_library

RIGHT = 1.0
"""The score of a right answer; others earn a part for their form, which is none here."""

_EVALUATES = re.compile(r"\b(?:parse_expr|sympify|eval|exec)\s*\(")


def score_answer(answer: str, item: str) -> Status:
    """Judge an answer by the scorer of its task.

    Args:
        answer: what a solution states.
        item: `ScoredItem` in JSON.

    Returns:
        "correct", "incorrect", or "unparsable" for an answer that no scorer is given.

    Raises:
        RuntimeError: the library makes another item than it made for the data.
    """
    made, entry, evaluates = _make_item(item)
    readings = [text for text in list_readings(answer) if not evaluates or is_expression(text)]
    if not readings:
        return "unparsable"
    right = any(float(made.score_answer(text, entry)) >= RIGHT for text in readings)
    return "correct" if right else "incorrect"


@lru_cache(maxsize=1024)
def _make_item(item: str) -> tuple[Any, Any, bool]:
    """The data set of an item, the item, and whether its scorer evaluates expressions."""
    one = ScoredItem(*json.loads(item))
    task = NamedTask(one.task, one.parameters)
    made = build_dataset(task, seed=one.seed, size=1, level=one.level)
    entry = made[0]
    if str(entry["answer"]) != one.answer:
        raise RuntimeError(
            f"reasoning-gym makes another {one.task} of seed {one.seed} than it made for the data: "
            "the versions differ"
        )
    return (
        made,
        entry,
        bool(_EVALUATES.search(inspect.getsource(sys.modules[type(made).__module__]))),
    )


if __name__ == "__main__":
    serve_cases(score_answer, import_library)
