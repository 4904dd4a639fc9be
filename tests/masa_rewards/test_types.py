from __future__ import annotations

import copy
import math
import pickle
from collections import Counter

import pytest
from masa_rewards import MetaPrediction, MetaReward, Missing, Rollout, RolloutGroup
from pydantic import ValidationError

RIGHT = Rollout(text="a", length=3, correct=True)
WRONG = Rollout(text="b", length=5, correct=False)


@pytest.mark.parametrize(
    ("rollouts", "rate"),
    [((RIGHT,), 1.0), ((WRONG,), 0.0), ((RIGHT, WRONG), 0.5), ((WRONG, WRONG, RIGHT), 1 / 3)],
)
def test_pass_rate(rollouts, rate):
    assert RolloutGroup(problem="p", rollouts=rollouts).pass_rate == rate


def test_an_empty_group_has_no_pass_rate():
    group = RolloutGroup(problem="what is 1+1", rollouts=())
    with pytest.raises(ValueError, match=r"'what is 1\+1' has no rollouts"):
        _ = group.pass_rate
    assert group.correct_lengths == ()


def test_correct_lengths():
    assert RolloutGroup(problem="p", rollouts=(RIGHT, WRONG, RIGHT)).correct_lengths == (3, 3)


@pytest.mark.parametrize(
    "wrong",
    [{"length": -1}, {"length": 1.5}, {"length": True}, {"correct": 1}, {"text": 1}, {"more": 1}],
)
def test_a_rollout_refuses_what_is_none(wrong):
    with pytest.raises(ValidationError):
        Rollout(**({"text": "a", "length": 1, "correct": True} | wrong))


class FakeScalar:
    """What numpy and torch have in common of a scalar."""

    def __init__(self, value, ndim=0):
        self.value, self.ndim = value, ndim

    def item(self):
        return self.value


def test_scalars_of_other_libraries_are_taken_as_numbers():
    rollout = Rollout(text="a", length=FakeScalar(3), correct=FakeScalar(True))
    assert rollout == RIGHT
    assert type(rollout.length) is int
    assert type(rollout.correct) is bool
    prediction = MetaPrediction(pass_rate=FakeScalar(0.5), length=FakeScalar(3))
    assert prediction == MetaPrediction(pass_rate=0.5, length=3)


def test_scalars_of_numpy_are_taken_as_numbers():
    np = pytest.importorskip("numpy")
    assert Rollout(text="a", length=np.int64(3), correct=np.bool_(True)) == RIGHT
    assert type(Rollout(text="a", length=np.uint8(3), correct=np.bool_(0)).correct) is bool
    assert MetaPrediction(pass_rate=np.float32(0.5)).pass_rate == 0.5
    assert type(MetaPrediction(pass_rate=np.float64(0.5)).pass_rate) is float
    for length in (np.float64(3.0), np.bool_(True), np.array([3])):
        with pytest.raises(ValidationError):
            Rollout(text="a", length=length, correct=True)
    with pytest.raises(ValidationError):
        Rollout(text="a", length=3, correct=np.int64(1))


@pytest.mark.parametrize(
    "length", [FakeScalar(3.0), FakeScalar(True), FakeScalar("3"), FakeScalar(3, ndim=1)]
)
def test_a_scalar_that_is_no_count_is_none(length):
    with pytest.raises(ValidationError):
        Rollout(text="a", length=length, correct=True)


def test_a_lone_surrogate_does_not_stop_a_rollout():
    assert Rollout(text="a\ud800é", length=1, correct=True).text == "a?é"


@pytest.mark.parametrize(
    "wrong",
    [
        {"pass_rate": 1.01},
        {"pass_rate": -0.1},
        {"pass_rate": math.nan},
        {"pass_rate": True},
        {"length": -1},
        {"length": 2.0},
        {"length": True},
        {"notions": "algebra"},
        {"missing": {"pass_rate": "because"}},
        {"missing": {"colour": "no_key"}},
    ],
)
def test_a_prediction_refuses_what_is_none(wrong):
    with pytest.raises(ValidationError):
        MetaPrediction(**wrong)


def test_everything_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        RIGHT.correct = False
    prediction = MetaPrediction(pass_rate=0.5)
    with pytest.raises(ValidationError, match="frozen"):
        prediction.pass_rate = 1.0
    with pytest.raises(TypeError):
        prediction.missing["length"] = "no_key"


def test_missing_says_why_for_exactly_what_is_none():
    prediction = MetaPrediction(pass_rate=0.5, missing={"length": "out_of_range"})
    assert dict(prediction.missing) == {"length": "out_of_range", "notions": "not_given"}
    full = MetaPrediction(pass_rate=0.5, length=1, notions=("sum",))
    assert dict(full.missing) == {}
    with pytest.raises(ValidationError, match="a value and a reason"):
        MetaPrediction(length=1, missing={"length": "no_key"})


def test_reasons_can_be_counted():
    predictions = [MetaPrediction(length=1), MetaPrediction(missing={"length": "boolean"})]
    reasons = Counter(reason for p in predictions for reason in p.missing.values())
    assert reasons == {"not_given": 4, "boolean": 1}


def test_predictions_can_be_hashed_copied_pickled_and_dumped():
    prediction = MetaPrediction(notions=("sum",), missing={"length": "no_key"})
    assert pickle.loads(pickle.dumps(prediction)) == prediction
    assert copy.deepcopy(prediction) == prediction
    assert MetaPrediction.model_validate_json(prediction.model_dump_json()) == prediction
    assert prediction.model_dump()["missing"] == {"pass_rate": "not_given", "length": "no_key"}
    assert len({prediction, pickle.loads(pickle.dumps(prediction)), MetaPrediction()}) == 2


def test_missing_reads_like_a_dict():
    missing = Missing({"length": "no_key"})
    assert missing == {"length": "no_key"}
    assert missing["length"] == "no_key"
    assert "pass_rate" not in missing
    assert repr(missing) == "Missing({'length': 'no_key'})"
    assert hash(missing) == hash(Missing({"length": "no_key"}))


def test_notions_are_cleaned():
    prediction = MetaPrediction(notions=("  prime \n number ", " ", "a\x00b", "\ud800"))
    assert prediction.notions == ("prime number", "a b", "?")


def test_a_reward_lies_between_zero_and_one():
    with pytest.raises(ValidationError):
        MetaReward(length=1.0, difficulty=1.1, notion=0.0, total=0.7)
