"""What our own code takes of a step, apart from what the models cost.

    python -m masa_benchmarks.overhead paper          # at the paper's sizes, by a scripted engine
    python -m masa_benchmarks.overhead growth         # with problems, rollouts and length
    python -m masa_benchmarks.overhead before         # conversion as it was, in turns with as it is
    python -m masa_benchmarks.overhead readers        # of readers that need no prediction
    python -m masa_benchmarks.overhead tiny RUN_FOLDER# of a real run, from what it wrote

The scripted engine hands over at once what vLLM would (text.py); all else is the code of a
run (step.py). What generation takes at the least: generation.py.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from masa_benchmarks.overhead.generation import MODELS, generation_seconds
from masa_benchmarks.overhead.text import MathRow, ScriptedWriter, StepSize, read_rows
from masa_benchmarks.paths import MATH

ENGINES, WORKERS = 8, 2


def measure_paper(args: argparse.Namespace) -> None:
    rows, writer = _load_material(args.data)
    for tokens in args.solution_tokens:
        size = StepSize(
            args.problems, args.solutions, args.predictions, tokens, args.prediction_tokens
        )
        _print_report(size, _run_steps(rows, size, writer, args.rounds), args.tokens_per_second)


def _print_report(size: StepSize, taken: Sequence[Any], rate: float | None) -> None:
    print(
        f"\n{size.problems} problems, {size.solutions} solutions of {size.solution_tokens:,} tokens"
        f" and {size.predictions} predictions of {size.prediction_tokens:,}: "
        f"{size.tokens / 1e6:.2f} M tokens. Seconds of processor time, medians of {len(taken)} "
        f"(least-most)\n{'':<34}{'in all':>24}{'adds to the step':>26}"
    )
    for where, part, divisor in _list_parts(taken[0]):
        every = [_read_seconds(one, where, part) for one in taken]
        by = "" if divisor == 1 else f", in {divisor} processes"
        print(
            f"{part + ' (' + where + ')':<34}{_pad_spread(every)}{_pad_spread(every, divisor)}{by}"
        )
    totals = [one.on(ENGINES, WORKERS) for one in taken]
    print(f"{'together':<58}{_pad_spread(totals)}")
    packing, wall, wait = (
        _pad_spread([getattr(one, name) for one in taken]).strip()
        for name in ("packing", "wall", "wait")
    )
    print(f"OpenRLHF's own packing, which a run without MASA has too, not counted: {packing}")
    print(f"The trainer's part, packing included, lasted {wall} s on this machine.")
    print(f"With all problems on one actor, a problem waited {wait} s for its verdicts.")
    for name, model in MODELS.items():
        seconds = size.tokens / rate if rate else generation_seconds(model, size)
        shares = [100 * total / seconds for total in totals]
        print(
            f"{name}: generation at {size.tokens / seconds:,.0f} tokens a second on 8 GPUs: "
            f"{seconds:.0f} s; ours {_pad_spread(shares).strip()} % of it, "
            f"{'below' if max(shares) < 1 else 'NOT below'} 1 %"
        )


def _list_parts(one: Any) -> list[tuple[str, str, int]]:
    return [
        *(("actors", part, ENGINES) for part in sorted(one.actors)),
        ("workers", "verification", ENGINES * WORKERS),
        *(("trainer", part, 1) for part in sorted(one.trainer)),
    ]


def _read_seconds(one: Any, where: str, part: str) -> float:
    return float(one.workers if where == "workers" else getattr(one, where)[part])


def _pad_spread(values: Sequence[float], divisor: int = 1) -> str:
    low, middle, high = (f(values) / divisor for f in (min, statistics.median, max))
    return f"{f'{middle:.3f} ({low:.3f}-{high:.3f})':>24}"


def measure_growth(args: argparse.Namespace) -> None:
    """Each dimension by itself, from 32 problems and 2,000 tokens a response; without packing."""
    rows, writer = _load_material(args.data)
    base = StepSize(problems=32, solution_tokens=2000, prediction_tokens=2000)
    ways: dict[str, tuple[str, Sequence[int]]] = {
        "problems": ("problems", (32, 64, 128, 256)),
        "rollouts": ("solutions", (8, 16, 32)),
        "length": ("solution_tokens", (1000, 2000, 4000, 8000)),
    }
    for title, (name, values) in ways.items():
        middles = []
        print(f"\n{title:<12}{'actors / 8':>12}{'workers / 16':>14}{'trainer':>10}{'together':>10}")
        for value in values:
            size = base._replace(**{name: value})
            if name == "solution_tokens":
                size = size._replace(prediction_tokens=value)
            taken = _run_steps(rows, size, writer, args.rounds, pack=False)
            columns = [_sum_columns(one) for one in taken]
            middle = [statistics.median(column) for column in zip(*columns, strict=True)]
            middles.append(middle)
            print(
                f"{value:<12,}" + "".join(f"{v:>{w}.3f}" for v, w in _pair_widths(middle)),
                flush=True,
            )
        powers = [fit_exponent(values, column) for column in zip(*middles, strict=True)]
        print(f"{'exponent':<12}" + "".join(f"{v:>{w}.2f}" for v, w in _pair_widths(powers)))


def _sum_columns(one: Any) -> list[float]:
    actors, workers = sum(one.actors.values()) / ENGINES, one.workers / (ENGINES * WORKERS)
    trainer = sum(one.trainer.values())
    return [actors, workers, trainer, actors + workers + trainer]


def _pair_widths(values: Sequence[float]) -> list[tuple[float, int]]:
    return list(zip(values, (12, 14, 10, 10), strict=True))


def fit_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The k of seconds = c * size ** k, by least squares of the logarithms."""
    x, y = [math.log(v) for v in sizes], [math.log(v) for v in seconds]
    return statistics.linear_regression(x, y).slope


