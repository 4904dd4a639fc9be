from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_rewards import (
    MetaPrediction,
    MetaReward,
    Rollout,
    RolloutGroup,
    difficulty_reward,
    length_reward,
    meta_reward,
    notion_reward,
)
from masa_rewards import meta_rewards as rewards_of
from masa_rewards.notions.reward import notion_rewards

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


ROLLOUT = Rollout(text="a sum", length=9, correct=True)
GROUP = RolloutGroup(problem="p", rollouts=(ROLLOUT,))
PREDICTION = MetaPrediction(length=9)


@pytest.mark.parametrize("reward", [meta_reward, notion_reward, length_reward, difficulty_reward])
@pytest.mark.parametrize(
    ("prediction", "group", "message"),
    [
        ('{"pass_rate": 5}', GROUP, r"got str .*: read the text with MetaPrompt\.parse"),
        (None, GROUP, r"a prediction is a MetaPrediction, got None: .* is MetaPrediction\(\)"),
        ([PREDICTION], GROUP, "got list .*: several predictions go to meta_rewards"),
        ({"length": 9}, GROUP, "a prediction is a MetaPrediction, got dict"),
        (GROUP, PREDICTION, "the other way round"),
        (PREDICTION, [ROLLOUT], r"got list .*: put the rollouts of one problem into RolloutGroup"),
        (PREDICTION, None, "a group is a RolloutGroup, got None"),
        (PREDICTION, ROLLOUT, "a group is a RolloutGroup, got Rollout"),
    ],
)
def test_what_is_no_prediction_or_no_group_is_told(reward, prediction, group, message):
    with pytest.raises(TypeError, match=message):
        reward(prediction, group)


@pytest.mark.parametrize("rewards", [rewards_of, notion_rewards])
@pytest.mark.parametrize(
    ("predictions", "group", "message"),
    [
        (PREDICTION, GROUP, "got one: put it into a list"),
        ('{"pass_rate": 5}', GROUP, "predictions are a list of MetaPrediction, got str"),
        (['{"pass_rate": 5}'], GROUP, r"read the text with MetaPrompt\.parse"),
        ([PREDICTION, None], GROUP, r"is MetaPrediction\(\)"),
        (None, GROUP, "predictions are a list of MetaPrediction, got None"),
        (GROUP, [PREDICTION], "the predictions come first, the group second"),
        ([PREDICTION], (ROLLOUT,), "a group is a RolloutGroup, got tuple"),
    ],
)
def test_what_are_no_predictions_or_is_no_group_is_told(rewards, predictions, group, message):
    with pytest.raises(TypeError, match=message):
        rewards(predictions, group)


def test_predictions_out_of_an_iterator_are_taken():
    assert rewards_of(iter([PREDICTION]), GROUP) == rewards_of([PREDICTION], GROUP)
