import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_control import CalibratedCutoff, CalibratedCutoffSettings, LengthCutoff, LengthOutcome
from masa_control.decisions.cutoff import compute_median_length

from tests.masa_control.factories import list_saved_forms, to_json_data

LENGTHS = st.lists(st.one_of(st.none(), st.integers(1, 9000)), max_size=9)
OUTCOMES = st.lists(
    st.builds(
        LengthOutcome,
        st.lists(st.floats(0.1, 10), max_size=5).map(tuple),
        st.sampled_from([1.0, 5.0, 20.0]),
    ),
    max_size=40,
)


@pytest.mark.parametrize(
    ("lengths", "median"),
    [
        ([300, 340, 9000], 340),
        ([300, 340], 320),
        ([None, 100, None], 100),
        ([None], None),
        ([], None),
    ],
)
def test_the_predicted_length_is_the_median(lengths, median):
    assert compute_median_length(lengths) == median


@pytest.mark.parametrize(
    ("margin", "lengths", "limit", "tokens"),
    [
        (2.0, [300, 340, 9000], 8192, 680),
        (2.0, [300], 500, 500),  # never above the usual limit
        (0.5, [301], 8192, 151),  # rounded up
        (0.001, [1], 8192, 1),  # never none
        (2.0, [None, None], 8192, 8192),
        (2.0, [], 8192, 8192),
        (None, [300], 8192, 8192),
    ],
)
def test_the_papers_rule(margin, lengths, limit, tokens):
    assert LengthCutoff(margin=margin).max_tokens(lengths, limit) == tokens


@given(LENGTHS, st.floats(0.01, 10), st.floats(0, 5), st.integers(1, 9000), st.randoms())
def test_order_does_not_matter_and_more_margin_never_means_less(lengths, margin, more, limit, rng):
    shuffled = random.Random(rng.random()).sample(lengths, len(lengths))
    tokens = LengthCutoff(margin=margin).max_tokens(lengths, limit)
    assert LengthCutoff(margin=margin).max_tokens(shuffled, limit) == tokens
    assert 1 <= tokens <= limit
    assert LengthCutoff(margin=margin + more).max_tokens(lengths, limit) >= tokens
    assert LengthCutoff(margin=margin).max_tokens(lengths, limit + 1) >= tokens


def test_what_cannot_be_is_refused():
    for margin in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"margin\n.*input_value={margin!r}"):
            LengthCutoff(margin=margin)
    with pytest.raises(ValueError, match="limit must be >= 1, got 0"):
        LengthCutoff().max_tokens([5], limit=0)


# -- calibrated ------------------------------------------------------------------------------------


def margin(made, share=0.25, **settings):
    calibrated = CalibratedCutoff(
        CalibratedCutoffSettings(cut_share=share, **{"min_problems": 1} | settings)
    )
    calibrated.observe(made, 1)
    return calibrated.cutoff().margin


def one_each(*ratios, weight=1.0):
    return [LengthOutcome((ratio,), weight) for ratio in ratios]


def test_the_conformal_rank_by_hand():
    # 19 problems of one rollout, ratios 1 .. 19, α = 0.25, one to come: (k + 1) / 20 <= 0.25 for
    # the k beyond the margin: k = 4, so the margin is the fifth largest, 15.
    assert margin(one_each(*range(1, 20))) == 15
    # 18 problems: (k + 1) / 19 <= 0.25: k = 3, the fourth largest of 18
    assert margin(one_each(*range(1, 19))) == 15
    # 3 problems: (0 + 1) / 4 <= 0.25: the largest
    assert margin(one_each(1, 2, 3)) == 3
    # 2 problems: 1 / 3 is too much already
    assert margin(one_each(1, 2)) is None


def test_an_audited_one_weighs_as_many_as_it_stands_for():
    # Weights 1 x 12 and 4 x 2; W = (12 + 2 x 16) / 20 = 2.2, total 22.2, α = 0.4: 8.88.
    made = one_each(*[1.0] * 12) + one_each(2.0, 3.0, weight=4.0)
    # beyond 3: 2.2; beyond 2: 6.2; beyond 1: 10.2, too much
    assert margin(made, 0.4) == 2.0
    # by number alone two of 14 would be beyond 1
    assert margin(one_each(*[1.0] * 12, 2.0, 3.0), 0.4) == 1.0


def test_rollouts_of_a_problem_come_together():
    # Four problems of 4 equal rollouts and one to come: (4 k + 4) / 20 <= 0.25: k = 0, the largest.
    made = [LengthOutcome((ratio,) * 4, 1.0) for ratio in (1.0, 2.0, 3.0, 4.0)]
    assert margin(made, 0.25) == 4.0
    # With 0.4, one of them may be beyond. A rollout, not a problem, to come would leave more room.
    assert margin(made, 0.4) == 3.0
    assert margin(made, 0.39) == 4.0


def test_it_cuts_nothing_while_too_little_is_known():
    assert CalibratedCutoff().cutoff() == LengthCutoff(margin=None)
    assert CalibratedCutoff().metrics() == {}
    made = one_each(*[1.0] * 15)
    assert margin(made, min_problems=16) is None
    assert margin([*made, *one_each(1.0)], min_problems=16) == 1.0
    assert margin([*made, LengthOutcome((), 1.0)], min_problems=16) is None  # no correct solution


def test_old_problems_are_forgotten():
    assert margin(one_each(*[9.0] * 20, *[1.0] * 20), window=20) == 1.0


