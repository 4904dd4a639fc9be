"""A look at the problems that come next, without taking them.

A reader of hidden states reads a step's problems in one pass before vLLM wakes up, as many as the
step may draw. Those that it does not draw are the first of the next step; a checkpoint holds the
place of the last one that was drawn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from copy import deepcopy
from typing import Any


class LookAhead:
    """An iterator over a loader's batches that can be looked at ahead of time.

    Args:
        loader: with ``state_dict``, as torchdata's loaders have it.
    """

    def __init__(self, loader: Any) -> None:
        self._loader, self._iterator = loader, iter(loader)
        self._ahead: deque[tuple[Any, Any]] = deque()
        self._over = False
        self._taken: Any = None  # the loader's state after the last item taken; None: as it is
        self._before: Any = None

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._ahead:
            item, self._taken = self._ahead.popleft()
            return item
        self._taken = None
        if self._over:
            raise StopIteration
        return next(self._iterator)

    def peek(self, count: int) -> list[Any]:
        """Return the next items, fewer where fewer are left; they are still to come.

        Args:
            count: so many.
        """
        if not self._ahead:
            self._before = deepcopy(self.state_dict())
        while len(self._ahead) < count and not self._over:
            try:
                item = next(self._iterator)
            except StopIteration:
                self._over = True
            else:
                self._ahead.append((item, deepcopy(self._loader.state_dict())))
        return [item for item, _ in list(self._ahead)[:count]]

    def state_dict(self) -> Any:
        """Return the loader's state after the last item that was taken."""
        if self._taken is not None:
            return self._taken
        return self._before if self._ahead else self._loader.state_dict()
