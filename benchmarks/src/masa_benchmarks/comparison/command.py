"""The command of the comparison: `python -m masa_benchmarks.comparison`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from masa_benchmarks.comparison.ablations import ABLATIONS, NO_DECISIONS_AT_RATES
from masa_benchmarks.comparison.arms import (
    ARMS,
    EXPERT_EVERY_PROBLEM,
    FIRST_SEED,
    LARGER_BATCHES,
    SEEDS,
    TUNING,
    shorten_arm,
)
from masa_benchmarks.comparison.pretrained import PRETRAINED_ARMS
from masa_benchmarks.comparison.record import unpack_record, write_record
from masa_benchmarks.comparison.running import POLICY_SEEDS, Job, list_changed_settings
from masa_benchmarks.comparison.schedule import run_jobs
from masa_benchmarks.comparison.tables import print_tables

EVERY_ARM = (
    *(*ARMS, *LARGER_BATCHES, *ABLATIONS),
    *(EXPERT_EVERY_PROBLEM, *TUNING, *NO_DECISIONS_AT_RATES),
    *PRETRAINED_ARMS,
)
SHORT_SEEDS = 2
SHORT_ARMS = ("grpo", "masa", "masa-efficient")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the comparison, or go on with it, and print its tables."""
    options = _make_parser().parse_args(argv)
    everything = {arm.name: arm for arm in EVERY_ARM}
    names, home = options.arms or _choose_arm_names(options), options.home
    unknown = [name for name in names if name not in everything]
    if unknown:
        raise SystemExit(f"no arm is called {unknown[0]!r}; there are {', '.join(everything)}")
    count = SHORT_SEEDS if options.short else SEEDS
    seeds = [options.first_seed + options.seed_stride * n for n in range(options.seeds or count)]
    if options.short:
        everything = {name: shorten_arm(arm) for name, arm in everything.items()}
        home /= "short"
    jobs = [
        Job(everything[name], seed)
        for number, seed in enumerate(seeds)
        for name in names
        if options.seeds or number < everything[name].seeds
    ]
    if options.recorded:
        print(f"{unpack_record(options.recorded, home)} runs unpacked from {options.recorded}")
    failed = 0
    if not options.tables:
        failed = run_jobs(jobs, home, jobs_at_a_time=options.jobs)
    for line in (line for job in jobs for line in list_changed_settings(job, home)):
        print(f"Beware: {line}")
    print_tables([everything[name] for name in names], seeds, home)
    if options.record:
        print(f"\n{write_record(jobs, home, options.record)} runs are in {options.record}")
    if failed:
        print(f"{failed} runs failed; what they said is in {home / 'said'}")
    return 1 if failed else 0


def _choose_arm_names(options: argparse.Namespace) -> Sequence[str]:
    if options.pretrained:
        return [arm.name for arm in PRETRAINED_ARMS]
    if options.ablations:
        return ["grpo", "masa-efficient", *(arm.name for arm in ABLATIONS)]
    return SHORT_ARMS if options.short else [arm.name for arm in ARMS]


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m masa_benchmarks.comparison", description=__doc__
    )
    add = parser.add_argument
    add("--home", type=Path, default=Path("runs/comparison"), help="where runs are kept")
    add(
        "--short",
        action="store_true",
        help=f"{SHORT_SEEDS} seeds of {', '.join(SHORT_ARMS)}, 3/4 long",
    )
    add(
        "--pretrained",
        action="store_true",
        help="SmolLM2-135M on tasks of reasoning-gym, two seeds, each with both cores: --jobs 1",
    )
    add("--ablations", action="store_true", help="MASA-efficient, one part otherwise each")
    add("--seeds", type=int, help=f"how many; where not said {SEEDS}, of the controls fewer")
    add(
        "--first-seed",
        type=int,
        default=FIRST_SEED,
        help=f"{FIRST_SEED} where not said; settings were chosen on seeds from 100 on",
    )
    add(
        "--seed-stride",
        type=int,
        default=1,
        help=f"how far seeds lie apart; with {POLICY_SEEDS} each has its own policy and problems",
    )
    add("--arms", nargs="+", metavar="ARM", help="only these")
    add("--jobs", type=int, default=2, help="runs at a time, each on about one core")
    add("--tables", action="store_true", help="run nothing, print what is there")
    add("--record", type=Path, metavar="FILE", help="write what is finished into one small file")
    add("--recorded", type=Path, metavar="FILE", help="begin with the runs of such a file")
    return parser
