"""Text that any later step can carry: no lone surrogates."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator


def replace_surrogates(value: object) -> object:
    r"""Replace every lone surrogate of a string by "?", as "\ud800" cannot be encoded.

    Args:
        value: Anything; what is not a string is handed back as it is, for the validator to refuse.

    Returns:
        A string that encodes to UTF-8, or `value` itself.
    """
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode("utf-8")
    return value


Text = Annotated[str, BeforeValidator(replace_surrogates)]
"""A string out of a model: a lone surrogate in it is replaced, not refused."""
