"""Importing what lies in benchmarks/, which is no package that is installed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@contextmanager
def importable(prefixes: str | tuple[str, ...]) -> Iterator[None]:
    """Have modules of benchmarks/ found; those whose names begin so are forgotten afterwards."""
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield
    for name in set(sys.modules) - before:
        if name.startswith(prefixes):
            del sys.modules[name]
