"""Problems that a user names, as items of the benchmark ``own``."""

from __future__ import annotations

from masa_openrlhf.data.errors import DataError
from masa_openrlhf.data.problems import load_problems
from masa_openrlhf.eval.benchmarks.entry import BenchmarkItem
from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.errors import EvalError


def load_own_items(config: EvaluationConfig) -> list[BenchmarkItem]:
    """Read what ``problems`` names, by the settings ``reading``.

    Raises:
        EvalError: nothing is named, or it cannot be read.
    """
    if config.problems is None:
        raise EvalError("the benchmark own is what --problems names: a file, a hub name, ...")
    try:
        loaded = load_problems(config.problems, config.reading, held_out=True)
    except DataError as error:
        raise EvalError(str(error)) from error
    return [
        BenchmarkItem(one.id, one.text, one.answer, scorer=loaded.scorers.get(one.id, ""))
        for one in loaded.problems[: config.max_questions]
    ]
