"""Limits that the kernel holds each process to."""

from __future__ import annotations

import math
import resource
from collections.abc import Mapping
from typing import Any

_SIGNALS = 11  # RLIMIT_SIGPENDING, for which resource has no name


def lower_limits(limits: Mapping[str, Any]) -> None:
    """Lower this process's limits, for good: its children have them too."""
    megabyte = 1024 * 1024
    for kind, most in (
        (resource.RLIMIT_AS, limits["memory_mb"] * megabyte),
        (resource.RLIMIT_CPU, math.ceil(limits["seconds"]) + 1),
        (resource.RLIMIT_FSIZE, limits["file_mb"] * megabyte),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (_SIGNALS, 256),  # that wait, and timers
    ):
        _, hard = resource.getrlimit(kind)
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (value, value))
