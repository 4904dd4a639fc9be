"""A prediction of a user's own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from masa_rewards import Rollout, RolloutGroup

from masa_control.contracts.breach import ContractError, require_that
from masa_control.episode.signals import MetaSignal

_STRANGE: tuple[object, ...] = (None, "", "?", -1, 0, 2.5, True, [], {}, float("nan"), "9" * 400)


def check_signal(signal: MetaSignal, values: Sequence[object], *, answer: str = "4") -> None:
    """Hold a signal to `MetaSignal`.

    It has a key, words for the prompt and a positive weight. It reads what it asks for, nothing of
    None, and raises at no value that a model may write. What it reads is worth something in [0, 1]
    by any group: all right, all wrong, mixed, or a single rollout.

    Args:
        signal: yours.
        values: what a model may state, as JSON has it; each has to be read.
        answer: a gold answer.

    Raises:
        ContractError: it does something else.
    """
    require_that(bool(signal.key) and isinstance(signal.key, str), f"key is {signal.key!r}")
    require_that(bool(signal.asked) and isinstance(signal.asked, str), f"asked is {signal.asked!r}")
    require_that(signal.weight > 0, f"weight must be above 0, got {signal.weight!r}")
    require_that(len(values) > 0, "give at least one value that a model may state")
    require_that(_read_value(signal, None) is None, "read(None) must be None: nothing was stated")
    readable = [_read_value(signal, value) for value in values]
    for value, prediction in zip(values, readable, strict=True):
        require_that(
            prediction is not None, f"read({value!r}) is None, so that it can never be right"
        )
    strange = [p for value in _STRANGE if (p := _read_value(signal, value)) is not None]
    for prediction, rights in product(
        [*readable, *strange], ((True,), (False,), (True, False), (True,) * 4, (False,) * 4)
    ):
        reward = float(signal.reward(prediction, _make_group(rights, answer), answer))
        require_that(
            0 <= reward <= 1,
            f"reward({prediction!r}) is {reward!r} for outcomes {list(rights)!r}, outside [0, 1]",
        )


def _read_value(signal: MetaSignal, value: object) -> object | None:
    try:
        return signal.read(value)
    except Exception as error:
        raise ContractError(
            f"read({value!r:.40}) raised {error!r}: return None for what cannot be read"
        ) from error


def _make_group(rights: Sequence[bool], answer: str) -> RolloutGroup:
    return RolloutGroup(
        problem="2 + 2?",
        rollouts=tuple(
            Rollout(text=answer if right else "other", length=10 + number, correct=right)
            for number, right in enumerate(rights)
        ),
    )
