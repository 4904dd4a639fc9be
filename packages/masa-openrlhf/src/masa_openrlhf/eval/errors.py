"""What a user can mend, said so that they can."""

from __future__ import annotations


class EvalError(ValueError):
    """The evaluation cannot be done as asked; the message names the value and the way out."""
