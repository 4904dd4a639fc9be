"""What only a card can show, settled in ten minutes and without a network.

``python -m masa_benchmarks.gpu --out DIR`` on a machine with one 80 GB card. Each step is a process
of its own with its own time limit, in the order of the doubt it removes; what a step needs and does
not find is said. One table, and the same as JSON: DIR/kit.json, written anew after each step.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from masa_benchmarks.gpu.step import RESULT_MARK


class KitStep(NamedTuple):
    """A step of the kit.

    Attributes:
        name: of its module, without ``step_``.
        limit: seconds.
        doubt: the question that it settles.
    """

    name: str
    limit: int
    doubt: str


STEPS = (
    KitStep("attention", 60, "is torch's packed attention right in bfloat16?"),
    KitStep("log_probs", 60, "are log-probabilities in chunks right, and small?"),
    KitStep("adam", 60, "do the fused AdamW's states leave the card and come back?"),
    KitStep("passes", 90, "do the passes take the memory that was foretold?"),
    KitStep("ipc", 60, "do weights reach another process by a handle?"),
    KitStep("zero3", 120, "does a ZeRO-3 rank train packed, sleep and wake?"),
    KitStep("train", 300, "do training and resume work whole, and how fast?"),
)


def main() -> int:
    """Run the steps; the exit status is 0 where none failed."""
    parser = argparse.ArgumentParser(prog="python -m masa_benchmarks.gpu", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", "gpu-kit")))
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="shapes that a CPU takes in seconds")
    parser.add_argument("--only", nargs="*", choices=[step.name for step in STEPS])
    parser.add_argument("--seconds", type=float, default=600, help="for all steps together")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    record: dict[str, Any] = {"machine": describe_machine(), "steps": {}}
    deadline = time.monotonic() + options.seconds
    for step in STEPS:
        if options.only and step.name not in options.only:
            continue
        left = deadline - time.monotonic()
        record["steps"][step.name] = run_step(step, options, left)
        (options.out / "kit.json").write_text(json.dumps(record, indent=2) + "\n")
    text = render_table(record)
    (options.out / "kit.md").write_text(text + "\n")
    print(text)
    return int(any(found["state"] == "failed" for found in record["steps"].values()))


def describe_machine() -> dict[str, str]:
    """Return what a figure depends on."""
    import torch

    found = {"torch": torch.__version__, "python": platform.python_version(), "card": "none"}
    if torch.cuda.is_available():
        found["card"] = torch.cuda.get_device_name(0)
        free, total = torch.cuda.mem_get_info(0)
        found["memory"] = f"{total / 2**30:.1f} GiB, {free / 2**30:.1f} free"
    return found


def run_step(step: KitStep, options: argparse.Namespace, left: float) -> dict[str, Any]:
    """Run a step, within its limit and what is left of the time."""
    limit = min(step.limit, left)
    if limit < 10:
        return {"state": "no time", "said": "", "figures": {}, "checks": {}, "seconds": 0.0}
    command = [
        sys.executable,
        "-m",
        f"masa_benchmarks.gpu.step_{step.name}",
        "--device",
        options.device,
    ]
    begun = time.monotonic()
    try:
        done = subprocess.run(
            [*command, *(["--small"] if options.small else [])],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=limit,
        )
        said = done.stdout
    except subprocess.TimeoutExpired as late:
        said = late.stdout.decode(errors="replace") if isinstance(late.stdout, bytes) else ""
    (options.out / f"{step.name}.log").write_text(said)
    lines = [line for line in said.splitlines() if line.startswith(RESULT_MARK)]
    found: dict[str, Any] = (
        json.loads(lines[-1].removeprefix(RESULT_MARK))
        if lines
        else {"state": "failed", "said": f"no answer within {limit:.0f} s", "figures": {}}
    )
    print(f"{step.name}: {found['state']} {found['said']}", flush=True)
    return {"checks": {}, **found, "seconds": round(time.monotonic() - begun, 1)}


def render_table(record: dict[str, Any]) -> str:
    """Return the record as Markdown."""
    doubts = {step.name: step.doubt for step in STEPS}
    on = ", ".join(f"{name} {value}" for name, value in record["machine"].items())
    lines = [on, "", "| step | question | answer | s | figures |", "|---|---|---|---|---|"]
    for name, found in record["steps"].items():
        figures = "; ".join(
            f"{key}: {_format_value(value)}" for key, value in found["figures"].items()
        )
        answer = found["state"] + (f": {found['said']}" if found["said"] else "")
        lines.append(f"| {name} | {doubts[name]} | {answer} | {found['seconds']} | {figures} |")
    return "\n".join(lines)


def _format_value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
