"""Arrays in saved states: exact, and as plain data."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field


def encode_array(values_D: NDArray[np.float32]) -> str:
    """Return 32-bit floats as text, bit for bit (base64, little-endian)."""
    return base64.b64encode(values_D.astype("<f4").tobytes()).decode("ascii")


def decode_array(text: str) -> NDArray[np.float32]:
    """Return what ``encode_array`` wrote, shape (D,).

    Raises:
        ValueError: it is something else, or a value is not finite.
    """
    try:
        found = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f4")
    except binascii.Error as error:
        raise ValueError(f"no array: {error}") from error
    if not np.isfinite(found).all():
        raise ValueError("an array holds values that are not finite")
    return found.astype(np.float32)


def _check_array(text: str) -> str:
    decode_array(text)
    return text


EncodedArray = Annotated[str, Field(strict=True), AfterValidator(_check_array)]
"""An array as ``encode_array`` writes it."""
