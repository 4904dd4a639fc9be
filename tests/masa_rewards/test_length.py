from __future__ import annotations

import pytest
from masa_rewards import MetaPrediction, Rollout, RolloutGroup, length_reward


def make_group(*rollouts: tuple[int, bool]) -> RolloutGroup:
    made = tuple(Rollout(text="", length=length, correct=right) for length, right in rollouts)
    return RolloutGroup(problem="p", rollouts=made)


MIXED = make_group((100, True), (300, True), (50, False), (900, False))


@pytest.mark.parametrize(
    ("length", "reward"),
    [(99, 0.0), (100, 1.0), (200, 1.0), (300, 1.0), (301, 0.0), (50, 0.0), (900, 0.0)],
)
def test_bounds_are_those_of_the_correct_rollouts_and_included(length, reward):
    assert length_reward(MetaPrediction(length=length), MIXED) == reward


def test_a_single_correct_rollout_pays_its_exact_length():
    one = make_group((250, True), (10, False))
    assert length_reward(MetaPrediction(length=250), one) == 1.0
    assert length_reward(MetaPrediction(length=251), one) == 0.0


def test_nothing_is_paid_when_no_rollout_is_correct():
    assert length_reward(MetaPrediction(length=10), make_group((10, False))) == 0.0


def test_a_length_that_was_not_predicted_is_worth_nothing():
    assert length_reward(MetaPrediction(), MIXED) == 0.0


def test_zero_tokens_is_a_prediction():
    assert length_reward(MetaPrediction(length=0), make_group((0, True))) == 1.0


def test_an_empty_group_is_refused():
    with pytest.raises(ValueError, match="has no rollouts"):
        length_reward(MetaPrediction(length=10), make_group())
