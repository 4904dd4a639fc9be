"""What a step's loss is made of, worked out by hand."""

import pytest
from masa_control import Expert
from masa_control.loss import (
    LossScales,
    compute_loss_scales,
    compute_rolled_out_share,
    scale_to_unit_mean,
    weigh_clone_tokens,
)

from tests.masa_control.factories import make_episode, make_meta_rollout, make_plan


def test_a_mean_over_the_batch_becomes_the_mean_over_its_rollouts():
    # 100 tokens: 60 of rollouts, 40 of two experts whose tokens weigh 50 in all.
    assert compute_loss_scales(100.0, 60.0, 50.0) == LossScales(100 / 60, 2.0)
    # Half of the problems were skipped: the rollouts count as if they were twice as many.
    assert compute_loss_scales(60.0, 60.0 / 0.5, 0.0).policy == 0.5


def test_without_rollouts_or_experts_the_factors_are_finite():
    alone = compute_loss_scales(40.0, 0.0, 50.0)
    assert alone == LossScales(40.0, 0.8)  # they multiply nothing
    assert compute_loss_scales(60.0, 60.0, 0.0).clone == 60 / 1e-9


def test_the_share_that_was_rolled_out():
    skipped = make_episode("", [make_meta_rollout(0, total_reward=None)], make_plan(True))
    there = make_episode("rw", [make_meta_rollout(4)])
    assert compute_rolled_out_share([skipped, there, skipped, there]) == 0.5
    assert compute_rolled_out_share([there]) == 1.0
    assert compute_rolled_out_share([skipped, skipped]) == 1.0  # nothing but experts is left
    assert compute_rolled_out_share([]) == 1.0


def expert(text, numbers, unknown=()):
    return Expert(
        problem_id="7",
        prompt_ids=(1,),
        text=text,
        numbers=numbers,
        unknown=unknown,
        reward=0.5,
        weight=1.0,
        step=1,
    )


@pytest.mark.parametrize(
    ("places", "weights"),
    [
        ([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)], [1, 8, 1, 1, 0, 0]),
        ([(0, 2), (2, 4), (4, 6)], [8, 1, 0]),  # a token that touches a number is of it
        ([(0, 5), (5, 6)], [0, 0]),  # of a known number and of an unknown one: unknown
        ([(0, 0), (1, 1)], [1, 1]),  # tokens without text stand in no number
    ],
)
def test_tokens_of_numbers_weigh_more_and_unknown_ones_nothing(places, weights):
    made = weigh_clone_tokens(expert("p5 l90", ((1, 2),), ((4, 6),)), places, 8.0)
    assert made.tolist() == weights


def test_weights_of_a_sequence_may_have_a_mean_of_one():
    assert scale_to_unit_mean([1.0, 8.0, 0.0]) == [1 / 3, 8 / 3, 0.0]
    assert scale_to_unit_mean([8.0]) == [1.0]
