"""Start a real run from a test, watch it, and look for what it leaves behind."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from masa_openrlhf.run.folder import RunFolder

RUN_MARK = "MASA_TEST_RUN"

RECORDING = str(Path(__file__).parent / "recording")
"""On PYTHONPATH: requests to vLLM are written down."""

# Small, and awkward on purpose: M != G, and 5 x (4 + 6) sequences fill no whole micro-batches.
SMALL_RUN = (
    "--tiny.problems=64",
    "--tiny.held-out=8",
    "--batch.problems=5",
    "--batch.train-micro=16",
    "--batch.forward-micro=16",
    "--meta.rollouts=4",
    "--solution.rollouts=6",
    "--optim.warmup-steps=0",
    "--optim.updates-per-step=1",
    "--checkpoint.every=2",
    "--eval.every=3",
    "--eval.rollouts=2",
    "--log.episodes=5",
    # Predictions decide from the third step on, and often enough to be seen in seven.
    "--schedule.start=2",
    "--gate.rule=static",
    "--gate.max-std=0.5",
    "--gate.tolerance=0.35",
    "--gate.audit=0.3",
    "--cutoff.rule=fixed",
    "--cutoff.margin=1.2",
    "--cutoff.audit=0.3",
    "--experts.batch=6",
)

# 5 x (4 + 6) rollouts and 6 clones fill 64 sequences on two ranks, 16 at a time; the rest are
# fillers.
TWO_RANKS = ("--cluster.gpus-per-node=2", "--max-steps=7")


class WholeRun(NamedTuple):
    """What a run has left.

    Attributes:
        folder: its folder.
        output: what it printed.
        left: its processes that were still there at its end.
        seen: a look at it from outside, while it trained: ``strangers.Seen``.
        requests: those to vLLM, as ``recording`` wrote them down.
    """

    folder: RunFolder
    output: str
    left: list[str]
    seen: Any
    requests: list[dict[str, Any]]


class CommandRun:
    """A run of the command line, in a process of its own."""

    def __init__(self, *arguments: str, log: Path, **variables: str) -> None:
        self.log = log
        self.mark = uuid.uuid4().hex
        self._file = open(log, "w")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=self._file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, RUN_MARK: self.mark, "COLUMNS": "120", **variables},
        )

    @property
    def output(self) -> str:
        """What it has printed."""
        return self.log.read_text()

    def wait(self, seconds: float = 400) -> int:
        """Wait for its end; returns the exit status."""
        status = self.process.wait(timeout=seconds)
        self._file.close()
        return status

    def wait_until(
        self, happened: Callable[[], bool], seconds: float = 400, every: float = 0.1
    ) -> None:
        """Wait for something to happen while it runs."""
        deadline = time.monotonic() + seconds
        while not happened():
            assert self.process.poll() is None, f"it ended before that:\n{self.output}"
            assert time.monotonic() < deadline, f"it did not happen:\n{self.output}"
            time.sleep(every)

    def processes(self) -> list[psutil.Process]:
        """Every process that descends from it, whoever its parent is now."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                ended = process.status() == psutil.STATUS_ZOMBIE
                if not ended and process.environ().get(RUN_MARK) == self.mark:
                    found.append(process)
        return found

    def left_behind(self, seconds: float = 15) -> list[str]:
        """What is still there some seconds after its end."""
        deadline = time.monotonic() + seconds
        while (found := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.2)
        said = []
        for process in found:
            with contextlib.suppress(psutil.Error):
                said.append(" ".join(process.cmdline()))
        return said

    def driver(self) -> psutil.Process:
        """The process that everything of the run hangs on."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if "masa_openrlhf.run.launch" in process.cmdline():
                    return process
        raise AssertionError("there is no driver")


@contextlib.contextmanager
def start_command(name: str, *arguments: str, log: Path, **variables: str) -> Iterator[CommandRun]:
    """Run ``masa-openrlhf NAME``; whatever happens, nothing of it outlives the block."""
    run = CommandRun("masa_openrlhf.cli", name, *arguments, log=log, **variables)
    try:
        yield run
    finally:
        for process in run.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        run.wait(30)


def start_training(
    *arguments: str, log: Path, **variables: str
) -> contextlib.AbstractContextManager[CommandRun]:
    """Run ``masa-openrlhf train``, likewise."""
    return start_command("train", *arguments, log=log, **variables)


def find_only_folder(runs: Path) -> RunFolder:
    """Return the one run's folder there is."""
    (path,) = runs.iterdir()
    return RunFolder(path)


def list_steps(folder: RunFolder) -> list[int]:
    """The steps of which there are metrics."""
    return [row["step"] for row in folder.metrics()]
