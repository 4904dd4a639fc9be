from __future__ import annotations

import pytest
from masa_rewards import MetaPrediction, Rollout, RolloutGroup, notion_reward
from masa_rewards.notion import notion_rewards

RIGHT = ("use the identity and a matrix", "an identity again", "a matrix")
WRONG = ("the matrix, a series", "a matrix and a matrix", "series")


def group(right=RIGHT, wrong=WRONG, problem="Find the sum.") -> RolloutGroup:
    made = [Rollout(text=text, length=1, correct=True) for text in right]
    made += [Rollout(text=text, length=1, correct=False) for text in wrong]
    return RolloutGroup(problem=problem, rollouts=tuple(made))


def reward(*notions: str, of: RolloutGroup | None = None) -> float:
    return notion_reward(MetaPrediction(notions=notions), of or group())


# identity: 2 right, 0 wrong. matrix: 2 right, 2 wrong. series: 0 right, 2 wrong.
@pytest.mark.parametrize(
    ("notions", "expected"),
    [
        (("identity",), 1.0),
        (("Identities",), 1.0),
        (("matrix",), 0.0),  # a tie does not pay
        (("series",), 0.0),
        (("topology",), 0.0),  # occurs nowhere
        (("identity", "matrix"), 0.5),
        (("identity", "matrix", "series"), 1 / 3),
        (("identity", "identities", "IDENTITY"), 1.0),  # one notion
        (("matrix", "matrices", "identity"), 0.5),
        (("***", "identity"), 0.5),  # no word: occurs nowhere
    ],
)
def test_by_hand(notions, expected):
    assert reward(*notions) == pytest.approx(expected)


def test_a_rollout_counts_once_however_often_it_says_it():
    # matrix: once in each of 2 right, three times in 1 wrong -> 2 - 1 > 0
    of = group(right=("matrix", "matrix"), wrong=("matrix matrix matrix",))
    assert reward("matrix", of=of) == 1.0


def test_what_the_problem_says_is_left_out_before_the_mean():
    of = group(problem="Which series has an identity? Sum the matrices.")
    assert reward("identity", "matrix", of=of) == 0.0  # none is left
    of = group(problem="Invert the Matrix.")
    assert reward("identity", "matrix", of=of) == 1.0  # matrix is left out
    of = group(problem="Consider a part.", right=("an art",))
    assert reward("art", of=of) == 1.0  # it is not in the problem: not a substring


def test_no_notion_is_worth_nothing():
    assert reward() == 0.0
    assert notion_reward(MetaPrediction(), group()) == 0.0


def test_all_wrong_pays_no_notion_and_all_right_every_one_that_occurs():
    assert reward("matrix", "series", of=group(right=())) == 0.0
    assert reward("matrix", "topology", of=group(wrong=())) == 0.5


def test_an_empty_group_is_refused():
    with pytest.raises(ValueError, match="has no rollouts"):
        reward("matrix", of=group(right=(), wrong=()))
    with pytest.raises(ValueError, match="has no rollouts"):
        notion_rewards([], group(right=(), wrong=()))
