"""A belief by its moments."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_control.episode.belief import Belief


def test_a_beta_distribution_is_found_again_by_its_moments():
    # Beta(1, 3): mean 1/4, variance 1*3 / (4² * 5) = 3/80; E[p(1-p)] = 3/16 - 3/80 = 3/20.
    belief = Belief(0.25, 3 / 80, "words", 7)
    assert belief.strength == pytest.approx(4)
    assert belief.outcome_variance == pytest.approx(3 / 20)
    assert belief.std == pytest.approx(math.sqrt(3 / 80))
    assert belief.end == "unsolvable"


def test_what_is_known_is_worth_any_number_of_outcomes():
    assert Belief(0.5, 0.0, "words").strength == math.inf
    assert Belief(1.0, 0.0, "words").outcome_variance == 0
    assert Belief(0.75, 0.1875, "words").strength == 0  # either 0 or 1, nobody knows which


@pytest.mark.parametrize(
    ("mean", "variance", "told"),
    [
        (1.5, 0.0, r"must lie in \[0, 1\], got 1.5"),
        (math.nan, 0.0, r"must lie in \[0, 1\], got nan"),
        (0.5, 0.3, r"lies in \[0, 0.25\], got 0.3"),
        (0.5, -0.1, r"lies in \[0, 0.25\], got -0.1"),
    ],
)
def test_what_is_no_distribution_is_refused(mean, variance, told):
    with pytest.raises(ValueError, match=told):
        Belief(mean, variance, "words")


@given(st.floats(0.01, 50), st.floats(0.01, 50))
def test_moments_of_any_beta_are_a_belief(a, b):
    mean = a / (a + b)
    belief = Belief(mean, mean * (1 - mean) / (a + b + 1), "history")
    assert belief.strength == pytest.approx(a + b)
    assert belief.outcome_variance == pytest.approx(a * b / ((a + b) * (a + b + 1)))
