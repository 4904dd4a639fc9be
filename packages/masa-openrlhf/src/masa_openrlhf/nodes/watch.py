"""Ends a run when a node that it runs on is gone.

The other ranks would wait for it in a collective until the transport gives up, half an hour with
NCCL, and then name a socket. Ray knows within seconds to a minute which nodes are alive.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any

from masa_openrlhf.nodes.members import Node, list_nodes

_EVERY = 2.0  # s
_PATIENCE = 45.0  # s; Ray takes a node that does not answer for dead after about half of that
_GRACE = 20.0  # s; for the process to end by itself
_SIGNAL = signal.SIGUSR1


class NodeLostError(RuntimeError):
    """A node that the run ran on is gone; the message names it."""


def explain_loss(nodes: Sequence[Node]) -> str:
    """Return the sentence for nodes that are gone."""
    one = len(nodes) == 1
    return (
        f"{'node' if one else 'nodes'} {', '.join(map(str, nodes))} of the Ray cluster "
        f"{'is' if one else 'are'} gone: the machine died, its network did, or Ray was stopped or "
        "killed there. A run cannot go on without the ranks and engines that ran on it: have Ray "
        "started there again, or on another machine, and resume the run"
    )


class NodeWatch:
    """Watches the nodes on which actors of this run are.

    ``with`` it, SIGUSR1 belongs to it: its thread has the main one raise ``NodeLostError``,
    wherever it waits.

    Args:
        ends: is called with the message where the main thread cannot be reached; ends the process.
        every: seconds from one look to the next.
    """

    def __init__(self, ends: Callable[[str], None], *, every: float = _EVERY) -> None:
        self._ends, self._every = ends, every
        self._asked: list[Any] = []
        self._ids: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="node-watch", daemon=True)
        self._message = ""

    def __enter__(self) -> NodeWatch:
        self._before = signal.signal(_SIGNAL, self._raise_loss)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        signal.signal(_SIGNAL, self._before)

    def add(self, actor: Any) -> None:
        """Watch the node of an actor, from when it has been made on."""
        self._asked.append(actor.__ray_call__.remote(_read_node_id))

    def find_lost(self, patience: float = _PATIENCE) -> list[Node]:
        """Return the nodes of this run that are gone.

        Something broke. Where a node was the cause, Ray may not know yet: while one of them does
        not answer, it is waited for what Ray says of it.

        Args:
            patience: seconds to wait, at most.
        """
        self._resolve()
        deadline = time.monotonic() + patience
        while True:
            nodes = [node for node in list_nodes() if node.id in self._ids]
            lost = [node for node in nodes if not node.alive]
            if lost or time.monotonic() > deadline or all(map(_takes_connection, nodes)):
                return lost
            time.sleep(1.0)

    def _resolve(self) -> None:
        """Note on which nodes those actors are that have been made by now."""
        if not self._asked:
            return
        import ray

        made, self._asked = ray.wait(self._asked, num_returns=len(self._asked), timeout=0)
        for one in made:
            with contextlib.suppress(Exception):  # it died; whoever waits for it says so
                self._ids.add(ray.get(one))

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            with contextlib.suppress(Exception):  # Ray's tables are out of reach: Ray ends us
                self._resolve()
                lost = [n for n in list_nodes() if n.id in self._ids and not n.alive]
                if lost:
                    self._end(lost)
                    return

    def _end(self, lost: Sequence[Node]) -> None:
        self._message = explain_loss(lost)
        os.kill(os.getpid(), _SIGNAL)
        if not self._stop.wait(_GRACE):
            self._ends(self._message)

    def _raise_loss(self, signum: int, frame: FrameType | None) -> None:
        raise NodeLostError(self._message)


@contextlib.contextmanager
def name_lost_nodes(watch: NodeWatch) -> Iterator[None]:
    """Within it, the loss of a node raises ``NodeLostError``, whatever else it breaks first.

    Raises:
        NodeLostError: a node of the run is gone.
    """
    from ray.exceptions import RayError

    with watch:
        try:
            yield
        except RayError as error:
            lost = watch.find_lost()
            if lost:
                raise NodeLostError(explain_loss(lost)) from error
            raise


def _read_node_id(actor: Any) -> str:
    import ray

    return str(ray.get_runtime_context().get_node_id())


def _takes_connection(node: Node) -> bool:
    """Whether a node's raylet takes a connection."""
    try:
        socket.create_connection((node.address, node.port), timeout=3).close()
    except OSError:
        return False
    return True
