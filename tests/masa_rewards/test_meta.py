from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_rewards import MetaPrediction, MetaReward, Rollout, RolloutGroup, meta_reward
from masa_rewards import meta_rewards as rewards_of

WORDS = st.sampled_from(
    ["identity", "identities", "matrix", "Matrices", "sum", "prime number", "primes", "***", "art"]
)
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)
ROLLOUTS = st.builds(Rollout, text=TEXTS, length=st.integers(0, 40), correct=st.booleans())
GROUPS = st.builds(
    RolloutGroup, problem=TEXTS, rollouts=st.lists(ROLLOUTS, min_size=1, max_size=6).map(tuple)
)
PREDICTIONS = st.builds(
    MetaPrediction,
    pass_rate=st.none() | st.floats(0, 1),
    length=st.none() | st.integers(0, 40),
    notions=st.none() | st.lists(WORDS, max_size=4).map(tuple),
)


def test_the_mean_of_the_three_by_hand():
    group = RolloutGroup(
        problem="p",
        rollouts=(
            Rollout(text="an identity", length=100, correct=True),
            Rollout(text="a series", length=200, correct=False),
        ),
    )
    prediction = MetaPrediction(pass_rate=1.0, length=100, notions=("identity", "series"))
    # 1, 0.01 ** 0.5 = 0.1, 1 of 2
    reward = meta_reward(prediction, group)
    assert reward.length == 1.0
    assert reward.difficulty == pytest.approx(0.1)
    assert reward.notion == 0.5
    assert reward.total == pytest.approx(1.6 / 3)
    assert meta_reward(prediction, group, base=0.25).difficulty == pytest.approx(0.5)


def test_an_exact_prediction_is_worth_one():
    group = RolloutGroup(problem="p", rollouts=(Rollout(text="a sum", length=9, correct=True),))
    prediction = MetaPrediction(pass_rate=1.0, length=9, notions=("sums",))
    assert meta_reward(prediction, group) == MetaReward(length=1, difficulty=1, notion=1, total=1)


def test_what_is_not_predicted_counts_zero_in_the_mean():
    group = RolloutGroup(problem="p", rollouts=(Rollout(text="a sum", length=9, correct=True),))
    reward = meta_reward(MetaPrediction(length=9), group)
    assert reward == MetaReward(length=1, difficulty=0, notion=0, total=1 / 3)


@pytest.mark.parametrize("predictions", [[], [MetaPrediction()]])
def test_an_empty_group_is_refused(predictions):
    with pytest.raises(ValueError, match="has no rollouts"):
        rewards_of(predictions, RolloutGroup(problem="p", rollouts=()))


def test_no_predictions_no_rewards():
    group = RolloutGroup(problem="p", rollouts=(Rollout(text="", length=1, correct=True),))
    assert rewards_of([], group) == []


@given(PREDICTIONS, GROUPS, st.floats(1e-6, 1 - 1e-6))
def test_rewards_lie_between_zero_and_one(prediction, group, base):
    reward = meta_reward(prediction, group, base=base)
    parts = [reward.length, reward.difficulty, reward.notion]
    assert all(0.0 <= part <= 1.0 for part in [*parts, reward.total])
    assert math.isclose(reward.total, math.fsum(parts) / 3)


@given(st.lists(PREDICTIONS, max_size=5), GROUPS, st.randoms())
def test_the_order_of_rollouts_does_not_matter(predictions, group, random):
    shuffled = list(group.rollouts)
    random.shuffle(shuffled)
    other = RolloutGroup(problem=group.problem, rollouts=tuple(shuffled))
    assert rewards_of(predictions, group) == rewards_of(predictions, other)


@given(st.lists(PREDICTIONS, max_size=5), GROUPS)
def test_a_batch_is_worth_what_each_is_alone(predictions, group):
    together = rewards_of(predictions, group)
    assert together == [meta_reward(prediction, group) for prediction in predictions]
    assert rewards_of(predictions[::-1], group) == together[::-1]
