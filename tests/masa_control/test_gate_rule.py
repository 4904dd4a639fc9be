"""The paper's rule, as the gate has it and as a scored file is measured by it: one and the same."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_control.decisions.gate import PredictiveGate
from masa_rewards.gate_rule import (
    MIN_READABLE,
    PAPER_MAX_STD,
    PAPER_TOLERANCE,
    foresee_group_end,
)

ENDS = {"trivial": "all_right", "unsolvable": "all_wrong", None: None}
RATES = (None, 0.0, 0.125, 0.5, 0.875, 1.0)


def test_the_papers_numbers_are_the_gates_defaults():
    gate = PredictiveGate()
    assert (gate.max_std, gate.tolerance) == (PAPER_MAX_STD, PAPER_TOLERANCE)
    assert gate.min_readable == MIN_READABLE


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4])
def test_both_say_the_same_of_all_small_sets(size):
    gate = PredictiveGate()
    found = set()
    for rates in product(RATES, repeat=size):
        end = foresee_group_end(rates)
        assert end == ENDS[gate.decide(rates).reason], rates
        found.add(end)
    assert found == ({None} if size == 0 else set(ENDS.values()))


@given(
    st.lists(st.none() | st.floats(0, 1), max_size=16),
    st.floats(0.01, 0.6),
    st.floats(0, 0.49),
    st.floats(0.01, 1),
)
def test_both_say_the_same_with_any_settings(rates, max_std, tolerance, readable):
    gate = PredictiveGate(max_std=max_std, tolerance=tolerance, min_readable=readable)
    end = foresee_group_end(rates, max_std=max_std, tolerance=tolerance, min_readable=readable)
    assert end == ENDS[gate.decide(rates).reason]


def test_what_is_no_pass_rate_is_refused():
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got 1.5"):
        foresee_group_end([0.5, 1.5])
