"""The nineteen benchmarks of the paper, an entry each; the tiny one, and one's own problems."""

from __future__ import annotations

from masa_openrlhf.eval.benchmarks.entry import Benchmark
from masa_openrlhf.eval.benchmarks.registry.code import CODE
from masa_openrlhf.eval.benchmarks.registry.logic import LOGIC
from masa_openrlhf.eval.benchmarks.registry.maths import MATHS, OWN, TINY
from masa_openrlhf.eval.benchmarks.registry.science import SCIENCE
from masa_openrlhf.eval.errors import EvalError

PAPER_BENCHMARKS: tuple[Benchmark, ...] = (*MATHS, *LOGIC, *SCIENCE, *CODE)
FAMILIES: dict[str, tuple[Benchmark, ...]] = {
    "maths": MATHS,
    "logic": LOGIC,
    "science": SCIENCE,
    "code": CODE,
    "all": PAPER_BENCHMARKS,
}
BENCHMARKS_BY_NAME: dict[str, Benchmark] = {
    entry.name: entry for entry in (*PAPER_BENCHMARKS, TINY, OWN)
}


def choose_benchmarks(names: str) -> tuple[Benchmark, ...]:
    """Return the benchmarks that ``names`` names, each once, in the order named.

    Args:
        names: names and families with commas between, as "aime24,logic".

    Raises:
        EvalError: a name that is none, or no name at all.
    """
    chosen: dict[str, Benchmark] = {}
    for name in (part.strip().lower() for part in names.split(",")):
        if not name:
            continue
        if name in FAMILIES:
            found = FAMILIES[name]
        elif name in BENCHMARKS_BY_NAME:
            found = (BENCHMARKS_BY_NAME[name],)
        else:
            raise EvalError(
                f"there is no benchmark {name!r}; there are {', '.join(BENCHMARKS_BY_NAME)}, "
                f"and the families {', '.join(FAMILIES)}"
            )
        chosen |= {entry.name: entry for entry in found}
    if not chosen:
        raise EvalError(f"--benchmarks {names!r} names none; say for example maths or aime24,arc")
    return tuple(chosen.values())
