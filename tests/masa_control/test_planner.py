import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_control import (
    CutoffDecision,
    DistanceGate,
    HintChooser,
    LengthCutoff,
    Planner,
    PredictiveGate,
    draw_audit,
)
from masa_rewards import MetaPrediction

UNREADABLE = MetaPrediction()
PREDICTIONS = st.lists(
    st.builds(
        MetaPrediction,
        pass_rate=st.sampled_from([None, 0.0, 0.5, 1.0]),
        length=st.sampled_from([None, 10, 20, 90]),
        notions=st.sampled_from([None, ("sum",), ("carry", "sum"), ("parity",)]),
    ),
    max_size=6,
)


def says(pass_rate, length=20, *notions):
    return MetaPrediction(pass_rate=pass_rate, length=length, notions=notions)


def planner(**settings):
    return Planner(step=3, seed=1, **settings)


def test_without_decisions_solutions_are_made_as_usual():
    plan = planner().plan("p", [says(1.0), says(1.0)], 100)
    assert (plan.gate, plan.cutoff, plan.hint, plan.max_tokens) == (None, None, (), 100)
    assert plan.solve
    assert plan.whole
    assert not plan.flagged


def test_a_skipped_problem_has_no_limit_and_no_hint():
    made = planner(gate=PredictiveGate(), cutoff=LengthCutoff(), hints=HintChooser())
    plan = made.plan("p", [says(1.0, 20, "sum")] * 2, 100)
    assert (plan.solve, plan.flagged, plan.gate_audited) == (False, True, False)
    assert (plan.cutoff, plan.hint) == (None, ())


def test_an_audited_one_is_solved_whole_and_with_its_hint():
    made = planner(
        gate=PredictiveGate(), gate_audit=1.0, cutoff=LengthCutoff(), hints=HintChooser()
    )
    plan = made.plan("p", [says(1.0, 20, "sum")] * 2, 100)
    assert (plan.solve, plan.flagged, plan.gate_audited) == (True, True, True)
    assert (plan.cutoff, plan.max_tokens, plan.hint, plan.whole) == (None, 100, ("sum",), True)


def test_the_cutoff_lowers_the_limit():
    plan = planner(cutoff=LengthCutoff(margin=2.0)).plan("p", [says(0.5, 20), says(0.5, 30)], 100)
    assert plan.cutoff == CutoffDecision(predicted=25, margin=2.0, max_tokens=50, lowers=True)
    assert (plan.max_tokens, plan.whole, plan.cutoff_audited) == (50, False, False)


def test_an_audit_of_the_cutoff_lets_solutions_run_on():
    made = planner(cutoff=LengthCutoff(margin=2.0), cutoff_audit=1.0)
    plan = made.plan("p", [says(0.5, 20)], 100)
    assert plan.cutoff.max_tokens == 40
    assert (plan.max_tokens, plan.whole, plan.cutoff_audited) == (100, True, True)
    # Where nothing is lowered there is nothing to audit.
    plan = made.plan("p", [says(0.5, 60)], 100)
    assert (plan.max_tokens, plan.whole, plan.cutoff_audited) == (100, True, False)
    assert not plan.cutoff.lowers


def test_predictions_that_none_can_read_decide_nothing():
    made = planner(gate=PredictiveGate(), cutoff=LengthCutoff(), hints=HintChooser())
    for predictions in ([UNREADABLE] * 4, []):
        plan = made.plan("p", predictions, 100)
        assert plan.solve
        assert (plan.gate.mean, plan.cutoff.predicted, plan.hint) == (None, None, ())
        assert plan.max_tokens == 100
        assert plan.whole


def test_audits_are_drawn_by_seed_step_decision_and_problem():
    skip = [says(1.0)] * 2
    for epsilon in (0.2, 0.7):
        made = planner(gate=PredictiveGate(), gate_audit=epsilon)
        for k in range(50):
            expected = draw_audit(1, "gate", 3, f"p{k}") < epsilon
            assert made.plan(f"p{k}", skip, 100).gate_audited == expected
        cut = planner(cutoff=LengthCutoff(), cutoff_audit=epsilon)
        for k in range(50):
            expected = draw_audit(1, "cutoff", 3, f"p{k}") < epsilon
            assert cut.plan(f"p{k}", [says(0.5, 20)], 100).cutoff_audited == expected