def test_what_was_seen_long_ago_is_forgotten_and_nothing_is_cut_until_enough_is_known_again():
    settings = CalibratedCutoffSettings(cut_share=0.25, min_problems=4, max_age=10)
    calibrated = CalibratedCutoff(settings)
    calibrated.observe(one_each(*[1.0] * 6), 5)
    calibrated.observe(
        one_each(1.5), 14
    )  # all else was cut, and nobody saw how it would have ended
    assert calibrated.cutoff().margin == 1.0
    calibrated.observe([], 15)
    assert calibrated.cutoff() == LengthCutoff(margin=None)
    calibrated.observe(one_each(2.0, 2.0, 2.0), 16)
    assert calibrated.cutoff().margin == 2.0
    other = CalibratedCutoff(settings)
    other.load_state_dict(calibrated.state_dict())
    for each in (calibrated, other):  # the age goes with the state
        each.observe([], 24)
        assert each.cutoff() == LengthCutoff(margin=None)


def test_the_margin_is_a_metric():
    calibrated = CalibratedCutoff(CalibratedCutoffSettings(cut_share=0.25, min_problems=1))
    calibrated.observe(one_each(*range(1, 20)), 1)
    assert calibrated.metrics() == {"cutoff/margin": 15}


@given(OUTCOMES, st.floats(0.02, 0.6), st.floats(0, 0.3), st.randoms())
def test_a_larger_share_never_means_a_larger_margin(made, share, more, rng):
    def at(alpha, outcomes):
        found = margin(outcomes, alpha)
        return math.inf if found is None else found

    assert at(share + more, made) <= at(share, made)
    assert at(share, random.Random(rng.random()).sample(made, len(made))) == at(share, made)


@given(OUTCOMES, st.floats(0.02, 0.6))
def test_at_most_the_share_of_what_was_seen_is_beyond_the_margin(made, share):
    found = margin(made, share)
    if found is not None:
        weights = [(ratio, o.weight) for o in made for ratio in o.ratios]
        beyond = sum(weight for ratio, weight in weights if ratio > found)
        assert beyond <= share * sum(weight for _, weight in weights) + 1e-9
        assert found in [ratio for ratio, _ in weights]


@given(OUTCOMES)
def test_goes_on_from_its_state(made):
    calibrated = CalibratedCutoff(CalibratedCutoffSettings(min_problems=1))
    calibrated.observe(made, 1)
    for state in list_saved_forms(calibrated.state_dict()):
        other = CalibratedCutoff(CalibratedCutoffSettings(min_problems=1))
        other.load_state_dict(state)
        assert to_json_data(other.state_dict()) == to_json_data(calibrated.state_dict())
        assert other.cutoff() == calibrated.cutoff()


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ([[1.0], 1.0], "missing"),
        ([[], 1.0, 1], "at least 1 item"),
        ([["long"], 1.0, 1], "input_value='long'"),
        ([[-1.0], 1.0, 1], "input_value=-1.0"),
        ([[math.inf], 1.0, 1], "input_value=inf"),
        ([[1.0], 0.5, 1], "input_value=0.5"),
        ([[1.0], True, 1], "input_value=True"),
        ([[1.0], 1.0, -1], "input_value=-1"),
        ("row", "input_value='row'"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(row, wrong):
    calibrated = CalibratedCutoff()
    calibrated.observe(one_each(1.0, 2.0), 1)
    before = calibrated.state_dict()
    with pytest.raises(ValueError, match=rf"damaged(?s:.*)outcomes\.2.*\n.*{wrong}"):
        calibrated.load_state_dict({**before, "outcomes": [*before["outcomes"], row]})
    assert calibrated.state_dict() == before


@pytest.mark.parametrize(
    "settings",
    [{"cut_share": 0.0}, {"cut_share": 1.0}, {"window": 0}, {"min_problems": 0}, {"max_age": 0}],
)
def test_settings_that_cannot_be_are_refused(settings):
    ((name, value),) = settings.items()
    with pytest.raises(ValueError, match=rf"{name}\n.*input_value={value!r}"):
        CalibratedCutoffSettings(**settings)


@pytest.mark.parametrize("together", [0.0, 0.5])
@pytest.mark.parametrize("share", [0.05, 0.2])
def test_the_share_of_correct_rollouts_lost_is_the_one_chosen(share, together):
    """Simulation with known truth: the loop of cutting, auditing and calibrating.

    Rollouts of a problem run long together (log-normal factor of a problem) or not at all. 6 runs
    of 120 steps of 40 problems, a third of which is audited. Never above α by more than four
    standard errors of the runs; and where rollouts are independent, below it by what the problem to
    come is held for: its part of the window, W / (Σ w + W), which is (mean of n²) / (mean of n)² /
    129 for n = 1 .. 8 even: 25.5 / 20.25 / 129 = 0.0098.
    """
    lost = []
    for seed in range(6):
        rng = random.Random(seed)
        calibrated = CalibratedCutoff(CalibratedCutoffSettings(cut_share=share, window=128))
        beyond = correct = 0
        for step in range(120):
            allowed, made = calibrated.cutoff().margin, []
            for _ in range(40):
                factor = rng.lognormvariate(0, together)
                ratios = [factor * rng.lognormvariate(0, 0.4) for _ in range(rng.randrange(1, 9))]
                if allowed is not None:
                    beyond += sum(ratio > allowed for ratio in ratios)
                    correct += len(ratios)
                if allowed is None or rng.random() < 1 / 3:
                    made.append(LengthOutcome(tuple(ratios), 1.0 if allowed is None else 3.0))
            calibrated.observe(made, step)
        lost.append(beyond / correct)
    mean = sum(lost) / len(lost)
    error = math.sqrt(sum((x - mean) ** 2 for x in lost) / (len(lost) - 1) / len(lost))
    assert share - 0.0098 - 4 * error < mean < share + 4 * error
