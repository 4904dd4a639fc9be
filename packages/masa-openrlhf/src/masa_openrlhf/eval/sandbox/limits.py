"""What a sandboxed program may use; the defaults are those of an evaluation (``SandboxConfig``)."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Limits of one sandbox.

    Attributes:
        seconds: of the clock, for all of it; of processor time, for each process.
        memory_mb: address space of each process, and memory of all together, MiB.
        processes: processes and threads at a time.
        file_mb: size of a file, MiB; all files together may have twice that.
        output_mb: most that is read of one message, MiB.
        open_files: of each process.
    """

    seconds: float = 60.0
    memory_mb: int = 2048
    processes: int = 32
    file_mb: int = 16
    output_mb: int = 8
    open_files: int = 64