def test_the_share_audited_is_epsilon():
    made = planner(gate=PredictiveGate(), gate_audit=0.2)
    count = sum(made.plan(f"p{k}", [says(0.0)], 100).gate_audited for k in range(2000))
    assert abs(count - 400) < 4 * math.sqrt(2000 * 0.2 * 0.8)


def test_each_end_may_have_a_share_of_its_own():
    made = planner(gate=PredictiveGate(), gate_audit=0.2, gate_audit_trivial=1.0)
    trivial, unsolvable = (
        [made.plan(f"p{k}", [says(rate)], 100) for k in range(500)] for rate in (1.0, 0.0)
    )
    assert all(plan.gate_audited and plan.gate_audit == 1.0 for plan in trivial)
    assert {plan.gate_audit for plan in unsolvable} == {0.2}
    assert abs(sum(plan.gate_audited for plan in unsolvable) - 100) < 4 * math.sqrt(500 * 0.16)
    assert (
        planner(gate=PredictiveGate(), gate_audit=0.2).plan("p", [says(1.0)], 9).gate_audit == 0.2
    )


@given(PREDICTIONS, st.randoms(), st.text(max_size=3))
def test_the_order_of_predictions_does_not_matter(predictions, rng, name):
    made = planner(
        gate=PredictiveGate(tolerance=0.1),
        gate_audit=0.5,
        cutoff=LengthCutoff(),
        cutoff_audit=0.5,
        hints=HintChooser(),
    )
    shuffled = random.Random(rng.random()).sample(predictions, len(predictions))
    assert made.plan(name, predictions, 100) == made.plan(name, shuffled, 100)


@given(PREDICTIONS, st.floats(0, 1), st.floats(0, 1), st.text(max_size=3))
def test_a_larger_share_audits_all_that_a_smaller_one_does(predictions, share, other, name):
    small, large = sorted((share, other))

    def plan(epsilon):
        both = {"gate_audit": epsilon, "cutoff_audit": epsilon}
        return planner(gate=PredictiveGate(), cutoff=LengthCutoff(), **both).plan(
            name, predictions, 100
        )

    assert plan(large).gate_audited >= plan(small).gate_audited
    assert plan(large).cutoff_audited >= plan(small).cutoff_audited
    assert not plan(0.0).gate_audited
    assert not plan(0.0).cutoff_audited


@pytest.mark.parametrize("name", ["gate_audit", "gate_audit_trivial", "cutoff_audit"])
@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_that_cannot_be_is_refused(name, share):
    with pytest.raises(ValueError, match=rf"{name} must lie in \[0, 1\], got {share!r}"):
        planner(**{name: share})


@pytest.mark.parametrize(
    ("decisions", "predictions", "says_so"),
    [
        ({}, [says(0.5)], "no gate"),
        (
            {"gate": PredictiveGate(), "gate_audit": 0.0},
            [says(1.0)] * 2,
            "skipped as trivial: 2 predicted pass rates of mean 1.000 and standard deviation "
            "0.000, 0.000 from trivial; not drawn for an audit of 0% of such problems",
        ),
        (
            {"gate": DistanceGate(None, 0.2), "gate_audit": 1.0},
            [says(0.0)],
            "would be skipped as unsolvable but for an audit of 100% of such problems: 1 predicted "
            "pass rates of mean 0.000 and standard deviation 0.000, 0.000 from unsolvable (limit "
            "0.200)",
        ),
        (
            {"gate": PredictiveGate(), "cutoff": LengthCutoff(margin=1.5), "hints": HintChooser()},
            [says(0.5, 20, "sum"), UNREADABLE],
            "rolled out: 1 predicted pass rates of mean 0.500 and standard deviation 0.000, 0.500 "
            "from unsolvable; solutions are cut at 30 tokens, 1.50 times the predicted 20; "
            "hint: sum",
        ),
        (
            {"gate": PredictiveGate(), "cutoff": LengthCutoff(margin=1.5), "cutoff_audit": 1.0},
            [says(None, 20)] * 2,
            "rolled out: only 0 predicted pass rates could be read; solutions would be cut at 30 "
            "tokens, 1.50 times the predicted 20, but for an audit of 100% of such problems",
        ),
        (
            {"cutoff": LengthCutoff(margin=9.0)},
            [says(0.5)],
            "no gate; solutions may run to their usual limit",
        ),
    ],
)
def test_a_plan_says_why(decisions, predictions, says_so):
    assert planner(**decisions).plan("p", predictions, 100).explain() == says_so
