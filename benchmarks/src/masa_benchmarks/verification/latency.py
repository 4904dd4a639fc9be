"""How long a real answer waits for its verdict while one in eleven is hostile."""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from masa_rewards import AnswerVerifier

from masa_benchmarks.verification.data import Pair, hostile_pairs, wrong_pairs
from masa_benchmarks.verification.judges import WARM, Result, plain

TIMEOUT = 5.0
PLAIN_LIMIT = 16.0  # seconds; beyond its own three limits of five


def mix(own: list[Pair], hostile: list[Pair], seed: int) -> tuple[list[Pair], list[bool]]:
    """Ten real answers for each hostile one, half of them right, in an order drawn at random."""
    draw = random.Random(seed)
    count = 10 * len(hostile)
    real = [draw.choice(own) for _ in range(count - count // 2)]
    real += wrong_pairs(own, count // 2, seed).pairs
    marked = [(pair, True) for pair in real] + [(pair, False) for pair in hostile]
    draw.shuffle(marked)
    return [pair for pair, _ in marked], [is_real for _, is_real in marked]


def ours(pairs: list[Pair], workers: int, clients: int) -> Result:
    """So many callers at a time, each of which waits for its verdict."""
    with AnswerVerifier(workers=workers, timeout=TIMEOUT) as verifier:
        verifier.verify_many([WARM] * 20 * workers)

        def timed(pair: Pair) -> tuple[str, float]:
            start = time.perf_counter()
            return verifier.verify(*pair).status, time.perf_counter() - start

        start = time.perf_counter()
        with ThreadPoolExecutor(clients) as threads:
            done = list(threads.map(timed, pairs))
        seconds = time.perf_counter() - start
    return Result([status for status, _ in done], [each for _, each in done], seconds)


def run(own: list[Pair], args: argparse.Namespace) -> None:
    """Print the table."""
    pairs, is_real = mix(own, hostile_pairs(args.hostile), args.seed)
    print(f"{sum(is_real)} real answers and {len(pairs) - sum(is_real)} hostile ones")
    header = f"\n{'seconds a real answer':<36} {'p50':>8} {'p99':>8} {'worst':>8} {'all':>8}"
    print(header + "   real / hostile")
    _row("masa-rewards, 1 worker, 1 caller", ours(pairs, 1, 1), is_real)
    _row("masa-rewards, 2 workers, 8 callers", ours(pairs, 2, 8), is_real)
    if not args.no_plain:
        _row("math-verify, 1 process, 1 caller", plain(pairs, PLAIN_LIMIT), is_real)


def _row(name: str, result: Result, is_real: list[bool]) -> None:
    waits = [each for each, real in zip(result.each, is_real, strict=True) if real]
    p50, p99 = statistics.median(waits), statistics.quantiles(waits, n=100)[98]
    marked = list(zip(result.statuses, is_real, strict=True))
    real, hostile = (
        ", ".join(
            f"{status} {n}"
            for status, n in Counter(s for s, r in marked if r == kind).most_common()
        )
        for kind in (True, False)
    )
    figures = f"{p50:8.4f} {p99:8.4f} {max(waits):8.2f} {result.seconds:8.0f}"
    print(f"{name:<36} {figures}   {real} / {hostile}", flush=True)
