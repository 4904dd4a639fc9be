"""The digits that could stand in the place of a predicted pass rate."""

import math

import pytest
from masa_control import Completion
from masa_control.readers.distribution import DistributionReader, read_rate_distribution
from masa_rewards import MetaPrompt

PROMPT = MetaPrompt(min_length=1, max_length=1000)
HALF, QUARTER = math.log(0.5), math.log(0.25)


def test_moments_are_those_of_the_digits():
    # Half of it 4 of 8, a quarter each 0 and 8: mean 1/2, variance 1/4 * 1/4 * 2 = 1/8.
    found = read_rate_distribution({"4": HALF, "0": QUARTER, " 8": QUARTER}, 8)
    assert found.mean == pytest.approx(0.5)
    assert found.variance == pytest.approx(1 / 8)


def test_what_is_no_digit_of_the_scale_is_left_out():
    offered = {"4": QUARTER, " 4": QUARTER, "9": math.log(0.2), "five": math.log(0.1), "½": -3.0}
    found = read_rate_distribution(offered, 8)
    assert (found.mean, found.variance) == (pytest.approx(0.5), pytest.approx(0))
    assert read_rate_distribution(offered, 8, min_mass=0.6) is None
    assert read_rate_distribution({}, 8) is None


@pytest.mark.parametrize("scale", [0, 10, 100])
def test_a_scale_of_several_digits_is_refused(scale):
    with pytest.raises(ValueError, match=rf"meta.prompt.scale = {scale} has numbers of several"):
        read_rate_distribution({"1": 0.0}, scale)


def completion(text, offered, at=None):
    place = text.index('"pass_rate": ') + len('"pass_rate": ') if at is None else at
    return Completion((1,), text, False, None, None if offered is None else {place: offered})


SAID = 'Take 4. {"math_notion": [], "pass_rate": 4, "solution_length": 44}'


def test_a_prediction_is_read_where_its_number_stands():
    reader = DistributionReader(PROMPT)
    belief = reader.read([completion(SAID, {"4": HALF, "0": HALF})])
    assert (belief.mean, belief.seen) == (pytest.approx(0.25), 1)
    assert belief.variance == pytest.approx(1 / 16)
    quoted = SAID.replace("4,", '"4",')
    place = quoted.index('"4"') + 1
    assert reader.read([completion(quoted, {"4": 0.0}, place)]).mean == pytest.approx(0.5)


def test_predictions_are_mixed():
    reader = DistributionReader(PROMPT)
    belief = reader.read([completion(SAID, {"0": 0.0}), completion(SAID, {"8": 0.0})])
    assert (belief.mean, belief.variance, belief.seen) == (0.5, 0.25, 2)


def test_what_cannot_be_read_is_believed_by_nobody():
    reader = DistributionReader(PROMPT)
    unread = Completion((1,), "Hm.", False, None, {0: {"4": 0.0}})
    elsewhere = completion(SAID, {"4": 0.0}, at=SAID.index("4"))
    for one in (unread, elsewhere, completion(SAID, None), completion(SAID, {"x": 0.0})):
        assert reader.read([one]) is None
    good = completion(SAID, {"4": 0.0})
    assert reader.read([good, unread]).seen == 1
    assert reader.read([good, unread, unread]) is None
    assert reader.read([]) is None
