"""Rows as sequences: those of a table, made when they are asked for, and of files, joined."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, overload

Row = Mapping[str, Any]

Batches = Callable[[Sequence[str] | None], Iterator[Any]]
"""Gives the record batches of a table, of some columns or (None) of all."""

BATCH_ROWS = 1024


class ArrowRows(Sequence[Row]):
    """The rows of an Arrow table or a parquet file, made when they are asked for.

    All at once, as Python objects, they would take many times the memory.

    Args:
        count: how many there are.
        batches: gives them.
        columns: names of those that a row holds; None: all.
    """

    def __init__(self, count: int, batches: Batches, columns: Sequence[str] | None = None) -> None:
        self._count, self._batches, self._columns = count, batches, columns

    def select_columns(self, names: Sequence[str]) -> ArrowRows:
        """Return the same rows with these columns alone: others are not read."""
        return ArrowRows(self._count, self._batches, names)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Row]:
        for batch in self._batches(self._columns):
            yield from batch.to_pylist()

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return list(self)[index]
        number = range(self._count)[index]  # raises where there is none
        for batch in self._batches(self._columns):
            if number < batch.num_rows:
                return batch.slice(number, 1).to_pylist()[0]
            number -= batch.num_rows
        raise IndexError(index)


class JoinedRows(Sequence[Row]):
    """The rows of several sources, one after the other.

    Args:
        parts: the rows of each.
    """

    def __init__(self, parts: Sequence[Sequence[Row]]) -> None:
        self._parts = parts

    def select_columns(self, names: Sequence[str]) -> JoinedRows:
        """Return the same rows; of tables these columns alone are read."""
        return JoinedRows(
            [p.select_columns(names) if isinstance(p, ArrowRows) else p for p in self._parts]
        )

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __iter__(self) -> Iterator[Row]:
        return chain.from_iterable(self._parts)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        return list(self)[index]
