"""Running many jobs, a few at a time; what is done already is passed over."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from masa_benchmarks.comparison.policy import prepare_policy
from masa_benchmarks.comparison.pretrained import prepare_pretrained
from masa_benchmarks.comparison.running import (
    Job,
    find_job_folder,
    is_finished,
    list_changed_settings,
    start_job,
)

PREPARE = {"sums": prepare_policy, "pretrained": prepare_pretrained}
"""By task, what makes the policy and its problems."""


def run_jobs(
    jobs: Sequence[Job], home: Path, *, jobs_at_a_time: int, say: Callable[[str], None] = print
) -> int:
    """Run what is not finished yet.

    A run that was begun must have been begun with the settings that its arm has now.

    Whoever stops this (Ctrl-C, SIGTERM) ends the runs; each leaves a checkpoint, and the next call
    goes on.

    Args:
        jobs: in the order in which they are to start.
        home: where policies, settings and runs are kept.
        jobs_at_a_time: jobs that run at a time, each on about one core.
        say: told what is going on.

    Returns:
        How many failed.

    Raises:
        SystemExit: a run was begun with other settings.
    """
    if other := [line for job in jobs for line in list_changed_settings(job, home)]:
        raise SystemExit(
            "\n".join(other) + f"\nMove these runs out of {home / 'runs'}, or choose another --home"
        )
    todo = [job for job in jobs if not _is_done(job, home)]
    say(f"{len(jobs) - len(todo)} of {len(jobs)} runs are there already")
    running: list[tuple[Job, subprocess.Popen[bytes], float]] = []
    failed = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        while todo or running:
            while todo and len(running) < jobs_at_a_time:
                job = todo.pop(0)
                made = PREPARE[job.arm.task](home, job.policy, say)
                running.append((job, start_job(job, made, home), time.monotonic()))
            time.sleep(0.5)
            for entry in [e for e in running if e[1].poll() is not None]:
                running.remove(entry)
                job, process, began = entry
                failed += process.returncode != 0
                how = "done" if process.returncode == 0 else f"FAILED ({process.returncode})"
                took = time.monotonic() - began
                say(f"{job.name}: {how} in {took:.0f} s; {len(todo) + len(running)} to go")
    finally:
        for _, process, _ in running:
            process.terminate()
        for _, process, _ in running:
            process.wait()
    return failed


def _is_done(job: Job, home: Path) -> bool:
    folder = find_job_folder(job, home)
    return folder is not None and is_finished(folder, job.settings["max_steps"])
