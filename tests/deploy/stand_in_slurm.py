"""As much of Slurm as deploy/slurm.sh meets: real processes, with Slurm's signals and times.

A job is its script, run by bash with Slurm's variables. ``#SBATCH --signal=B:NAME@SECONDS`` sends
NAME to the script alone when the time limit is near; ``scancel`` and the limit itself send SIGTERM,
wait KillWait and then kill every process of the job. ``scontrol requeue`` is noted, and
``requeued`` runs the job again under its number. Every node is this machine.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil

KILL_WAIT = 30.0
"""Seconds from SIGTERM to SIGKILL, as Slurm is shipped."""

_MARK = "STAND_IN_SLURM_JOB"
_SCONTROL = """#!/bin/bash
case "$1 $2" in
    "show hostnames") tr , '\\n' <<<"$3" ;;
    "requeue $SLURM_JOB_ID") echo requeue >>"$STAND_IN_STATE" ;;
    *) echo "scontrol: not known here: $*" >&2; exit 1 ;;
esac
"""
_SRUN = """#!/bin/bash
nodes=0 cpus=1
while [[ $1 == --* ]]; do
    case $1 in
        --nodes=*) nodes=${1#*=} ;;
        --cpus-per-task=*) cpus=${1#*=} ;;
        --ntasks=* | --exclude=*) ;;
        *) echo "srun: not known here: $1" >&2; exit 2 ;;
    esac
    shift
done
if [[ $cpus != "$SLURM_CPUS_PER_TASK" ]]; then
    echo "srun: a task would have $cpus CPUs of the node's $SLURM_CPUS_PER_TASK" >&2
    exit 2
fi
for ((i = 0; i < nodes; i++)); do "$@" & done
wait
"""


class Slurm:
    """A cluster of so many nodes, all of them this machine.

    Args:
        where: a folder for its programs and the jobs' logs.
        variables: set in every job.
    """

    def __init__(self, where: Path, **variables: str) -> None:
        self.where, self.variables = where, variables
        self._jobs = 4000
        self.programs = where / "bin"
        self.programs.mkdir(parents=True)
        for name, text in {"scontrol": _SCONTROL, "srun": _SRUN}.items():
            (self.programs / name).write_text(text)
            (self.programs / name).chmod(0o755)

    def submit(self, script: Path, *arguments: str, nodes: int = 1) -> Job:
        """Start a job, as ``sbatch`` would once there is room."""
        self._jobs += 1
        return Job(self, self._jobs, script, arguments, nodes)


class Job:
    """A job that runs; ``log`` tells when what was sent, and came of it."""

    def __init__(
        self, slurm: Slurm, number: int, script: Path, arguments: tuple[str, ...], nodes: int
    ) -> None:
        self._slurm, self.number, self._script = slurm, number, script
        self._arguments, self._nodes = arguments, nodes
        self._directives = dict(
            re.findall(r"^#SBATCH --([a-z-]+)(?:=(\S+))?", script.read_text(), re.MULTILINE)
        )
        self._state = slurm.where / f"{number}.state"
        self._state.touch()
        self.output = slurm.where / f"{number}.log"
        self.log: list[str] = []
        self._start()

    def _start(self) -> None:
        self.mark, self._begun = uuid.uuid4().hex, time.monotonic()
        names = [f"node{i}" for i in range(self._nodes)]
        variables = {
            "SLURM_JOB_ID": str(self.number),
            "SLURM_JOB_NAME": self._directives["job-name"],
            "SLURM_JOB_NODELIST": ",".join(names),
            "SLURM_GPUS_ON_NODE": "1",
            "SLURM_CPUS_PER_TASK": self._directives["cpus-per-task"],
            "STAND_IN_STATE": str(self._state),
            _MARK: self.mark,
            **self._slurm.variables,
        }
        self._file = open(self.output, self._directives["open-mode"][0])  # noqa: SIM115
        self.process = subprocess.Popen(
            ["bash", str(self._script), *self._arguments],
            stdout=self._file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={
                **os.environ,
                **variables,
                "PATH": f"{self._slurm.programs}:{os.environ['PATH']}",
            },
        )
        self._note("started")

    def _note(self, what: str) -> None:
        self.log.append(f"{time.monotonic() - self._begun:6.1f} s  {what}")

    @property
    def said(self) -> str:
        """What the script and the run have printed."""
        return self.output.read_text()

    @property
    def requeues(self) -> int:
        """How often it asked to be put into the queue again."""
        return len(self._state.read_text().splitlines())

    def wait_until(self, happened: Callable[[], object], seconds: float = 300) -> None:
        """Wait for something to happen while it runs."""
        deadline = time.monotonic() + seconds
        while not happened():
            assert self.process.poll() is None, f"it ended before that:\n{self.said}"
            assert time.monotonic() < deadline, f"it did not happen:\n{self.said}"
            time.sleep(0.1)

    def warn_of_limit(self) -> None:
        """Send what ``--signal`` asks for: the time limit is near."""
        whom, name = re.fullmatch(r"(B:)?(\w+)@\d+", self._directives["signal"]).groups()
        assert whom == "B:", "without B: every process but the script would get it"
        self.process.send_signal(getattr(signal, f"SIG{name}"))
        self._note(f"SIG{name} to the script")

    def cancel(self) -> None:
        """``scancel``: SIGTERM to the script, SIGKILL to all of the job after KillWait."""
        self.process.send_signal(signal.SIGTERM)
        self._note("SIGTERM to the script")

    def end(self, seconds: float = KILL_WAIT) -> int:
        """Wait so long for the script to end, then kill all of the job; returns its status."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=seconds)
        late = self.process.poll() is None
        self._note("KillWait is over" if late else f"ended with status {self.process.returncode}")
        killed = self._kill_all()
        self._note(f"{killed} processes were left, and killed")
        self.process.wait()
        self._file.close()
        return self.process.returncode

    def _kill_all(self) -> int:
        found = 0
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get(_MARK) == self.mark:
                    found += process.status() != psutil.STATUS_ZOMBIE
                    process.kill()
        return found

    def run_again(self) -> None:
        """Start it once more, as Slurm does with a job that was put into the queue again."""
        assert self.requeues, "nobody asked for it"
        self._state.write_text("")
        self._start()
