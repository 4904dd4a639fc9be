from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_rewards import MetaPrediction, Rollout, RolloutGroup, difficulty_reward


def make_group(right: int, of: int) -> RolloutGroup:
    made = tuple(Rollout(text="", length=1, correct=i < right) for i in range(of))
    return RolloutGroup(problem="p", rollouts=made)


@pytest.mark.parametrize(
    ("right", "of", "predicted", "reward"),
    [
        (2, 4, 0.5, 1.0),
        (2, 4, 0.0, 0.1),  # 0.01 ** 0.5
        (2, 4, 1.0, 0.1),
        (0, 4, 1.0, 0.01),
        (4, 4, 0.0, 0.01),
        (1, 1, 1.0, 1.0),
        (1, 4, 0.5, 0.31622776601683794),  # 0.01 ** 0.25
        (0, 8, 0.0, 1.0),
    ],
)
def test_by_hand(right, of, predicted, reward):
    got = difficulty_reward(MetaPrediction(pass_rate=predicted), make_group(right, of))
    assert got == pytest.approx(reward, abs=1e-12)


def test_another_base():
    got = difficulty_reward(MetaPrediction(pass_rate=0.0), make_group(1, 2), base=0.04)
    assert got == pytest.approx(0.2)


def test_a_pass_rate_that_was_not_predicted_is_worth_nothing():
    assert difficulty_reward(MetaPrediction(), make_group(1, 2)) == 0.0


@pytest.mark.parametrize("base", [0.0, 1.0, -0.1, 1.5, math.nan, math.inf])
def test_a_base_out_of_range_is_refused_by_name(base):
    with pytest.raises(ValueError, match=r"base must be in \(0, 1\).*got"):
        difficulty_reward(MetaPrediction(pass_rate=0.5), make_group(1, 2), base=base)


def test_an_empty_group_is_refused_even_without_a_prediction():
    with pytest.raises(ValueError, match="has no rollouts"):
        difficulty_reward(MetaPrediction(), make_group(0, 0))


@given(
    st.integers(0, 8),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0.001, 0.999),
)
def test_the_nearer_the_better(right, one, other, base):
    true = right / 8
    near, far = sorted((one, other), key=lambda predicted: abs(true - predicted))
    of = make_group(right, 8)
    assert difficulty_reward(MetaPrediction(pass_rate=near), of, base=base) >= difficulty_reward(
        MetaPrediction(pass_rate=far), of, base=base
    )