def _run_steps(
    rows: Sequence[MathRow],
    size: StepSize,
    writer: ScriptedWriter,
    rounds: int,
    *,
    pack: bool = True,
) -> list[Any]:
    """One more step before warms up: the dictionary of lemmas, memory."""
    from masa_benchmarks.overhead.step import StepBenchmark

    with contextlib.closing(StepBenchmark(rows, size, writer, pack=pack)) as bench:
        return [bench.step() for _ in range(rounds + 1)][1:]


def measure_before(args: argparse.Namespace) -> None:
    from masa_benchmarks.overhead.before import compare_conversions

    rows, writer = _load_material(args.data)
    tokens = args.solution_tokens[0]
    size = StepSize(args.problems, args.solutions, args.predictions, tokens, args.prediction_tokens)
    compare_conversions(rows, size, writer, args.rounds)


def measure_readers(args: argparse.Namespace) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from masa_benchmarks.overhead import readers

    readers.measure_readers(read_rows(args.data), args.rounds, args.problems, args.ahead)


def report_tiny_run(args: argparse.Namespace) -> None:
    from masa_benchmarks.overhead.tiny import print_run_overhead

    print_run_overhead(args.run)


def _load_material(data: Path) -> tuple[list[MathRow], ScriptedWriter]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from masa_openrlhf import cpu

    os.environ.update(cpu.environment(Path(tempfile.gettempdir()) / "masa-overhead"))
    cpu.activate()
    import torch

    torch.set_num_threads(1)
    rows = read_rows(data)
    return rows, ScriptedWriter(rows)


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m masa_benchmarks.overhead",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    commands = parser.add_subparsers(dest="what", required=True)
    for name in ("paper", "growth", "before", "readers"):
        command = commands.add_parser(name)
        command.add_argument("--data", type=Path, default=MATH, help="parquet with MATH problems")
        command.add_argument("--rounds", type=int, default=3 if name == "growth" else 5)
    for name in ("paper", "before"):
        command = commands.choices[name]
        command.add_argument("--problems", type=int, default=128)
        command.add_argument("--solutions", type=int, default=16, help="G")
        command.add_argument("--predictions", type=int, default=8, help="M")
        command.add_argument("--solution-tokens", type=int, nargs="+", default=[6251, 2293])
        command.add_argument("--prediction-tokens", type=int, default=2293)
        command.add_argument("--tokens-per-second", type=float, help="on all GPUs; else a ceiling")
    command = commands.choices["readers"]
    command.add_argument("--problems", type=int, default=128)
    command.add_argument("--ahead", type=int, default=4, help="times as many that are read")
    commands.add_parser("tiny").add_argument("run", type=Path, help="a run's folder")
    return parser


def main(arguments: list[str] | None = None) -> None:
    args = _make_parser().parse_args(arguments)
    ways: dict[str, Callable[[argparse.Namespace], None]] = {
        "paper": measure_paper,
        "growth": measure_growth,
        "before": measure_before,
        "readers": measure_readers,
        "tiny": report_tiny_run,
    }
    ways[args.what](args)
