"""Tries every limit once, on this machine, before any program of a model runs.

Whether a kernel allows namespaces says little; whether a program was really kept from the network,
from other people's files and from a hundred processes says what one wants to know.
"""

from __future__ import annotations

import json
import socket
import tempfile
from typing import Any

from masa_openrlhf.eval.sandbox.limits import Limits
from masa_openrlhf.eval.sandbox.process import EndedError, Sandbox, SandboxError
from masa_openrlhf.eval.sandbox.wire import from_wire, to_wire

_LIMITS = Limits(seconds=5.0, memory_mb=256, processes=12, file_mb=1, output_mb=1, open_files=64)

_PROGRAM = """
import ctypes, fcntl, mmap, os, socket, threading, time

def network(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return "it connected to a port of this machine"
    except OSError:
        return ""

def files(path):
    try:
        return "it read a file of this machine" if open(path).read() else ""
    except OSError:
        pass
    for folder in ("/", "/usr", "/dev"):
        try:
            with open(folder + "/masa-probe", "w"):
                return "it wrote into " + folder
        except OSError:
            pass
    return ""

def environment(secret):
    text = repr(dict(os.environ))
    for pid in (1, os.getppid()):
        try:
            text += open(f"/proc/{pid}/environ").read()
        except OSError:
            pass
    return "it read a variable of the evaluation" if secret in text else ""

def memory(megabytes):
    try:
        held = bytearray(megabytes * 1024 * 1024)
        return f"it got {len(held)} bytes"
    except MemoryError:
        return ""

def processes(most):
    for count in range(4 * most):
        try:
            if os.fork() == 0:
                time.sleep(600)
                os._exit(0)
        except OSError:
            return ""
    return f"it started {count + 1} processes"

def file_size(megabytes):
    try:
        with open("large", "wb") as file:
            for _ in range(4 * megabytes):
                file.write(bytes(1024 * 1024))
                file.flush()
        return "it wrote a file of four times the limit"
    except OSError:
        return ""

def shared_memory(_):
    try:
        mmap.mmap(-1, 4096)
        return "it got a shared mapping, whose pages no process need hold"
    except OSError:
        pass
    try:
        mmap.mmap(os.open("/dev/zero", os.O_RDWR), 4096)
        return "it mapped /dev/zero"
    except OSError:
        return ""

def kernel_memory(_):
    libc = ctypes.CDLL(None)
    lock = open("lock", "w")
    for what, call in (
        ("a pair of sockets", lambda: libc.socketpair(1, 1, 0, (ctypes.c_int * 2)())),
        ("a pipe of a megabyte", lambda: fcntl.fcntl(os.pipe()[1], 1031, 1 << 20)),
        ("a lock of a part of a file", lambda: fcntl.lockf(lock, fcntl.LOCK_EX, 1)),
        ("a set of watches", lambda: libc.inotify_init()),
        ("another set of watches", lambda: libc.epoll_create1(0)),
        ("memory that is a file", lambda: libc.memfd_create(b"x", 0)),
        ("shared memory of System V", lambda: libc.shmget(0, 4096, 0o1600)),
    ):
        try:
            if call() != -1:
                return "it got " + what
        except OSError:
            pass
    return ""

def hidden_memory(megabytes):
    def hold():
        time.sleep(0.2)
        held = bytearray(megabytes * 1024 * 1024 // 3)
        for place in range(0, len(held), 4096):
            held[place] = 1
        time.sleep(600)
    for _ in range(4):
        if os.fork() == 0:
            threading.Thread(target=hold).start()
            libc = ctypes.CDLL(None)
            libc.pthread_exit.restype = None
            libc.pthread_exit(None)
    time.sleep(600)

def all_memory(megabytes):
    for _ in range(6):
        if os.fork() == 0:
            held = bytearray(megabytes * 1024 * 1024 // 3)
            for place in range(0, len(held), 4096):
                held[place] = 1
            time.sleep(600)
    time.sleep(600)

def endless(orphan):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                pass
        os._exit(0)
    while True:
        pass
"""


def probe_limits(*, allow_unsandboxed: bool = False) -> tuple[str, ...]:
    """Try the limits.

    Args:
        allow_unsandboxed: try what can be had, where the walls cannot.

    Returns:
        What does not hold here, a line each; empty where everything does.
    """
    try:
        with socket.create_server(("127.0.0.1", 0)) as server, _write_secret() as file:
            port = server.getsockname()[1]
            cases = [
                ("no network", "network", [port]),
                ("no files of this machine", "files", [file.name]),
                ("no variables of this process", "environment", ["MASA_PROBE_SECRET"]),
                ("memory of a process", "memory", [2 * _LIMITS.memory_mb]),
                ("memory of no process", "shared_memory", [0]),
                ("memory of the kernel", "kernel_memory", [0]),
                ("size of a file", "file_size", [_LIMITS.file_mb]),
                ("number of processes", "processes", [_LIMITS.processes]),
            ]
            lacking = _ask_cases(cases, allow_unsandboxed)
        lacking += _check_end("memory of all processes", "all_memory", "memory", allow_unsandboxed)
        lacking += _check_end(
            "memory behind a thread", "hidden_memory", "memory", allow_unsandboxed
        )
        lacking += _check_end("time of the clock", "endless", "seconds", allow_unsandboxed)
    except SandboxError as error:
        return (str(error),)
    return tuple(lacking)


def _write_secret() -> Any:
    file = tempfile.NamedTemporaryFile("w", prefix="masa-probe-")  # noqa: SIM115
    file.write("MASA_PROBE_SECRET")
    file.flush()
    return file


def _ask_cases(cases: list[tuple[str, str, list[Any]]], allow_unsandboxed: bool) -> list[str]:
    lacking = []
    with Sandbox("candidate", _LIMITS, allow_unsandboxed=allow_unsandboxed) as sandbox:
        sandbox.send({"load": _PROGRAM})
        sandbox.receive()
        for title, name, arguments in cases:
            try:
                sandbox.send(make_call(name, arguments))
                reply = sandbox.receive()
                found = from_wire(reply["value"]) if "value" in reply else json.dumps(reply)
            except EndedError as error:
                found = f"the probe ended: {error.how}"
            if found:
                lacking.append(f"{title}: {found}")
    return lacking


def _check_end(title: str, name: str, how: str, allow_unsandboxed: bool) -> list[str]:
    limits = _LIMITS._replace(seconds=1.0) if how == "seconds" else _LIMITS
    with Sandbox("candidate", limits, allow_unsandboxed=allow_unsandboxed) as sandbox:
        try:
            sandbox.send({"load": _PROGRAM})
            sandbox.receive()
            sandbox.send(make_call(name, [limits.memory_mb]))
            sandbox.receive()
        except EndedError as error:
            return [] if error.how == how else [f"{title}: it ended by {error.how}"]
    return [f"{title}: it went on"]


def make_call(
    name: str, arguments: list[Any], keywords: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the message that calls a function of the program."""
    return {
        "call": name,
        "arguments": to_wire(tuple(arguments)),
        "keywords": to_wire(keywords or {}),
    }
