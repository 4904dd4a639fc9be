"""What our own code takes: seconds, by part, of its synchronous sections alone.

Episodes overlap on one event loop, so the time between two points of a coroutine is mostly that of
others. A section without an ``await`` in it is not interrupted on its thread; those are what is
timed. The clock is the thread's processor time, since other threads and processes may hold the
machine, or the interpreter, in between.
"""

from __future__ import annotations

import time
import types
from collections import defaultdict
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class Stopwatch:
    """Adds up seconds by part. One section at a time: sections do not nest.

    Args:
        clock: seconds; the processor time of the calling thread if not given.

    Attributes:
        seconds: by part, those that were timed at all.
    """

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def time(self, part: str) -> Iterator[None]:
        """Time a block without ``await`` as ``part``, whether or not it raises."""
        began = self._clock()
        try:
            yield
        finally:
            self.seconds[part] += self._clock() - began

    def run(self, part: str, function: Callable[..., _Result], *args: Any) -> _Result:
        """Call a function, timed as ``part``, in whatever thread this is called in."""
        with self.time(part):
            return function(*args)

    @types.coroutine
    def sliced(self, part: str, awaited: Awaitable[_Result]) -> Generator[Any, Any, _Result]:
        """Await something; time it while it runs, and not while it waits."""
        steps = awaited.__await__()
        step: Callable[[Any], Any] = steps.send
        value: Any = None
        while True:
            began = self._clock()
            try:
                waits_for = step(value)
            except StopIteration as done:
                result: _Result = done.value
                return result
            finally:
                self.seconds[part] += self._clock() - began
            try:
                value, step = (yield waits_for), steps.send
            except BaseException as error:  # cancelled, or what it waited for failed
                value, step = error, steps.throw

    def take(self) -> dict[str, float]:
        """Return the seconds so far, and start anew."""
        taken, self.seconds = dict(self.seconds), defaultdict(float)
        return taken
