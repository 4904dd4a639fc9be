"""What is wrong with problems, told to who brought them."""

from __future__ import annotations


class DataError(ValueError):
    """The problems cannot be used as they are; the message says what to do."""


class UnreachableDataError(DataError):
    """The hub that has the problems cannot be asked, and no copy is in the cache."""
