"""How often is a right answer taken for right, and a wrong one? Ours beside plain math-verify.

Every solution of the MATH training set is verified against its own target (all should be correct),
and solutions against targets of other problems (none should). Plain math-verify parses the whole
solution and the target in the main thread of this process, as its README shows.

    python benchmarks/verification.py --pairs 5000 --show 20
"""

from __future__ import annotations

import argparse
import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from masa_rewards import AnswerVerifier

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "math_train.parquet"


class Pair(NamedTuple):
    """A solution and a target."""

    solution: str
    target: str


class Result(NamedTuple):
    """Status and detail of each pair, and how long all took."""

    statuses: list[str]
    seconds: float


def read_pairs(path: Path) -> list[Pair]:
    import pyarrow.parquet as parquet

    rows = parquet.read_table(path, columns=["reward_model"]).to_pylist()
    truths = [row["reward_model"]["ground_truth"] for row in rows]
    pairs = [Pair(truth["solution"], truth["target"]) for truth in truths]
    kept = [pair for pair in pairs if pair.target.strip()]
    print(f"{len(pairs)} problems, {len(pairs) - len(kept)} of them without a target: left out")
    return kept


def wrong_pairs(pairs: list[Pair], count: int, seed: int) -> list[Pair]:
    """Pair solutions with targets of other problems that are not the same text."""
    draw = random.Random(seed)
    wrong: list[Pair] = []
    while len(wrong) < count:
        one, other = draw.choice(pairs), draw.choice(pairs)
        if one.target.strip() != other.target.strip():
            wrong.append(Pair(one.solution, other.target))
    return wrong


def ours(pairs: list[Pair], workers: int) -> Result:
    start = time.perf_counter()
    with AnswerVerifier(workers=workers) as verifier:
        verdicts = verifier.verify_many(pairs)
    return Result([verdict.status for verdict in verdicts], time.perf_counter() - start)


def plain(pairs: list[Pair]) -> Result:
    from math_verify import parse, verify

    logging.disable(logging.WARNING)
    start = time.perf_counter()
    statuses = [
        "correct" if verify(parse(f"${target}$"), parse(solution)) else "incorrect"
        for solution, target in pairs
    ]
    return Result(statuses, time.perf_counter() - start)


def report(name: str, pairs: list[Pair], results: dict[str, Result]) -> None:
    print(f"\n{name}: {len(pairs)} pairs")
    for judge, (statuses, seconds) in results.items():
        counts = Counter(statuses)
        others = ", ".join(f"{status} {n}" for status, n in counts.most_common())
        share = 100 * counts["correct"] / len(pairs)
        print(f"  {judge:<12} correct {share:7.3f} %   {seconds:7.1f} s   ({others})")


def show(
    title: str, pairs: list[Pair], result: Result, count: int, wanted: Callable[[str], bool]
) -> None:
    hits = [
        (pair, status)
        for pair, status in zip(pairs, result.statuses, strict=True)
        if wanted(status)
    ]
    print(f"\n{title}: {len(hits)}")
    for pair, status in hits[:count]:
        print(f"  {status:<10} target {pair.target!r}   solution ends {pair.solution[-120:]!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="parquet with the MATH problems")
    parser.add_argument("--rows", type=int, default=None, help="only the first so many problems")
    parser.add_argument("--pairs", type=int, default=5000, help="wrong pairs to draw")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--show", type=int, default=20, help="examples to print of each kind")
    parser.add_argument("--no-plain", action="store_true", help="leave plain math-verify out")
    args = parser.parse_args()

    right = read_pairs(args.data)[: args.rows]
    sets = {"right": right, "wrong": wrong_pairs(right, args.pairs, args.seed)}
    for name, pairs in sets.items():
        results = {"ours": ours(pairs, args.workers)}
        if not args.no_plain:
            results["math-verify"] = plain(pairs)
        report(name, pairs, results)
        for judge, result in results.items():
            is_right = name == "right"
            title = f"{judge}: " + ("right, not accepted" if is_right else "wrong, accepted")
            show(title, pairs, result, args.show, lambda s, r=is_right: (s == "correct") != r)


if __name__ == "__main__":
    main()
