"""Waiting for some actors while others, on whom they wait in turn, may die."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import ActorDiedError, RayError


def get_while_alive(refs: Sequence[Any], peers: Sequence[Any], *, every: float = 5.0) -> list[Any]:
    """Return what ``ray.get`` does of ``refs``; should a peer die meanwhile, say so.

    In a collective whoever lives waits for the dead until the transport's own timeout, minutes
    later, and then names a socket, not what happened.

    Args:
        refs: what is waited for.
        peers: handles of the actors without whom it cannot come.
        every: seconds between two looks at them. A peer that is busy for longer counts as alive.

    Raises:
        RuntimeError: a peer died, or was killed; says which, and what Ray says of it.
    """
    waiting = list(refs)
    while waiting:
        _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=every)
        if waiting:
            _raise_if_dead(peers, every)
    try:
        return ray.get(list(refs))
    except RayError:
        _raise_if_dead(peers, every)  # a closed connection is often the first that is heard
        raise


def _raise_if_dead(peers: Sequence[Any], timeout: float) -> None:
    answers = {peer.__ray_ready__.remote(): number for number, peer in enumerate(peers)}
    answered, _ = ray.wait(list(answers), num_returns=len(answers), timeout=timeout)
    for answer in answered:
        try:
            ray.get(answer)
        except ActorDiedError as error:
            raise RuntimeError(
                f"ActorDiedError: it was actor {answers[answer]} of {len(peers)} that others were "
                f"waiting for: {error}"
            ) from error
