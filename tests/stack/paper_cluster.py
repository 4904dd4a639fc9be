"""A Ray cluster of several nodes on this one machine, as users start one: `ray start` for each.

Each node has a GPU on paper, and an address of its own on the loopback interface. It takes orders
from nobody without the token.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

MARK = "MASA_TEST_NODE"
HEAD = "127.0.0.2"
OTHER = "127.0.0.3"


class PaperNode:
    """A node: `ray start --block`, and all that comes of it."""

    def __init__(
        self, *arguments: str, address: str, log: Path, before: Sequence[str], **variables: str
    ) -> None:
        self.address, self.log, self.mark = address, log, uuid.uuid4().hex
        command = (
            *before,
            *(sys.executable, "-W", "ignore", "-m", "ray.scripts.scripts", "start", "--block"),
            f"--node-ip-address={address}",
            *("--num-gpus=1", "--num-cpus=3", f"--object-store-memory={100 << 20}"),
            *("--disable-usage-stats", *arguments),
        )
        with open(log, "w") as file:
            self.process = subprocess.Popen(
                command,
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, MARK: self.mark, **variables},
            )

    def started(self, seconds: float = 240) -> bool:
        """Wait until it takes part; False: Ray gave up, as it does after half a minute."""
        deadline = time.monotonic() + seconds
        while "Ray runtime started" not in (said := self.log.read_text()):
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < deadline, f"a node does not start:\n{said}"
            time.sleep(0.1)
        return True

    def processes(self) -> list[psutil.Process]:
        """All that came of it, workers of runs too."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                ended = process.status() == psutil.STATUS_ZOMBIE
                if not ended and process.environ().get(MARK) == self.mark:
                    found.append(process)
        return found

    def find_titled(self, *parts: str) -> list[psutil.Process]:
        """Those whose command line holds one of some words."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                title = " ".join(process.cmdline())
                if any(part in title for part in parts):
                    found.append(process)
        return found

    def lose(self) -> None:
        """Kill its raylet, as when a machine dies."""
        for process in self.find_titled("raylet/raylet"):
            process.send_signal(signal.SIGKILL)

    def stop(self) -> None:
        """End all of it."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.process.wait(10)


class PaperCluster:
    """Nodes of one cluster.

    Args:
        private: a folder with a short path, of this user alone: Ray's, and the token's.
    """

    def __init__(self, private: Path) -> None:
        self._private, self._count = private, 0
        self.ray = private / "ray"
        token = private / "token"
        token.touch(0o600)
        token.write_text(secrets.token_hex(32))
        self.variables = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        }
        self.nodes: list[PaperNode] = []
        self.address = ""

    def start_head(self) -> PaperNode:
        """Start the first node."""
        node = self._start(
            *("--head", "--port=0", "--include-dashboard=false", f"--temp-dir={self.ray}"),
            address=HEAD,
        )
        while "--address='" not in node.log.read_text():
            time.sleep(0.1)
        self.address = node.log.read_text().split("--address='")[1].split("'")[0]
        return node

    def start_other(self, *, before: Sequence[str] = ()) -> PaperNode:
        """Start a further node; ``before``: a command that runs the one that follows."""
        return self._start(f"--address={self.address}", address=OTHER, before=before)

    def _start(self, *arguments: str, address: str, before: Sequence[str] = ()) -> PaperNode:
        """Start a node; on a machine that is busy with others, at a second or third try."""
        for _ in range(3):
            self._count += 1
            log = self._private / f"node-{self._count}.txt"
            node = PaperNode(*arguments, address=address, log=log, before=before, **self.variables)
            self.nodes.append(node)
            if node.started():
                return node
            node.stop()
        raise AssertionError(f"no node was started:\n{log.read_text()}")

    def read_logs(self) -> str:
        """All that Ray has written."""
        files = [f for f in self.ray.rglob("*") if f.is_file() and not f.is_symlink()]
        return "\n".join(f.read_text(errors="replace") for f in files if "logs" in f.parts)


@contextlib.contextmanager
def start_cluster(private: Path) -> Iterator[PaperCluster]:
    """Make a cluster; nothing of it outlives the block."""
    cluster = PaperCluster(private)
    try:
        yield cluster
    finally:
        for node in cluster.nodes:
            node.stop()


def hide(folder: Path) -> tuple[str, ...]:
    """Return the start of a command to which ``folder`` is an empty one; needs root."""
    script = 'mount -t tmpfs none "$0" && exec "$@"'
    return ("unshare", "-m", "sh", "-c", script, str(folder))


def can_hide() -> bool:
    """Whether this machine lets us do that."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0
