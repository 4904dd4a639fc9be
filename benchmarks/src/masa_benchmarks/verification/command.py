"""The verifier beside plain math-verify: right answers, wrong ones, speed, hostile ones.

    python -m masa_benchmarks.verification right     # share of right answers taken for right
    python -m masa_benchmarks.verification wrong     # wrong answers taken for right
    python -m masa_benchmarks.verification speed     # verdicts a second
    python -m masa_benchmarks.verification latency   # with hostile answers among the real ones

Right are the solutions of the MATH training set with their own targets. Wrong are solutions with
targets of other problems, and with their own target changed in one place (data.py);
that the two differ in value is decided by value.py.
"""

from __future__ import annotations

import argparse
import statistics
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from masa_rewards.verify.case import AlgebraCase, read_case

from masa_benchmarks.paths import MATH
from masa_benchmarks.verification import latency as hostile
from masa_benchmarks.verification.data import TargetPair, draw_wrong_pairs, read_right_pairs
from masa_benchmarks.verification.judges import JudgeResult, verify_with_masa, verify_with_plain


def measure_right(args: argparse.Namespace) -> None:
    pairs = read_right_pairs(args.data, args.rows)
    _print_verdicts("right", pairs, args, lambda status: status != "correct", "right, not accepted")


def measure_wrong(args: argparse.Namespace) -> None:
    drawn = draw_wrong_pairs(read_right_pairs(args.data, args.rows), args.pairs, args.seed)
    print(
        f"{len(drawn.pairs)} pairs that differ in value, {drawn.near} of them near misses. Left "
        f"out: {drawn.same} drawn that are the same in value, {drawn.undecided} not decided"
    )
    _print_verdicts(
        "wrong", drawn.pairs, args, lambda status: status == "correct", "wrong, accepted"
    )


def _print_verdicts(
    name: str,
    pairs: list[TargetPair],
    args: argparse.Namespace,
    wanted: Callable[[str], bool],
    title: str,
) -> None:
    results = {"masa-rewards": verify_with_masa(pairs, args.workers)}
    if not args.no_plain:
        results["math-verify"] = verify_with_plain(pairs)
    print(f"\n{name + f' ({len(pairs)} pairs)':<24} accepted    share      seconds   statuses")
    for judge, (statuses, _, seconds) in results.items():
        counts = Counter(statuses)
        others = ", ".join(f"{status} {n}" for status, n in counts.most_common())
        share = 100 * counts["correct"] / len(pairs)
        print(f"  {judge:<20} {counts['correct']:>10} {share:9.3f} % {seconds:9.1f}   {others}")
    for judge, result in results.items():
        hits = [pair for pair, status in zip(pairs, result.statuses, strict=True) if wanted(status)]
        print(f"\n{judge}: {title}: {len(hits)}")
        for pair in hits[: args.show]:
            print(f"  target {pair.target!r}   solution ends {pair.solution[-100:]!r}")


def measure_speed(args: argparse.Namespace) -> None:
    own = read_right_pairs(args.data, args.rows)
    mixed = [*own, *draw_wrong_pairs(own, args.pairs, args.seed).pairs]
    fast = [pair for pair in mixed if not isinstance(read_case(*pair, "boxed"), AlgebraCase)]
    algebra = [pair for pair in mixed if isinstance(read_case(*pair, "boxed"), AlgebraCase)]
    print(f"{len(mixed)} pairs, {len(algebra)} of them for computer algebra")
    judges: dict[str, Callable[[list[TargetPair]], JudgeResult]] = {
        "masa-rewards, 1 worker": lambda pairs: verify_with_masa(pairs, 1),
        "masa-rewards, 2 workers": lambda pairs: verify_with_masa(pairs, 2),
    }
    if not args.no_plain:
        judges["math-verify, 1 process"] = verify_with_plain
    rates: dict[str, list[list[float]]] = {name: [] for name in judges}
    for _ in range(args.repeat):  # in turns: what else runs on the machine falls on all of them
        for name, judge in judges.items():
            rates[name].append([_measure_rate(pairs, judge) for pairs in (mixed, fast, algebra)])
    print(f"\n{'verdicts a second, median':<26} {'all':>10} {'at once':>10} {'algebra':>10}")
    for name, rounds in rates.items():
        medians = [statistics.median(column) for column in zip(*rounds, strict=True)]
        print(f"{name:<26} " + " ".join(f"{rate:10.0f}" for rate in medians))


def _measure_rate(
    pairs: list[TargetPair], judge: Callable[[list[TargetPair]], JudgeResult]
) -> float:
    return len(pairs) / judge(pairs).seconds if pairs else float("nan")


def measure_latency(args: argparse.Namespace) -> None:
    own = read_right_pairs(args.data, args.rows)
    hostile.print_latencies(own, args)


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m masa_benchmarks.verification",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("what", choices=["right", "wrong", "speed", "latency"])
    parser.add_argument("--data", type=Path, default=MATH, help="parquet with the MATH problems")
    parser.add_argument("--rows", type=int, default=None, help="only the first so many problems")
    parser.add_argument("--pairs", type=int, default=None, help="wrong pairs to draw")
    parser.add_argument("--hostile", type=int, default=95, help="hostile answers to mix in")
    parser.add_argument("--repeat", type=int, default=3, help="runs, of which the median counts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--show", type=int, default=20, help="examples to print of each kind")
    parser.add_argument("--no-plain", action="store_true", help="leave plain math-verify out")
    return parser


def main(arguments: list[str] | None = None) -> None:
    args = _make_parser().parse_args(arguments)
    if args.pairs is None:
        args.pairs = 20_000 if args.what == "wrong" else 2_500
    {
        "right": measure_right,
        "wrong": measure_wrong,
        "speed": measure_speed,
        "latency": measure_latency,
    }[args.what](args)
