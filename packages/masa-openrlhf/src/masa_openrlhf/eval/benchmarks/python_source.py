"""Python that somebody else wrote, parsed without a word and never run."""

from __future__ import annotations

import ast
import threading
import warnings
from typing import Any, Literal

_FILTERS_LOCK = threading.Lock()  # the filters of warnings are the whole process's


def parse_source(text: str, mode: Literal["eval", "exec"] = "exec") -> Any:
    r"""Parse source text; what Python would only warn of, as "\d" in a string, is passed over.

    Raises:
        SyntaxError: and ValueError, MemoryError, RecursionError: what ``ast.parse`` raises.
    """
    with _FILTERS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text, mode=mode)
