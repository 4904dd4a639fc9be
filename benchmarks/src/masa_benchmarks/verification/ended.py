"""How often a verification worker ends on a case that it could have judged.

    for i in 1 2 3 4 5 6; do python -m masa_benchmarks.verification.ended --cases 15000 & done; wait

More at a time than there are cores: what may go wrong between two processes does so when one of
them is stopped at a bad moment. Two cores, six at a time: none of 90,000; 3 as of commit 22dc177,
where a worker was ended by the case that it had been given.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

from masa_rewards.verify.workers.process import VerificationWorker, WorkerReply, WorkerSettings

WORKER_SETTINGS = WorkerSettings(timeout=5.0, memory_mb=1024, start_timeout=120.0)
CASE = "x+", "1"  # a moment's work: cannot be read


def count_replies(cases: int) -> Counter[WorkerReply]:
    """Return what came of so many cases, each put to a worker that is alive."""
    replies: Counter[WorkerReply] = Counter()
    worker = VerificationWorker(WORKER_SETTINGS)
    try:
        for _ in range(cases):
            if not worker.alive:
                worker.kill()
                worker = VerificationWorker(WORKER_SETTINGS)
            replies[worker.ask(*CASE)] += 1
    finally:
        worker.kill()
    return replies


def main() -> None:
    """Print how many cases came to what."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=20000)
    options = parser.parse_args()
    began = time.monotonic()
    for reply, number in count_replies(options.cases).most_common():
        print(f"{number} of {options.cases}: {reply.outcome} {reply.detail}")
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
