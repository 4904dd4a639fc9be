"""The ends that a problem's pass rate may lie at, and why a problem is not rolled out."""

from __future__ import annotations

from typing import Literal

GateReason = Literal["trivial", "unsolvable"]
"""Ends at which a group has no variance."""

SkipReason = Literal["trivial", "unsolvable", "not_chosen"]
"""Why no solution is made: an end, or others were chosen."""
