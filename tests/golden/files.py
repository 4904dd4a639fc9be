"""The golden files: what makes each, how it is written, and how two are compared."""

from __future__ import annotations

import functools
import itertools
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.golden.control import RUNS, play_run
from tests.golden.experience import list_batches
from tests.golden.metrics import (
    list_advantages,
    list_contributions,
    list_evaluations,
    list_report_metrics,
)
from tests.golden.score import score_files

FOLDER = Path(__file__).parents[1] / "data" / "golden"


class GoldenFile(NamedTuple):
    """A golden file.

    Attributes:
        make: makes its rows anew.
        tolerance: how far a float may be off, relative. Whole numbers and texts must be the same.
            1e-12 is what machines and Pythons differ by: the C library's pow and log round the last
            bit otherwise where the processor multiplies and adds at once, and 3.12 sums a
            correlation more exactly than 3.10.
    """

    make: Callable[[], list[dict[str, Any]]]
    tolerance: float = 1e-12


FILES = {
    **{f"control-{name}": GoldenFile(functools.partial(play_run, name)) for name in RUNS},
    "score": GoldenFile(score_files),
    # float32 of float64: half a unit in the last place is 6e-8.
    "advantages": GoldenFile(list_advantages, 1.2e-7),
    "evaluation": GoldenFile(list_evaluations),
    "report": GoldenFile(list_report_metrics),
    # A pseudo-inverse, by whichever kernels LAPACK has for the processor.
    "contributions": GoldenFile(list_contributions, 1e-9),
}

STACK_FILES = {
    # float32 throughout.
    "experience": GoldenFile(list_batches, 1e-6),
}
"""Those that need OpenRLHF: ``tests/stack/test_golden.py``."""


def find_golden_path(name: str) -> Path:
    """Return where a golden file lies."""
    return FOLDER / f"{name}.jsonl"


def to_json_lines(rows: list[dict[str, Any]]) -> str:
    """Return rows as they are written: a line each, floats with all their digits."""
    return "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)


def read_rows(text: str) -> list[Any]:
    """Return the rows of a file."""
    return [json.loads(line) for line in text.splitlines()]


def find_differences(was: object, now: object, tolerance: float, where: str = "") -> Iterator[str]:
    """Yield each place at which two values differ, with both."""
    if isinstance(was, dict) and isinstance(now, dict) and was.keys() == now.keys():
        for key in was:
            yield from find_differences(was[key], now[key], tolerance, f"{where}.{key}")
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for place, (one, other) in enumerate(zip(was, now, strict=True)):
            yield from find_differences(one, other, tolerance, f"{where}[{place}]")
    elif type(was) is float and type(now) is float:
        # Beside 1 a difference of rounding errors is one, whatever its ratio.
        if not math.isclose(was, now, rel_tol=tolerance, abs_tol=tolerance):
            yield f"{where}: was {was!r}, is {now!r}"
    elif type(was) is not type(now) or was != now:
        yield f"{where}: was {_shorten_value(was)}, is {_shorten_value(now)}"


def check_golden(name: str, golden: GoldenFile) -> None:
    """Make a file anew, and fail where it differs from the one that is kept."""
    now = read_rows(to_json_lines(golden.make()))
    was = read_rows(find_golden_path(name).read_text(encoding="utf-8"))
    found = list(itertools.islice(find_differences(was, now, golden.tolerance), 10))
    assert not found, (
        f"numbers of {name} moved, among them:\n" + "\n".join(found) + "\nIf they should: make "
        "golden, and say in the commit which moved and why"
    )


def _shorten_value(value: object) -> str:
    text = sorted(value) if isinstance(value, dict) else value
    return f"{str(text)[:200]!r}"
