from __future__ import annotations

import pytest
from masa_rewards import (
    ENGLISH_STOP_WORDS,
    MetaPrediction,
    NotionRules,
    Rollout,
    RolloutGroup,
    common_words,
    notion_reward,
)
from masa_rewards.notions.phrases import to_phrase
from masa_rewards.notions.reward import PAPER, count_notions, notion_rewards
from masa_rewards.notions.rules import NotionCount
from pydantic import ValidationError

RIGHT = ("use the identity and a matrix", "an identity again", "a matrix")
WRONG = ("the matrix, a series", "a matrix and a matrix", "series")


def make_group(right=RIGHT, wrong=WRONG, problem="Find the sum.") -> RolloutGroup:
    made = [Rollout(text=text, length=1, correct=True) for text in right]
    made += [Rollout(text=text, length=1, correct=False) for text in wrong]
    return RolloutGroup(problem=problem, rollouts=tuple(made))


def compute_reward(
    *notions: str, of: RolloutGroup | None = None, rules: NotionRules = PAPER
) -> float:
    return notion_reward(MetaPrediction(notions=notions), of or make_group(), rules=rules)


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
    assert compute_reward(*notions) == pytest.approx(expected)


def test_a_rollout_counts_once_however_often_it_says_it():
    # matrix: once in each of 2 right, three times in 1 wrong -> 2 - 1 > 0
    of = make_group(right=("matrix", "matrix"), wrong=("matrix matrix matrix",))
    assert compute_reward("matrix", of=of) == 1.0


def test_what_the_problem_says_is_left_out_before_the_mean():
    of = make_group(problem="Which series has an identity? Sum the matrices.")
    assert compute_reward("identity", "matrix", of=of) == 0.0  # none is left
    of = make_group(problem="Invert the Matrix.")
    assert compute_reward("identity", "matrix", of=of) == 1.0  # matrix is left out
    of = make_group(problem="Consider a part.", right=("an art",))
    assert compute_reward("art", of=of) == 1.0  # it is not in the problem: not a substring


def test_no_notion_is_worth_nothing():
    assert compute_reward() == 0.0
    assert notion_reward(MetaPrediction(), make_group()) == 0.0


def test_all_wrong_pays_no_notion_and_all_right_every_one_that_occurs():
    assert compute_reward("matrix", "series", of=make_group(right=())) == 0.0
    assert compute_reward("matrix", "topology", of=make_group(wrong=())) == 0.5


def test_an_empty_group_is_refused():
    with pytest.raises(ValueError, match="has no rollouts"):
        compute_reward("matrix", of=make_group(right=(), wrong=()))
    with pytest.raises(ValueError, match="has no rollouts"):
        notion_rewards([], make_group(right=(), wrong=()))


def test_the_paper_pays_a_word_that_is_everywhere_and_what_stops_it():
    # "the" stands in all: c1 - c0 = 3 - 1 > 0, though c1/n1 = c0/n0 = 1.
    right = ("the identity", "the identity", "the series")
    of = make_group(problem="Sum up.", right=right, wrong=("the series",))
    assert compute_reward("the", of=of) == 1.0
    assert compute_reward("the", "identity", of=of) == 1.0
    for rules, the, both in [
        (NotionRules(counting="rate"), 0.0, 0.5),
        (NotionRules(stop_words=ENGLISH_STOP_WORDS), 0.0, 1.0),
        (NotionRules(min_length=4), 0.0, 1.0),
        (NotionRules(stop_words=common_words([r.text for r in of.rollouts], share=1.0)), 0.0, 1.0),
    ]:
        assert compute_reward("the", of=of, rules=rules) == the
        assert compute_reward("the", "identity", of=of, rules=rules) == both


# identity: 2 of 4 right, 1 of 1 wrong. series: 1 of 4 right, none wrong.
@pytest.mark.parametrize(
    ("notion", "by_rollout", "by_rate"), [("identity", 1.0, 0.0), ("series", 1.0, 1.0)]
)
def test_by_rate(notion, by_rollout, by_rate):
    of = make_group(right=("identity", "identity", "series", ""), wrong=("identity",))
    assert compute_reward(notion, of=of) == by_rollout
    assert compute_reward(notion, of=of, rules=NotionRules(counting="rate")) == by_rate


def test_by_rate_nothing_pays_without_anything_to_compare():
    rules = NotionRules(counting="rate")
    assert compute_reward("matrix", of=make_group(wrong=()), rules=rules) == 0.0
    assert compute_reward("matrix", of=make_group(right=()), rules=rules) == 0.0


def test_stop_words_and_length_are_of_the_notion_not_of_its_words():
    of = make_group(right=("the sum of the squares, by AM-GM", "sums of"), wrong=())
    rules = NotionRules(stop_words={"of", "THE"}, min_length=4)
    assert compute_reward("sum of the squares", of=of, rules=rules) == 1.0
    assert compute_reward("of the", of=of, rules=rules) == 0.0
    assert compute_reward("AM-GM", of=of, rules=rules) == 1.0  # four letters
    assert compute_reward("sum", "squares", of=of, rules=rules) == 1.0  # "sum" is left out
    assert (
        compute_reward("***", "squares", of=of, rules=rules) == 0.5
    )  # nothing is left out in silence


def test_stop_words_hold_in_any_form():
    of = make_group(right=("they were numbers",), wrong=())
    rules = NotionRules(stop_words={"number", "is"})
    assert compute_reward("Numbers", "were", of=of, rules=rules) == 0.0
    assert compute_reward("they", of=of, rules=rules) == 1.0


@pytest.mark.parametrize("wrong", [{"counting": "ratio"}, {"min_length": 0}, {"minlength": 3}])
def test_rules_refuse_what_they_do_not_know(wrong):
    with pytest.raises(ValidationError):
        NotionRules(**wrong)


def test_counts_are_of_what_is_admitted_and_not_in_the_problem():
    of = make_group(problem="Find the sum.")
    phrases = [to_phrase(notion) for notion in ("matrix", "sum", "series", "a")]
    assert count_notions(phrases, of, rules=NotionRules(min_length=2)) == {
        ("matrix",): NotionCount(2, 2, 3, 3),
        ("series",): NotionCount(0, 2, 3, 3),
    }


def test_common_words_of_no_text_are_refused():
    with pytest.raises(ValueError, match="no texts"):
        common_words([])
    with pytest.raises(ValueError, match=r"share must be in \(0, 1\]: got 0"):
        common_words(["a"], share=0)
