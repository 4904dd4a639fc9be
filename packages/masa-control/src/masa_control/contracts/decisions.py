"""What decides: a gate, and a planner."""

from __future__ import annotations

from collections.abc import Sequence

from masa_rewards import MetaPrediction

from masa_control.contracts.breach import require_that, require_travels
from masa_control.decisions.gate import Gate
from masa_control.episode.belief import Belief
from masa_control.episode.plan import GateDecision, Plan
from masa_control.episode.protocols import EpisodePlanner

_RATES: tuple[tuple[float | None, ...], ...] = (
    (1.0, 1.0, 1.0, 1.0),
    (0.0, 0.0, 0.0, 0.0),
    (0.5, 0.25, 0.75, 0.5),
    (1.0, None, 0.0, None),
)
_BELIEFS = (
    Belief(mean=1.0, variance=0.0, source="contract", seen=50),
    Belief(mean=0.0, variance=0.0, source="contract", seen=50),
    Belief(mean=0.5, variance=0.05, source="contract", seen=50),
)


def check_gate(gate: Gate) -> None:
    """Hold a gate to `Gate`.

    It is a value: asked twice it decides alike, and it can be pickled. It skips nothing that it
    knows nothing of. What it skips has a reason and a mean in [0, 1].

    Args:
        gate: yours.

    Raises:
        ContractError: it does something else.
    """
    require_travels(gate)
    for nothing in ((), (None,), (None, None, None, None)):
        require_that(
            not gate.decide(nothing).skip,
            f"decide({list(nothing)!r}) skips a problem of which no prediction could be read",
        )
    require_that(not gate.judge(None).skip, "judge(None) skips a problem of which nothing is known")
    for rates in _RATES:
        _check_decision(f"decide({list(rates)!r})", gate.decide(rates), gate.decide(rates))
    for belief in _BELIEFS:
        _check_decision(f"judge({belief!r})", gate.judge(belief), gate.judge(belief))


def _check_decision(call: str, decision: GateDecision, again: GateDecision) -> None:
    require_that(decision == again, f"{call} decides otherwise when it is asked again")
    require_that(
        (decision.reason is not None) == decision.skip,
        f"{call} has the reason {decision.reason!r} and skip={decision.skip}",
    )
    if decision.skip:
        require_that(decision.mean is not None, f"{call} skips without a mean: audits need one")
    if decision.mean is not None:
        require_that(0 <= decision.mean <= 1, f"{call} has a mean of {decision.mean!r}")
    if decision.keep is not None:
        require_that(0 < decision.keep <= 1, f"{call} keeps with probability {decision.keep!r}")


def check_planner(planner: EpisodePlanner, *, limit: int = 1000) -> None:
    """Hold a planner to `EpisodePlanner`.

    It is a value: a plan depends on its arguments alone, and it can be pickled. It plans without
    readable predictions too. No limit is above the usual one. A cutoff that is audited lets
    solutions run to the usual limit, and an audited problem is solved.

    Args:
        planner: yours.
        limit: the usual limit of a solution, tokens.

    Raises:
        ContractError: it does something else.
    """
    require_travels(planner)
    predictions = [
        [MetaPrediction(pass_rate=rate, length=100, notions=("sum",)) for rate in rates]
        for rates in _RATES
    ]
    for each in (*predictions, [], [MetaPrediction()]):
        for belief in (None, *_BELIEFS):
            _check_plan(planner, each, belief, limit)


def _check_plan(
    planner: EpisodePlanner,
    predictions: Sequence[MetaPrediction],
    belief: Belief | None,
    limit: int,
) -> None:
    for number in range(20):  # audits are drawn by the problem
        name = f"problem-{number}"
        plan = planner.plan(name, predictions, limit, belief=belief)
        require_that(isinstance(plan, Plan), f"plan returned {type(plan).__name__}")
        require_that(
            plan == planner.plan(name, predictions, limit, belief=belief),
            f"plan({name!r}) is another plan when it is asked for again",
        )
        require_that(
            1 <= plan.max_tokens <= limit,
            f"a plan allows {plan.max_tokens} tokens, 1 to the usual {limit} are possible",
        )
        require_that(
            not plan.cutoff_audited or plan.max_tokens == limit,
            f"an audited cutoff stops solutions at {plan.max_tokens} of {limit} tokens",
        )
        require_that(0 <= plan.gate_audit <= 1, f"gate_audit is {plan.gate_audit!r}")
        require_that(
            not plan.flagged or plan.gate_audit > 0 or not plan.gate_audited,
            "a problem is audited by a share of 0",
        )
