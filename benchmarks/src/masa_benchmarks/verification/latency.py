"""How long a real answer waits for its verdict while one in eleven is hostile."""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from masa_rewards import AnswerVerifier

from masa_benchmarks.verification.data import TargetPair, draw_wrong_pairs, read_hostile_pairs
from masa_benchmarks.verification.judges import WARM_UP_PAIR, JudgeResult, verify_with_plain

TIMEOUT = 5.0
PLAIN_LIMIT = 16.0  # seconds; beyond its own three limits of five


def mix_hostile(
    own: list[TargetPair], hostile: list[TargetPair], seed: int
) -> tuple[list[TargetPair], list[bool]]:
    """Ten real answers for each hostile one, half of them right, in an order drawn at random."""
    draw = random.Random(seed)
    count = 10 * len(hostile)
    real = [draw.choice(own) for _ in range(count - count // 2)]
    real += draw_wrong_pairs(own, count // 2, seed).pairs
    marked = [(pair, True) for pair in real] + [(pair, False) for pair in hostile]
    draw.shuffle(marked)
    return [pair for pair, _ in marked], [is_real for _, is_real in marked]


def verify_with_callers(pairs: list[TargetPair], workers: int, clients: int) -> JudgeResult:
    """So many callers at a time, each of which waits for its verdict."""
    with AnswerVerifier(workers=workers, timeout=TIMEOUT) as verifier:
        verifier.verify_many([WARM_UP_PAIR] * 20 * workers)

        def timed(pair: TargetPair) -> tuple[str, float]:
            start = time.perf_counter()
            return verifier.verify(*pair).status, time.perf_counter() - start

        start = time.perf_counter()
        with ThreadPoolExecutor(clients) as threads:
            done = list(threads.map(timed, pairs))
        seconds = time.perf_counter() - start
    return JudgeResult([status for status, _ in done], [each for _, each in done], seconds)


def print_latencies(own: list[TargetPair], args: argparse.Namespace) -> None:
    """Print the table."""
    pairs, is_real = mix_hostile(own, read_hostile_pairs(args.hostile), args.seed)
    print(f"{sum(is_real)} real answers and {len(pairs) - sum(is_real)} hostile ones")
    header = f"\n{'seconds a real answer':<36} {'p50':>8} {'p99':>8} {'worst':>8} {'all':>8}"
    print(header + "   real / hostile")
    _print_row("masa-rewards, 1 worker, 1 caller", verify_with_callers(pairs, 1, 1), is_real)
    _print_row("masa-rewards, 2 workers, 8 callers", verify_with_callers(pairs, 2, 8), is_real)
    if not args.no_plain:
        _print_row(
            "math-verify, 1 process, 1 caller", verify_with_plain(pairs, PLAIN_LIMIT), is_real
        )


def _print_row(name: str, result: JudgeResult, is_real: list[bool]) -> None:
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
