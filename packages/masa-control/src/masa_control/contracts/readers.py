"""Who says how likely a problem is to be solved."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence

from masa_control.contracts.breach import ContractError, require_that
from masa_control.episode.belief import Belief
from masa_control.readers.protocol import GroupOutcome, ProblemView, Reader

_ROLLOUTS = 8
_CLOSE = 1e-9


def check_reader(
    make: Callable[[], Reader], views: Sequence[ProblemView], *, steps: int = 3
) -> None:
    """Hold a reader to `Reader`.

    What it believes depends on what was observed before, not on the order of reading; several
    problems are read as each alone. Its state is plain JSON; a fresh reader that loads it believes
    the same, and one that is given another state refuses it.

    Args:
        make: returns a fresh reader, the same each time.
        views: problems, different ones, with what the reader reads of them; four or more.
        steps: how many are played before the state is compared.

    Raises:
        ContractError: it does something else.
    """
    require_that(len(views) >= 4, f"give at least four problems, got {len(views)}")
    reader = make()
    for step in range(1, steps + 1):
        _play_step(reader, views, step)
    state = json.loads(_write_state(reader))
    fresh = make()
    fresh.load_state_dict(state)
    require_that(
        fresh.read_many(views, steps + 1) == reader.read_many(views, steps + 1),
        "a reader that loads the state believes something else",
    )
    _play_step(fresh, views, steps + 1)
    _play_step(reader, views, steps + 1)
    require_that(
        _write_state(fresh) == _write_state(reader), "a step after a resume goes otherwise"
    )
    _check_refusal(make())
    for name, value in reader.metrics().items():
        require_that("/" in name and isinstance(value, float), f"a metric is {name!r}: {value!r}")


def _play_step(reader: Reader, views: Sequence[ProblemView], step: int) -> None:
    together = reader.read_many(views, step)
    require_that(len(together) == len(views), f"read_many returned {len(together)} of {len(views)}")
    alone = {view.problem_id: reader.read(view, step) for view in reversed(views)}
    for view, belief in zip(views, together, strict=True):
        single = alone[view.problem_id]
        require_that(
            _match_beliefs(belief, single),
            f"read_many believes {belief!r} of {view.problem_id!r}, read {single!r}",
        )
        require_that(
            belief is None or isinstance(belief, Belief),
            f"read returned {type(belief).__name__}",
        )
    reader.observe(
        (
            GroupOutcome(view.problem_id, right=(number * 3) % (_ROLLOUTS + 1), judged=_ROLLOUTS)
            for number, view in enumerate(views)
        ),
        step,
    )


def _match_beliefs(one: Belief | None, other: Belief | None) -> bool:
    """Whether two beliefs are one, but for the rounding of sums in another order."""
    if one is None or other is None:
        return one is other
    near = (
        math.isclose(a, b, rel_tol=_CLOSE, abs_tol=_CLOSE) for a, b in _pair_moments(one, other)
    )
    return one.source == other.source and one.seen == other.seen and all(near)


def _pair_moments(one: Belief, other: Belief) -> tuple[tuple[float, float], ...]:
    return (one.mean, other.mean), (one.variance, other.variance)


def _write_state(reader: Reader) -> str:
    try:
        return json.dumps(reader.state_dict())
    except (TypeError, ValueError) as error:
        raise ContractError(f"state_dict must be plain JSON: {error}") from error


def _check_refusal(reader: Reader) -> None:
    try:
        reader.load_state_dict({"something": "else"})
    except ValueError:
        return
    raise ContractError("load_state_dict takes a state that is not its own: raise ValueError")
