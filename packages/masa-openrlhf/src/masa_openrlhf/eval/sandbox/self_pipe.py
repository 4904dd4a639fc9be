"""What asyncio wakes itself by, where sockets are refused: a pipe."""

from __future__ import annotations

import os
import socket
from typing import Any


def allow_asyncio() -> None:
    """Put pipes in the place of ``socket.socketpair``, in this process."""
    socket.socketpair = _make_pair  # type: ignore[assignment]


class _PipeEnd:
    """An end of a pipe, as a socket: as much of one as asyncio uses to wake itself."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def setblocking(self, flag: bool) -> None:
        os.set_blocking(self._descriptor, flag)

    def recv(self, most: int) -> bytes:
        return os.read(self._descriptor, most)

    def send(self, data: bytes) -> int:
        return os.write(self._descriptor, data)

    def detach(self) -> int:
        descriptor, self._descriptor = self._descriptor, -1
        return descriptor

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self.detach())


def _make_pair(*_: Any) -> tuple[_PipeEnd, _PipeEnd]:
    """Return an end that reads and one that writes to it."""
    reads, writes = os.pipe()
    return _PipeEnd(reads), _PipeEnd(writes)
