"""Choosing problems by chance: probabilities by hand, and as many as were asked for."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_control import Belief, ChoiceGate, ChoiceSettings, Planner, ProblemChoice
from masa_control.decisions.choice import solve_choice_scale
from masa_control.decisions.token_costs import SolutionCost, TokenCosts
from masa_rewards import MetaPrediction

from tests.masa_control.factories import make_episode, make_solution

COST = SolutionCost(right=10.0, wrong=30.0, usual=20.0)


def test_a_problem_is_kept_by_its_variance_a_token():
    gate = ChoiceGate(scale=2.0, floor=0.05, cost=COST)
    decided = gate.judge(Belief(0.5, 0.05, "words", 9))
    # E[p (1 - p)] = 1/4 - 1/20; a solution is expected to take 20 tokens, as is usual.
    assert decided.score == pytest.approx(0.2)
    assert decided.keep == pytest.approx(0.4)
    assert (decided.skip, decided.reason, decided.source) == (True, "not_chosen", "words")
    # Hard ones are long: 0.09 / (0.1 * 10 + 0.9 * 30) * 20.
    assert gate.judge(Belief(0.1, 0.0, "words")).score == pytest.approx(0.09 * 20 / 28)
    assert gate.judge(Belief(0.0, 0.0, "words")).keep == 0.05
    assert ChoiceGate(9.0, 0.05).judge(Belief(0.5, 0.0, "words")).keep == 1.0


def test_what_nobody_knows_is_kept():
    gate = ChoiceGate(scale=0.1, floor=0.05)
    assert not gate.judge(None).skip
    assert not gate.decide([None, None]).skip
    assert gate.decide([0.5, 0.5]).keep == pytest.approx(0.05)
    before = ChoiceGate(scale=None, floor=0.05).judge(Belief(0.0, 0.0, "words"))
    assert (before.skip, before.keep, before.score) == (False, 1.0, 0.0)


def test_chance_keeps_as_often_as_it_says():
    gate = ChoiceGate(scale=1.2, floor=0.05)
    planner = Planner(step=1, seed=0, reader="given", gate=gate)
    plans = [planner.plan(str(n), (), 9, belief=Belief(0.5, 0.0, "x")) for n in range(2000)]
    kept = sum(plan.solve for plan in plans) / len(plans)
    assert kept == pytest.approx(0.3, abs=4 * math.sqrt(0.3 * 0.7 / 2000))
    assert [plan.gate_audit for plan in plans] == pytest.approx([0.3] * len(plans))
    kept_plan = next(plan for plan in plans if plan.solve)
    assert "kept, with a probability of 0.300 to be kept" in kept_plan.explain()
    passed = next(plan for plan in plans if not plan.solve)
    assert "passed over, with a probability of 0.300" in passed.explain()


@given(
    st.lists(st.floats(0, 0.25, allow_subnormal=False), min_size=1, max_size=60),
    st.floats(0.05, 0.9),
    st.floats(0.001, 0.05),
)
def test_as_many_are_kept_as_were_asked_for(scores, share, floor):
    scale = solve_choice_scale(scores, share, floor)
    kept = sum(min(1.0, max(floor, scale * score)) for score in scores) / len(scores)
    most = sum(1.0 if score > 0 else floor for score in scores) / len(scores)
    assert kept == pytest.approx(min(share, max(most, floor)), abs=1e-6)


def test_nothing_is_chosen_before_enough_is_known():
    choice = ProblemChoice(ChoiceSettings(draw=2.0, min_remembered=4))
    choice.observe([0.1, 0.2, 0.1])
    assert choice.gate(None).scale is None
    choice.observe([0.2])
    # Kept with 1/2 on average: a (0.1 + 0.2) / 2 = 1/2.
    assert choice.gate(COST).scale == pytest.approx(10 / 3)
    assert choice.gate(COST).cost == COST
    assert choice.metrics() == {"gate/remembered": 4.0}
    other = ProblemChoice(choice.settings)
    other.load_state_dict(json.loads(json.dumps(choice.state_dict())))
    assert other.gate(COST) == choice.gate(COST)
    with pytest.raises(ValueError, match="damaged"):
        other.load_state_dict({**choice.state_dict(), "scores": [-1.0]})


def test_a_floor_that_leaves_no_choice_is_refused():
    with pytest.raises(ValueError, match="lower one of them"):
        ChoiceSettings(draw=4.0, floor=0.3)


def test_predictions_may_choose_too():
    planner = Planner(step=1, seed=0, gate=ChoiceGate(scale=1.0, floor=0.05))
    plan = planner.plan("p", [MetaPrediction(pass_rate=0.5)] * 2, 9)
    assert plan.gate.keep == pytest.approx(0.25)


def test_solutions_cost_what_the_last_ones_did():
    costs = TokenCosts()
    assert costs.cost() is None
    costs.observe([make_episode([make_solution("r", 10), make_solution("?", 99)])])
    assert costs.cost() is None
    costs.observe([make_episode([make_solution("w", 40), make_solution("r", 20)])])
    assert costs.cost() == SolutionCost(right=15.0, wrong=40.0, usual=70 / 3)
    assert costs.cost().expect(0.2) == pytest.approx(35.0)
    assert costs.metrics() == {"reader/right_tokens": 15.0, "reader/wrong_tokens": 40.0}
    other = TokenCosts()
    other.load_state_dict(json.loads(json.dumps(costs.state_dict())))
    assert other.cost() == costs.cost()
