"""Making samples and advantages of a step: as it was first written, in turns with as it is.

As it was: returns by OpenRLHF's ``get_cumulative_returns``, which goes through the tokens one by
one; tokens and log-probabilities as tuples of Python's numbers, pickled one by one, and read by
``torch.tensor``.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any
from unittest.mock import patch

from masa_benchmarks.overhead.step import StepBenchmark
from masa_benchmarks.overhead.text import MathRow, ScriptedWriter, StepSize

PARTS = ("transfer", "samples", "advantages")


@contextmanager
def former_conversion() -> Iterator[None]:
    """The former code in the places of ours."""
    import torch
    from masa_openrlhf.stack import experience, rollout
    from openrlhf.trainer.ppo_utils.experience_maker import RemoteExperienceMaker

    def returns(rewards: Any, mask: Any) -> Any:
        return RemoteExperienceMaker.get_cumulative_returns(None, rewards, mask, 1.0)

    with (
        patch.object(experience, "compute_undiscounted_returns", returns),
        patch.object(experience, "_to_tensor", lambda values, _: torch.tensor([*values])),
        patch.object(rollout, "array", lambda _, values: tuple(values)),
    ):
        yield


def compare_conversions(
    rows: Sequence[MathRow], size: StepSize, writer: ScriptedWriter, rounds: int
) -> None:
    """Print both, medians of rounds that have both in turns."""
    taken: list[tuple[Any, Any]] = []
    with closing(StepBenchmark(rows, size, writer, pack=True)) as bench:
        bench.step()  # warms up
        for _ in range(rounds):
            with former_conversion():
                was = bench.step()
            taken.append((was, bench.step()))
    print(f"{size.problems} problems; the trainer's seconds of processor time, medians of {rounds}")
    print(f"{'':<14}{'as it was':>12}{'as it is':>12}{'ratio (least-most)':>24}")
    for part in (*PARTS, "all"):
        pairs = [tuple(_sum_seconds(side, part) for side in both) for both in taken]
        ratios = sorted(was / now for was, now in pairs)
        was, now = (statistics.median(column) for column in zip(*pairs, strict=True))
        spread = f"{statistics.median(ratios):.1f} ({ratios[0]:.1f}-{ratios[-1]:.1f})"
        print(f"{part:<14}{was:>12.2f}{now:>12.2f}{spread:>24}")


def _sum_seconds(taken: Any, part: str) -> float:
    return float(sum(taken.trainer.values()) if part == "all" else taken.trainer[part])
