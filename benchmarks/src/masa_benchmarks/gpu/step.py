"""A step of the kit: what it is given, and how it answers.

A step is a module run as a command. It is called with ``--device`` and ``--small`` and prints,
as its last line, what it found: figures, and checks that hold or do not. ``--small`` is for trying
it without a card.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

RESULT_MARK = "FOUND "


class MissingPackage(Exception):  # noqa: N818  # nothing went wrong
    """The step needs what is not installed here."""


class StepRecord:
    """What a step found.

    Attributes:
        device: "cuda" or "cpu".
        small: shapes that a CPU takes in seconds.
    """

    def __init__(self, device: str, small: bool) -> None:
        self.device, self.small = device, small
        self._figures: dict[str, Any] = {}
        self._checks: dict[str, bool] = {}

    def figure(self, name: str, value: Any) -> None:
        """Keep a figure; its name holds the unit."""
        self._figures[name] = round(value, 6) if isinstance(value, float) else value

    def check(self, name: str, holds: bool) -> None:
        """Keep whether something holds."""
        self._checks[name] = bool(holds)

    def synchronise(self) -> None:
        """Wait for the card."""
        if self.device == "cuda":
            import torch

            torch.cuda.synchronize()

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Keep the seconds of the block."""
        self.synchronise()
        begun = time.perf_counter()
        yield
        self.synchronise()
        self.figure(name, time.perf_counter() - begun)

    def report(self, state: str, said: str = "") -> None:
        """Print it all as one line."""
        line = {
            "state": state,
            "said": said,
            "figures": self._figures,
            "checks": self._checks,
        }
        print(RESULT_MARK + json.dumps(line), flush=True)

    @property
    def failed(self) -> list[str]:
        """Checks that do not hold."""
        return [name for name, holds in self._checks.items() if not holds]


def adapt_older_torch() -> None:
    """Take torch's packed attention as releases before 2.13 have it; it is ours that asks for more.

    The kernel below takes fewer key heads than query heads in any case.
    """
    import inspect

    from torch.nn.attention import varlen

    known = inspect.signature(varlen.varlen_attn).parameters
    if "enable_gqa" in known:
        return
    published = varlen.varlen_attn

    def fitted(*args: Any, window_size: tuple[int, int], **more: Any) -> Any:
        del more["enable_gqa"]
        if "window_size" in known:
            return published(*args, window_size=window_size, **more)
        return published(*args, is_causal=window_size == (-1, 0), **more)

    varlen.varlen_attn = fitted


def run_script(step: Callable[[StepRecord], None]) -> None:
    """Run a step as a command."""
    parser = argparse.ArgumentParser(description=step.__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    found = StepRecord(options.device, options.small)
    try:
        adapt_older_torch()
        step(found)
    except MissingPackage as missing:
        found.report("not here", str(missing))
        return
    except Exception as error:
        traceback.print_exc()
        found.report("failed", f"{type(error).__name__}: {error}"[:500])
        sys.exit(1)
    found.report("failed" if found.failed else "holds", ", ".join(found.failed))
    sys.exit(1 if found.failed else 0)
