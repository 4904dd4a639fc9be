"""Files of lines and of text: read while they grow, written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSONL file; a last line that a kill left unfinished is passed over."""
    if not path.exists():
        return
    with open(path, "rb") as file:  # a kill may have cut a character in two
        for line in file:
            if line.endswith(b"\n") and line.strip():
                yield json.loads(line)


class TailReader:
    """Reads a JSONL file that grows: each call returns what is new, whole lines only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def skip(self) -> None:
        """Pass over all that is there already."""
        self._offset = self._path.stat().st_size if self._path.exists() else 0

    def read(self) -> list[dict[str, Any]]:
        """Return the new lines; a file that got shorter is read from its new end on."""
        if not self._path.exists():
            return []
        if self._path.stat().st_size < self._offset:
            self.skip()
        with open(self._path, "rb") as file:
            file.seek(self._offset)
            whole, _, _ = file.read().rpartition(b"\n")
        self._offset += len(whole) + 1 if whole else 0
        return [json.loads(line) for line in whole.splitlines() if line]


def write_atomically(path: Path, text: str, *, private: bool = False) -> None:
    """Write a file so that a reader, or a kill, sees the old one or the new one.

    Args:
        path: the file.
        text: what it is to hold.
        private: only its owner may read it.
    """
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)  # one that a kill left keeps its mode
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
    with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    os.replace(part, path)
