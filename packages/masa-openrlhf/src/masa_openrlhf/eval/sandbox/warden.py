"""Starts one program behind the walls, and sees to it that all of it ends.

Run as a process of its own, by the standard library alone::

    evaluation ── warden ──┬── init, the first process in the namespaces ── the program, its own
                           └── looks on: time, memory, whether the evaluation is still there

When init ends, the kernel kills everything in its namespace, however often it forked; and init ends
with the program, with its time, with the warden, and with the evaluation.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from typing import Any, NoReturn

from masa_openrlhf.eval.sandbox import libc, namespaces, rlimits, seccomp
from masa_openrlhf.eval.sandbox.tree import list_descendants, measure_memory_mb

POLL_SECONDS = 0.02
"""Seconds from one look at the memory to the next."""


def main() -> None:
    """Read what to start from the arguments, run it, and write a line about its end."""
    order = json.loads(sys.argv[1])
    for name in ("control", "report"):  # for this process alone: the program must have neither
        os.set_inheritable(order[name], False)
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
    user, lacking = None, []
    try:
        user = namespaces.enter_namespaces()
    except OSError as error:
        lacking.append(f"namespaces ({error.strerror})")
    if not seccomp.is_supported():
        lacking.append("seccomp (not made for this processor)")
    if lacking and not order["allow_unsandboxed"]:
        _write_line(order, {"ended": "refused", "lacking": lacking})
        return
    walls = not any("namespaces" in each for each in lacking)
    go, ready = os.pipe()
    init = os.fork()
    if init == 0:
        os.close(ready)
        _run_as_init(order, go, user, walls=walls)
    os.close(go)
    for descriptor in (0, 1):
        os.close(descriptor)
    os.write(ready, b"x")
    ended, status = _supervise_program(init, order)
    _write_line(order, {"ended": ended, "status": status, "lacking": lacking})


def _supervise_program(init: int, order: dict[str, Any]) -> tuple[str, int]:
    """Wait for the end of everything; bring it about when it is due."""
    deadline = time.monotonic() + order["limits"]["seconds"]
    ended = ""
    while True:
        found, status = os.waitpid(init, os.WNOHANG)
        if found:
            _kill_rest()
            return ended or "exit", os.waitstatus_to_exitcode(status)
        if not ended:
            hung_up = select.select([order["control"]], [], [], POLL_SECONDS)[0]
            if hung_up:
                ended = "hung up"
            elif time.monotonic() > deadline:
                ended = "seconds"
            elif measure_memory_mb(init) > order["limits"]["memory_mb"]:
                ended = "memory"
            if ended:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(init, signal.SIGKILL)
        else:
            time.sleep(POLL_SECONDS / 10)


def _kill_rest() -> None:
    """Kill what is left below this process: nothing, where there are namespaces."""
    while left := list_descendants(os.getpid()):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _run_as_init(order: dict[str, Any], go: int, user: int | None, *, walls: bool) -> NoReturn:
    """The first process in the namespaces: builds walls, starts the program, buries the dead."""
    try:
        if walls:
            namespaces.build_walls(
                order["folders"], order["package"], 2 * order["limits"]["file_mb"]
            )
        else:
            os.chdir(order["work"])
        rlimits.lower_limits(order["limits"])
        namespaces.become_user(user)
        libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.read(go, 1) != b"x":  # the warden went before that was set
            os._exit(1)
        os.close(go)
        if seccomp.is_supported():
            seccomp.install_seccomp()
        program = os.fork()
        if program == 0:
            os.setsid()
            where = namespaces.CODE if walls else os.path.dirname(order["package"])
            os.execve(order["python"], [*order["command"], where], order["environment"])
        _reap_program(program)
    except BaseException as error:
        _write_line(order, {"ended": "failed", "why": f"{type(error).__name__}: {error}"})
        os._exit(1)


def _reap_program(program: int) -> NoReturn:
    """Wait for the program, and for orphans; end when the program does."""
    os.closerange(0, os.sysconf("SC_OPEN_MAX"))
    while True:
        pid, status = os.wait()
        if pid == program:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _write_line(order: dict[str, Any], what: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        os.write(order["report"], json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
