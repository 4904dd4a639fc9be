"""Running an arm with a seed: once, and going on where it was stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from masa_openrlhf.config.layers import flatten_settings
from masa_openrlhf.config.rules import merge_settings

from masa_benchmarks.comparison.arms import Arm, Settings
from masa_benchmarks.comparison.policy import ComparisonAssets

POLICY_SEEDS = 100
"""So many seeds share a policy, its problems and its held-out set."""


class Job(NamedTuple):
    """An arm with a seed.

    Attributes:
        arm: what is run.
        seed: of the run: the order of the problems, and what is sampled.
    """

    arm: Arm
    seed: int

    @property
    def policy(self) -> int:
        """Seed of the policy and the problems: one for the seeds that are reported, below 100."""
        return self.seed - self.seed % POLICY_SEEDS

    @property
    def name(self) -> str:
        """As in "masa-3"."""
        return f"{self.arm.name}-{self.seed}"

    @property
    def settings(self) -> Settings:
        """What is asked of the run, whatever its seed."""
        return self.arm.whole


def build_job_settings(job: Job, assets: ComparisonAssets) -> Settings:
    """Return the whole configuration of a job."""
    own: Settings = {
        "name": job.name,
        "seed": job.seed,
        "model": {"path": str(assets.model)},
        "data": {"train": str(assets.train), "eval": str(assets.held_out)},
    }
    return merge_settings(job.settings, own)


def find_job_folder(job: Job, home: Path) -> Path | None:
    """Return the folder of a job that was begun; None where it was not."""
    return find_run_folder(job.name, home)


def find_run_folder(name: str, home: Path) -> Path | None:
    """Return the last folder of a run of this name; None where there is none."""
    when = "2???????-??????"  # "grpo-8-20-20261126-140148" is a run of "grpo-8-20", not of "grpo-8"
    begun = sorted((home / "runs").glob(f"{name}-{when}"))
    return begun[-1] if begun else None


def is_finished(folder: Path, steps: int) -> bool:
    """Whether a run came to its end, at so many steps or more."""
    events = folder / "events.jsonl"
    if not events.exists():
        return False
    ends = (json.loads(line) for line in events.read_text("utf-8").splitlines() if line.strip())
    return any(
        e.get("event") == "trained" and e.get("reason") == "finished" and e["step"] >= steps
        for e in ends
    )


def list_changed_settings(job: Job, home: Path) -> list[str]:
    """Return what a job that was begun has otherwise than its arm says now.

    All but the number of steps: of those it can make more.

    Returns:
        As in "grpo-3: optim.lr is 0.001 there, 0.002 now".
    """
    folder = find_job_folder(job, home)
    if folder is None or not (folder / "config.json").exists():
        return []
    there = flatten_settings(json.loads((folder / "config.json").read_text("utf-8")))
    return [
        f"{job.name}: {key} is {there.get(key)!r} there, {value!r} now"
        for key, value in flatten_settings(job.settings).items()
        if key != "max_steps" and there.get(key) != value
    ]


def _format_toml(settings: Settings, path: str = "") -> str:
    plain = {k: v for k, v in settings.items() if not isinstance(v, dict)}
    lines = [f"[{path}]"] if path else []
    lines += [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
    for key, value in settings.items():
        if isinstance(value, dict):
            lines.append(_format_toml(value, f"{path}.{key}" if path else key))
    return "\n".join(lines) + "\n"


def build_command(job: Job, assets: ComparisonAssets, home: Path) -> list[str]:
    """Return the command that runs a job, or goes on with it; its settings are written."""
    program = [sys.executable, "-m", "masa_openrlhf.cli", "train"]
    begun = find_job_folder(job, home)
    if begun is not None and (begun / "checkpoints").exists():
        return [*program, "--resume", str(begun), "--max-steps", str(job.settings["max_steps"])]
    file = home / "settings" / f"{job.name}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_format_toml(build_job_settings(job, assets)), encoding="utf-8")
    return [*program, "--config", str(file), "--runs", str(home / "runs")]


def start_job(job: Job, assets: ComparisonAssets, home: Path) -> subprocess.Popen[bytes]:
    """Start a job in a process of its own; what it says goes to a file in ``home``/said."""
    said = home / "said" / f"{job.name}.txt"
    said.parent.mkdir(parents=True, exist_ok=True)
    with said.open("ab") as out:
        return subprocess.Popen(
            build_command(job, assets, home),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **({"OMP_NUM_THREADS": "1"} if job.arm.task == "sums" else {})},
        )
