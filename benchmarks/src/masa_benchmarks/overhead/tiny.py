"""What our own code took of each step of a real run, from its metrics."""

from __future__ import annotations

import statistics
from pathlib import Path

TIMES = ("time/generation", "time/score", "time/train", "time/broadcast")


def print_run_overhead(run: Path) -> None:
    """Print medians over the steps after the first, and the share over all of them."""
    from masa_openrlhf.run.folder import RunFolder

    rows = [row for row in RunFolder(run).metrics() if "overhead/share" in row][1:]
    if not rows:
        raise SystemExit(f"{run} has no step with overhead/share after its first")
    print(f"{len(rows)} steps; the first, which loads what is loaded once, is left out")
    print(f"{'':<30}{'s a step, median':>18}{'least':>10}{'most':>10}{'% of all':>10}")
    whole = sum(row["time/step"] for row in rows)
    parts = sorted({key for row in rows for key in row if key.startswith("overhead/")})
    for key in ("time/step", *TIMES, *parts):
        if key != "overhead/share" and (values := [row[key] for row in rows if key in row]):
            share = "" if key.endswith("_wait") else f"{100 * sum(values) / whole:10.2f}"
            low, middle, high = min(values), statistics.median(values), max(values)
            print(f"{key:<30}{middle:>18.4f}{low:>10.4f}{high:>10.4f}{share}")
    ours = sum(row["overhead/step"] for row in rows)
    print(f"Our own code: {100 * ours / whole:.2f} % of the steps")
