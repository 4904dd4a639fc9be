import asyncio

import pytest
from masa_control import Ledger, run_episode

from tests.masa_control.scripted import (
    PROBLEM,
    ScriptedEngine,
    ScriptedVerifier,
    completion,
    prediction,
    settings,
)


def episode():
    engine = ScriptedEngine(
        meta=[completion(prediction(9, 3), tokens=5), completion("no", tokens=7)],
        solution=[completion("it is 4", tokens=10), completion("it is ?", tokens=20)],
    )
    return asyncio.run(
        run_episode(PROBLEM, engine=engine, verifier=ScriptedVerifier(), settings=settings(2, 2))
    )


def test_counts_of_one_episode():
    ledger = Ledger()
    ledger.observe(episode())
    metrics = ledger.metrics()
    assert metrics["ledger/problems"] == 1
    assert metrics["ledger/meta_tokens"] == 12
    assert metrics["ledger/solution_tokens"] == 30
    assert metrics["ledger/meta_rollouts"] == 2
    assert metrics["ledger/solution_rollouts"] == 2
    assert metrics["ledger/verdict_correct"] == 1
    assert metrics["ledger/verdict_timeout"] == 1
    assert metrics["ledger/unread_pass_rate_out_of_range"] == 1
    assert metrics["ledger/unread_pass_rate_no_json"] == 1


def test_goes_on_from_its_state():
    ledger, other = Ledger(), Ledger()
    ledger.observe(episode())
    other.load_state_dict(ledger.state_dict())
    assert other.metrics() == ledger.metrics()
    other.observe(episode())
    assert other.metrics()["ledger/problems"] == 2
    assert ledger.metrics()["ledger/problems"] == 1


@pytest.mark.parametrize("state", [{}, {"version": 99, "counts": {}}, {"version": 1}])
def test_refuses_what_is_no_ledger(state):
    with pytest.raises(ValueError, match="not the state of a ledger"):
        Ledger().load_state_dict(state)
