import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_control.advantages import compute_group_advantages

rewards = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def advantages(rewards, groups, **kwargs):
    scored = kwargs.pop("scored", [True] * len(rewards))
    return compute_group_advantages(rewards, groups, scored, **kwargs).tolist()


def test_group_norm_worked_out_by_hand():
    # mean 0.5, std with N-1: sqrt((0.25 * 4) / 3) = 0.57735
    found = advantages([1, 0, 1, 0], ["a"] * 4)
    assert found == pytest.approx([0.8660254, -0.8660254, 0.8660254, -0.8660254])


def test_dr_grpo_subtracts_the_mean_alone():
    found = advantages([1, 0, 0, 0], ["a"] * 4, estimator="dr_grpo")
    assert found == pytest.approx([0.75, -0.25, -0.25, -0.25])


def test_rloo_subtracts_the_mean_of_the_others():
    found = advantages([1, 0, 0], ["a"] * 3, estimator="rloo")
    assert found == pytest.approx([1.0, -0.5, -0.5])


def test_groups_of_different_sizes_in_any_order():
    # M = 2 and G = 3, mixed up. OpenRLHF's reshape would put the first three into one group.
    found = advantages([1, 0.2, 0, 0.4, 1], ["s", "m", "s", "m", "s"], estimator="dr_grpo")
    assert found == pytest.approx([1 / 3, -0.1, -2 / 3, 0.1, 1 / 3])


def test_no_variance_no_advantage():
    assert advantages([1, 1, 1], ["a"] * 3) == [0, 0, 0]


def test_rounding_is_not_variance():
    third = [0.1 + 0.2, 0.3, 0.3]  # 0.30000000000000004
    assert advantages(third, ["a"] * 3) == [0, 0, 0]


def test_a_group_of_one_and_an_empty_batch():
    assert advantages([1.0], ["a"]) == [0]
    assert advantages([], []) == []


def test_a_sample_without_reward_pulls_nowhere():
    found = advantages([1, 0, 0], ["a"] * 3, scored=[True, True, False], estimator="dr_grpo")
    assert found == pytest.approx([0.5, -0.5, 0])


def test_the_meta_weight_scales_its_group_alone():
    found = advantages(
        [1, 0, 1, 0], ["m", "m", "s", "s"], estimator="dr_grpo", weights_N=[0.5, 0.5, 1, 1]
    )
    assert found == pytest.approx([0.25, -0.25, 0.5, -0.5])


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="gae"):
        advantages([1, 0], ["a", "a"], estimator="gae")
    with pytest.raises(ValueError, match="finite.*'b'"):
        advantages([1, 0, math.nan, 0], ["a", "a", "b", "b"])


@given(rewards)
def test_a_group_sums_to_zero_and_is_bounded(values):
    found = np.array(advantages(values, ["a"] * len(values)))
    assert abs(found.sum()) < 1e-4
    assert (np.abs(found) <= math.sqrt(len(values))).all()


@given(rewards, st.randoms(use_true_random=False))
def test_order_does_not_matter(values, random):
    groups = [random.choice("ab") for _ in values]
    order = list(range(len(values)))
    random.shuffle(order)
    straight = advantages(values, groups)
    mixed = advantages([values[i] for i in order], [groups[i] for i in order])
    assert mixed == pytest.approx([straight[i] for i in order], abs=1e-6)
