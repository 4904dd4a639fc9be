"""Rollouts that are submitted one at a time, and the group that they complete."""

import asyncio

import pytest
from masa_rewards import MetaPrompt, Verdict
from masa_rewards.integrations.group_collector import GroupCollector, Submission
from masa_rewards.integrations.samples import Sample

RIGHT = Verdict(status="correct", answer="5")
WRONG = Verdict(status="incorrect", answer="4")
FAILED = Verdict(status="timeout", answer="5")
HALF = '{"pass_rate": 4, "solution_length": 200, "math_notion": ["addition"]}'


def make_solution_submission(
    verdict, row="s1", *, text="An addition.", length=200, problem_id="p", sizes=(2, 1)
):
    sample = Sample("solution", problem_id, "What is 2 + 3?", text, length, "5")
    return Submission(sample, verdict, row, *sizes)


def make_meta_submission(text=HALF, row="m1", *, problem_id="p", sizes=(2, 1)):
    return Submission(Sample("meta", problem_id, "What is 2 + 3?", text, 50), None, row, *sizes)


def collect_rewards(*submissions, wait_seconds=60.0, **settings):
    """Submit all, in this order; return the reward, or the error, of each."""

    async def submit_all():
        collector = GroupCollector(MetaPrompt(), wait_seconds=wait_seconds, **settings)
        coming = [asyncio.create_task(collector.submit(each)) for each in submissions]
        return await asyncio.gather(*coming, return_exceptions=True)

    return asyncio.run(submit_all())


def test_a_prediction_waits_for_the_solutions_of_its_problem():
    # p = 1/2 as predicted, the one right length is 200, "addition" only in the right one.
    rewards = collect_rewards(
        make_meta_submission(),
        make_solution_submission(WRONG, text="A guess.", length=9),
        make_solution_submission(RIGHT),
    )
    assert [each.value for each in rewards] == [1.0, 0.0, 1.0]
    assert rewards[0].result.components.difficulty == 1.0


def test_a_judged_solution_does_not_wait():
    async def alone():
        return await asyncio.wait_for(
            GroupCollector(MetaPrompt()).submit(make_solution_submission(RIGHT)), 10
        )

    assert asyncio.run(alone()).value == 1.0


def test_a_solution_that_could_not_be_verified_gets_the_mean_of_its_group():
    sizes = (3, 1)
    coming = [
        make_solution_submission(FAILED, sizes=sizes),
        make_solution_submission(RIGHT, sizes=sizes),
        make_solution_submission(WRONG, text="A guess.", sizes=sizes),
        make_meta_submission(sizes=sizes),
    ]
    rewards = collect_rewards(*coming)
    # p = 1/2 over the two that were judged: the failed one is no wrong answer.
    assert [each.value for each in rewards] == [0.5, 1.0, 0.0, 1.0]
    assert [each.result.reward for each in rewards] == [None, 1.0, 0.0, 1.0]


def test_unverified_groups_get_equal_rewards():
    rewards = collect_rewards(
        make_solution_submission(FAILED), make_meta_submission(), make_solution_submission(FAILED)
    )
    assert [each.value for each in rewards] == [0.0, 0.0, 0.0]
    assert [each.result.reward for each in rewards] == [None, None, None]


def test_problems_do_not_mix():
    rewards = collect_rewards(
        make_meta_submission(problem_id="q", sizes=(1, 1)),
        make_meta_submission(problem_id="p", sizes=(1, 1)),
        make_solution_submission(RIGHT, problem_id="p", sizes=(1, 1)),
        make_solution_submission(WRONG, text="None.", problem_id="q", sizes=(1, 1)),
    )
    # p of 1 and of 0: both are half a unit off; b ** (1/2) = 0.1.
    assert rewards[0].value == pytest.approx((0 + 0.1 + 0) / 3)
    assert rewards[1].value == pytest.approx((1 + 0.1 + 1) / 3)


def test_a_repeated_problem_is_another_group():
    sizes = (1, 1)
    rewards = collect_rewards(
        make_meta_submission(row="m1", sizes=sizes),
        make_meta_submission(row="m2", sizes=sizes),
        make_solution_submission(RIGHT, row="s1", sizes=sizes),
        make_solution_submission(WRONG, row="s2", text="None.", sizes=sizes),
    )
    assert rewards[0].value == pytest.approx((1 + 0.1 + 1) / 3)
    assert rewards[1].value == pytest.approx((0 + 0.1 + 0) / 3)


def test_a_timeout_states_what_is_missing():
    (waited, solved) = collect_rewards(
        make_meta_submission(), make_solution_submission(RIGHT), wait_seconds=0.05
    )
    assert solved.value == 1.0
    assert isinstance(waited, TimeoutError)
    assert "after 0.05 s only 1 of 2 solution samples and 1 of 1 meta samples" in str(waited)


def test_an_abandoned_group_takes_no_later_rollouts():
    async def submit_all():
        collector = GroupCollector(MetaPrompt(), wait_seconds=0.2)
        sizes = (1, 1)
        await collector.submit(
            make_solution_submission(WRONG, row="old", text="None.", sizes=sizes)
        )  # no meta came
        await asyncio.sleep(0.3)
        coming = [
            make_meta_submission(row="m", sizes=sizes),
            make_solution_submission(RIGHT, row="new", sizes=sizes),
        ]
        return await asyncio.gather(*map(collector.submit, coming))

    rewards = asyncio.run(submit_all())
    # By the new solution: p = 1. By the old one it would be 0.1 / 3.
    assert rewards[0].value == pytest.approx((1 + 0.1 + 1) / 3)


def test_more_samples_than_expected_are_refused():
    # The group of two is not complete without its prediction; a third of its row is too many.
    rewards = collect_rewards(
        make_solution_submission(RIGHT),
        make_solution_submission(RIGHT),
        make_solution_submission(RIGHT),
    )
    assert [getattr(each, "value", None) for each in rewards] == [1.0, 1.0, None]
    assert "more than the 2 solution samples" in str(rewards[2])


def test_an_unknown_kind_is_refused():
    stranger = make_meta_submission()._replace(sample=Sample("hint", "p", "?", "", 1))
    (refused,) = collect_rewards(stranger)
    assert "must be 'solution' or 'meta': got 'hint'" in str(refused)


def test_an_error_reaches_every_submission(monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("in the rewards")

    monkeypatch.setattr("masa_rewards.integrations.group_collector.reward_samples", broken)
    rewards = collect_rewards(
        make_meta_submission(), make_solution_submission(FAILED), make_solution_submission(RIGHT)
    )
    assert [type(each) for each in rewards] == [ZeroDivisionError] * 3
