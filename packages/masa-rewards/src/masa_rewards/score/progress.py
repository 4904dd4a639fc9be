"""Where lines come from, a file, a compressed one or standard input, and how far one is read."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TextIO

_PATIENCE = 1.0
"""Seconds until a bar is shown."""

_REDRAW = 0.2


class LineProgressBar:
    """A progress bar on a terminal, shown after one second; else nothing."""

    def __init__(self, stream: TextIO, size: int | None) -> None:
        """Prepare it.

        Args:
            stream: Where to draw; nothing is drawn where it is no terminal.
            size: Bytes of the whole; None when unknown.
        """
        self._stream = stream
        self._size = size
        self._start = time.monotonic()
        self._next = self._start + _PATIENCE if stream.isatty() else float("inf")
        self._drawn = False

    def update(self, done: int, lines: int) -> None:
        """Draw it anew, if it is time: `done` bytes, `lines` lines are read."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next, self._drawn = now + _REDRAW, True
        width = shutil.get_terminal_size().columns
        self._stream.write("\r\x1b[K" + self._drawing(done, lines, now)[: width - 1])
        self._stream.flush()

    def clear(self) -> None:
        """Take it away, for a line to be written in its place."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False

    def _drawing(self, done: int, lines: int, now: float) -> str:
        if not self._size:
            return f"{lines:,} lines"
        share = min(1.0, done / self._size)
        left = (now - self._start) * (1 - share) / share if share else 0.0
        bar = "#" * round(30 * share)
        return f"[{bar:<30}] {share:4.0%}  {lines:,} lines, {left:,.0f} s left"


@contextlib.contextmanager
def open_lines(path: str, terminal: TextIO) -> Iterator[tuple[Iterator[bytes], LineProgressBar]]:
    """Open a file of lines.

    Args:
        path: A file; one that ends in ".gz" is decompressed, "-" is standard input.
        terminal: Where to show how far it is read.

    Yields:
        Its lines as bytes, read one by one, and the bar that follows them.

    Raises:
        OSError: If it cannot be opened.
    """
    if path == "-":
        bar = LineProgressBar(terminal, None)
        yield _follow_lines(sys.stdin.buffer, None, bar), bar
        return
    with open(path, "rb") as raw:
        bar = LineProgressBar(terminal, os.fstat(raw.fileno()).st_size)
        packed = Path(path).suffix.lower() == ".gz"
        with gzip.GzipFile(fileobj=raw) if packed else contextlib.nullcontext(raw) as file:
            yield _follow_lines(file, raw, bar), bar


def _follow_lines(
    file: IO[bytes] | gzip.GzipFile, raw: IO[bytes] | None, bar: LineProgressBar
) -> Iterator[bytes]:
    try:
        for number, line in enumerate(file, start=1):
            yield line
            bar.update(raw.tell() if raw else 0, number)
    finally:
        bar.clear()
