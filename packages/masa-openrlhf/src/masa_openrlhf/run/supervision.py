"""Watch a run from outside: show how it goes, stop it gently, leave nothing behind.

The run is a process of its own, with its own children; all they print goes to its log. This process
reads what the trainer writes into the run's folder. So whatever dies in there, somebody is left to
say so.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from types import FrameType

from masa_openrlhf.cache import find_cache_home
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.display.run_display import RunDisplay
from masa_openrlhf.run.devices import is_on_one_machine
from masa_openrlhf.run.disk import explain_full_disk
from masa_openrlhf.run.folder import RunFolder, StopRequest
from masa_openrlhf.run.loopback import prepare_run_variables
from masa_openrlhf.run.processes import StoppedProcesses, adopt_orphans, end_children
from masa_openrlhf.run.temporary import make_temporary_folder

_POLL = 0.25
_SAME = 1.0
"""Seconds within which a second SIGTERM is the first, come another way: whoever ends a job may send
it to a script, which passes it on, and to every process of the job beside."""
_STOPPED = 130
MAX_FAILURE_LINES = 25
_USER_ERRORS = {
    "AuthenticationError",
    "ConfigError",
    "DataError",
    "DoesNotFitError",
    "HubUnreachableError",
    "ModelError",
    "ModuleNotFoundError",
    "NodeError",
    "NodeLostError",
    "OpenClusterError",
    "OpenRLHFArgumentError",
    "ResourceError",
    "VariableError",
}


def supervise_run(
    folder: RunFolder,
    config: TrainConfig,
    *,
    resume: bool,
    command: tuple[str, ...] = (sys.executable, "-m", "masa_openrlhf.run.launch"),
) -> int:
    """Run training to its end.

    The first Ctrl-C (or a lost terminal) asks for a checkpoint after the step at hand. The first
    SIGTERM, whatever came before it, asks for a checkpoint of the last finished step now: whoever
    sends it often kills half a minute later. The second of each ends everything at once, and before
    training begins so does the first.

    Args:
        folder: the run's folder, with its configuration written.
        config: that configuration.
        resume: go on from the last checkpoint.
        command: what starts the run; the folder is added to it.

    Returns:
        The exit status: 0 when the training finished, 130 when it was stopped, else the run's.
    """
    folder.clear_stop()
    adopt_orphans()
    interrupts, stopped = _Interrupts(folder), StoppedProcesses()
    with (
        make_temporary_folder() as temporary,
        open(folder.log, "ab") as log,
        RunDisplay(folder, config) as display,
    ):
        run = subprocess.Popen(
            [*command, str(folder.path), *(["--resume"] if resume else [])],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C comes to this process alone
            env=_build_run_environment(temporary, config),
        )
        with interrupts:
            while run.poll() is None:
                request = interrupts.request  # before the look: what it finds is not older
                display.update(request)
                for pid, title in stopped.find_new():
                    display.stopped_process(pid, title)
                # Before training there is no step to wait for, and nothing to lose.
                if interrupts.at_once or (request and not display.training):
                    break
                time.sleep(_POLL)
            if run.poll() is None:
                run.send_signal(signal.SIGINT)  # it outlives SIGTERM: see launch.outlive_sigterm
            end_children()
            status = run.wait()
        display.update(None)
        full = explain_full_disk(
            _read_tail(folder.log), (folder.path, temporary, find_cache_home())
        )
    if status == 0 and (interrupts.request is None or _is_finished(folder)):
        display.summary()
        return 0
    if interrupts.request:
        display.stopped()
        return _STOPPED
    said = [full] if full else _explain_user_error(folder) or read_failure_lines(folder.log)
    display.failed(status, said)
    return status if status > 0 else 1


def _is_finished(folder: RunFolder) -> bool:
    """Whether training came to its end: asked to stop in its last step it does."""
    ends = [e["reason"] for e in folder.events() if e["event"] == "trained"]
    return ends[-1:] == ["finished"]


def _build_run_environment(temporary: Path, config: TrainConfig) -> dict[str, str]:
    """The environment of a run: this process's, who may reach it, and bytecode in any case.

    A run's processes import some ten thousand files each. Where Python is told to keep no bytecode,
    each would compile them anew; it is kept in our cache then, out of anybody's way.
    """
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "TMPDIR": str(temporary)}
    # Started by "uv run", Ray would start its workers by it too, each in an environment of its own
    # that lacks the extras this one was made with.
    environment.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    if is_on_one_machine(config):
        environment.pop("RAY_AUTH_TOKEN", None)  # Ray would take it before the run's own
        environment |= prepare_run_variables(temporary)
    if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
        environment.setdefault("PYTHONPYCACHEPREFIX", str(find_cache_home() / "bytecode"))
    return environment


def _explain_user_error(folder: RunFolder) -> list[str]:
    """Return what the user can mend: a message says it better than a traceback."""
    events = folder.events()
    if events and events[-1]["event"] == "failed" and events[-1]["error"] in _USER_ERRORS:
        return list(str(events[-1]["message"]).splitlines())
    return []


class _Interrupts:
    """Takes requests to stop, and passes those on that the trainer can follow.

    Attributes:
        request: what the trainer is asked for; None: to go on.
        at_once: the run is to end without the trainer.
    """

    _SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self.request: StopRequest | None = None
        self.at_once = False
        self._told = 0.0

    def __enter__(self) -> None:
        self._before = [signal.signal(one, self._handle) for one in self._SIGNALS]

    def __exit__(self, *_: object) -> None:
        for one, before in zip(self._SIGNALS, self._before, strict=True):
            signal.signal(one, before)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if signum == signal.SIGTERM and self.request is not StopRequest.NOW:
            self._told = time.monotonic()
            self._ask(StopRequest.NOW)
        elif signum == signal.SIGTERM:
            self.at_once |= time.monotonic() - self._told > _SAME
        elif self.request is None:
            self._ask(StopRequest.AFTER_STEP)
        elif signum == signal.SIGINT:  # a terminal is lost once, whoever says so
            self.at_once = True

    def _ask(self, request: StopRequest) -> None:
        self.request = request
        self._folder.request_stop(request)


def _read_tail(log: Path) -> list[str]:
    with open(log, encoding="utf-8", errors="replace") as file:
        return list(deque((line.rstrip() for line in file), maxlen=2000))


def read_failure_lines(log: Path, lines: int = MAX_FAILURE_LINES) -> list[str]:
    """Return what a run said before it died: its last traceback, else its last lines."""
    said = _read_tail(log)
    starts = [i for i, line in enumerate(said) if "Traceback (most recent call last)" in line]
    if starts:
        said = said[starts[-1] :]
        if len(said) > lines:  # the top says where, the bottom what
            said = [*said[:3], "  ...", *said[-(lines - 4) :]]
        return said
    return said[-lines:]
