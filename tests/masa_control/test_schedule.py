import pytest
from masa_control import (
    AlignedStart,
    ConfusionCounts,
    ExpertSettings,
    FixedStart,
    MetaSettings,
    Schedule,
    StepWeights,
    choose_step_weights,
)

from tests.masa_control.factories import list_saved_forms, to_json_data

GOOD = ConfusionCounts.of(1, 0, right=1, weight=1.0)
BAD = ConfusionCounts.of(1, 0, right=0, weight=1.0)
MISSED = ConfusionCounts.of(0, 1)


def times(tally, count):
    return sum([tally] * count, ConfusionCounts())


def test_by_number_the_first_k_steps_decide_nothing():
    schedule = Schedule(FixedStart(start=3))
    assert [step for step in range(1, 7) if schedule.decides(step)] == [4, 5, 6]
    assert Schedule(FixedStart(start=0)).decides(1)
    assert not Schedule().decides(80)
    assert Schedule().decides(81)


def test_without_alignment_nothing_is_learned():
    schedule = Schedule(FixedStart(start=30))
    schedule.observe(times(GOOD, 500), 1)
    assert not schedule.decides(2)
    assert schedule.metrics() == {}


def test_it_starts_once_predictions_are_good_enough():
    schedule = Schedule(AlignedStart(start=80, precision=0.8, recall=0.5, steps=2))
    schedule.observe(times(GOOD, 50), 1)
    assert not schedule.decides(2)  # one step of two
    schedule.observe(times(GOOD, 50), 2)
    assert schedule.decides(3)
    assert not schedule.decides(2)
    assert schedule.metrics() == {"schedule/aligned_at": 2.0}
    # And it stays so, whatever comes.
    schedule.observe(times(BAD, 500), 3)
    assert schedule.decides(4)


def test_a_few_lucky_problems_are_not_enough():
    # All were rolled out, so the precision of these 5 is known to be 1; that of those to come is
    # not: Wilson's lower end of 5 of 5 is 0.57, of 20 of 20 0.84.
    schedule = Schedule(AlignedStart(precision=0.8, recall=0.0, steps=1))
    schedule.observe(times(GOOD, 5), 1)
    assert not schedule.decides(2)
    schedule.observe(times(GOOD, 20), 2)
    assert schedule.decides(3)


def test_both_must_be_above():
    wanted = AlignedStart(precision=0.8, recall=0.5, steps=1)
    for seen in (
        times(GOOD, 50) + times(MISSED, 50),  # recall exactly 0.5
        times(GOOD, 50) + times(BAD, 12),  # precision 0.81, its lower end below 0.8
        times(MISSED, 50),  # nothing flagged
        ConfusionCounts(),
    ):
        schedule = Schedule(wanted)
        schedule.observe(seen, 1)
        assert not schedule.decides(2)
    schedule = Schedule(wanted)
    schedule.observe(times(GOOD, 51) + times(MISSED, 50), 1)
    assert schedule.decides(2)


def test_only_the_latest_steps_count():
    schedule = Schedule(AlignedStart(precision=0.8, recall=0.0, steps=2))
    for step, seen in enumerate([times(BAD, 100), times(GOOD, 50), times(GOOD, 50)], start=1):
        assert not schedule.decides(step + 1)
        schedule.observe(seen, step)
    assert schedule.decides(4)


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_goes_on_from_its_state(steps):
    schedule = Schedule(AlignedStart(precision=0.8, recall=0.0, steps=2))
    for step in range(1, steps + 1):
        schedule.observe(times(GOOD, 50), step)
    for state in list_saved_forms(schedule.state_dict()):
        other = Schedule(AlignedStart(precision=0.8, recall=0.0, steps=2))
        other.load_state_dict(state)
        assert to_json_data(other.state_dict()) == to_json_data(schedule.state_dict())
        for one in (schedule, other):
            assert one.decides(4) == (steps == 2)
        other.observe(times(GOOD, 50), steps + 1)
        assert other.decides(steps + 2) == (steps >= 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"aligned_at": 0}, "aligned_at\n.*greater than or equal to 1"),
        ({"aligned_at": "soon"}, "aligned_at\n.*input_value='soon'"),
        ({"aligned_at": True}, "aligned_at\n.*valid integer"),
        ({"tallies": ["no"]}, "tallies.0\n.*input_value='no'"),
        (
            {"tallies": [{**dict.fromkeys(ConfusionCounts.__slots__, 0.0), "missed": "no"}]},
            "0.missed\n",
        ),
        ({"more": 1}, "more\n.*Extra inputs"),
        ({"version": 2}, "of version 2"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(change, says):
    schedule = Schedule()
    before = schedule.state_dict()
    with pytest.raises(ValueError, match=says):
        schedule.load_state_dict({**before, **change})
    assert schedule.state_dict() == before
    with pytest.raises(
        ValueError, match="is damaged, or not whole(?s:.*)tallies\n.*Field required"
    ):
        schedule.load_state_dict({k: v for k, v in before.items() if k != "tallies"})


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="start\n.*greater than or equal to 0"):
        FixedStart(start=-1)
    for wrong in ({"precision": 1.0}, {"precision": 0.0}, {"recall": 1.0}, {"recall": -0.1}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))}\n"):
            AlignedStart(**wrong)
    with pytest.raises(ValueError, match="steps\n.*greater than or equal to 1"):
        AlignedStart(steps=0)


def test_weights_change_where_set_once_predictions_decide():
    meta, experts = MetaSettings(weight=0.5), ExpertSettings(weight=0.25)
    later = FixedStart(meta_weight=0.0)  # 0 is a weight, not "unset"
    assert choose_step_weights(meta, experts, later, decides=False) == StepWeights(0.5, 0.25)
    assert choose_step_weights(meta, experts, later, decides=True) == StepWeights(0.0, 0.25)
    both = AlignedStart(meta_weight=0.1, clone_weight=0.05)
    assert choose_step_weights(meta, experts, both, decides=True) == StepWeights(0.1, 0.05)
