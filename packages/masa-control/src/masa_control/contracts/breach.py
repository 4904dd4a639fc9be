"""How a broken contract is said."""

from __future__ import annotations

import pickle


class ContractError(AssertionError):
    """An object does not do what its protocol asks for; the message says what, and what came."""


def require_that(holds: bool, said: str) -> None:
    """Raise unless the contract holds.

    Raises:
        ContractError: with the sentence ``said``.
    """
    if not holds:
        raise ContractError(said)


def require_travels(part: object) -> None:
    """Raise unless an object can be sent to another process: plans are made beside the engine.

    Raises:
        ContractError: it cannot be pickled, and read again.
    """
    try:
        pickle.loads(pickle.dumps(part))
    except Exception as error:
        raise ContractError(
            f"{type(part).__name__} cannot be pickled, and has to travel to where episodes are "
            f"played: {error}"
        ) from error
