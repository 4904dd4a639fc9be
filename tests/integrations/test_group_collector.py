"""Rollouts that come one at a time, and the problem's group that they make together."""

import asyncio

import pytest
from masa_rewards import MetaPrompt, Verdict
from masa_rewards.integrations.group_collector import Arrival, Meeting
from masa_rewards.integrations.samples import Sample

RIGHT = Verdict(status="correct", answer="5")
WRONG = Verdict(status="incorrect", answer="4")
FAILED = Verdict(status="timeout", answer="5")
HALF = '{"pass_rate": 4, "solution_length": 200, "math_notion": ["addition"]}'


def solution(verdict, row="s1", *, text="An addition.", length=200, problem_id="p", sizes=(2, 1)):
    sample = Sample("solution", problem_id, "What is 2 + 3?", text, length, "5")
    return Arrival(sample, verdict, row, *sizes)


def meta(text=HALF, row="m1", *, problem_id="p", sizes=(2, 1)):
    return Arrival(Sample("meta", problem_id, "What is 2 + 3?", text, 50), None, row, *sizes)


def met(*arrivals, wait_seconds=60.0, **settings):
    """All arrive, in this order, and each gets its value, or its error."""

    async def meet():
        meeting = Meeting(MetaPrompt(), wait_seconds=wait_seconds, **settings)
        coming = [asyncio.create_task(meeting.attend(arrival)) for arrival in arrivals]
        return await asyncio.gather(*coming, return_exceptions=True)

    return asyncio.run(meet())


def test_a_prediction_waits_for_the_solutions_of_its_problem():
    # p = 1/2 as predicted, the one right length is 200, "addition" only in the right one.
    paid = met(meta(), solution(WRONG, text="A guess.", length=9), solution(RIGHT))
    assert [each.value for each in paid] == [1.0, 0.0, 1.0]
    assert paid[0].judged.meta.difficulty == 1.0


def test_a_judged_solution_does_not_wait():
    async def alone():
        return await asyncio.wait_for(Meeting(MetaPrompt()).attend(solution(RIGHT)), 10)

    assert asyncio.run(alone()).value == 1.0


def test_a_solution_that_could_not_be_verified_gets_the_mean_of_its_group():
    sizes = (3, 1)
    coming = [
        solution(FAILED, sizes=sizes),
        solution(RIGHT, sizes=sizes),
        solution(WRONG, text="A guess.", sizes=sizes),
        meta(sizes=sizes),
    ]
    paid = met(*coming)
    # p = 1/2 over the two that were judged: the failed one is no wrong answer.
    assert [each.value for each in paid] == [0.5, 1.0, 0.0, 1.0]
    assert [each.judged.reward for each in paid] == [None, 1.0, 0.0, 1.0]


def test_where_nothing_could_be_verified_nobody_is_pushed():
    paid = met(solution(FAILED), meta(), solution(FAILED))
    assert [each.value for each in paid] == [0.0, 0.0, 0.0]
    assert [each.judged.reward for each in paid] == [None, None, None]


def test_problems_do_not_mix():
    paid = met(
        meta(problem_id="q", sizes=(1, 1)),
        meta(problem_id="p", sizes=(1, 1)),
        solution(RIGHT, problem_id="p", sizes=(1, 1)),
        solution(WRONG, text="None.", problem_id="q", sizes=(1, 1)),
    )
    # p of 1 and of 0: both are half a unit off; b ** (1/2) = 0.1.
    assert paid[0].value == pytest.approx((0 + 0.1 + 0) / 3)
    assert paid[1].value == pytest.approx((1 + 0.1 + 1) / 3)


def test_a_problem_that_comes_again_is_another_round():
    sizes = (1, 1)
    paid = met(
        meta(row="m1", sizes=sizes),
        meta(row="m2", sizes=sizes),
        solution(RIGHT, row="s1", sizes=sizes),
        solution(WRONG, row="s2", text="None.", sizes=sizes),
    )
    assert paid[0].value == pytest.approx((1 + 0.1 + 1) / 3)
    assert paid[1].value == pytest.approx((0 + 0.1 + 0) / 3)


def test_who_waits_in_vain_is_told_who_is_missing():
    (waited, came) = met(meta(), solution(RIGHT), wait_seconds=0.05)
    assert came.value == 1.0
    assert isinstance(waited, TimeoutError)
    assert "after 0.05 s only 1 of 2 solution samples and 1 of 1 meta samples" in str(waited)


def test_a_round_that_nobody_waits_for_seats_no_one_later():
    async def meet():
        meeting = Meeting(MetaPrompt(), wait_seconds=0.2)
        sizes = (1, 1)
        await meeting.attend(solution(WRONG, row="old", text="None.", sizes=sizes))  # no meta came
        await asyncio.sleep(0.3)
        coming = [meta(row="m", sizes=sizes), solution(RIGHT, row="new", sizes=sizes)]
        return await asyncio.gather(*map(meeting.attend, coming))

    paid = asyncio.run(meet())
    # By the new solution: p = 1. By the old one it would be 0.1 / 3.
    assert paid[0].value == pytest.approx((1 + 0.1 + 1) / 3)


def test_more_than_were_said_to_come_are_refused():
    # The round of two is not complete without its prediction; a third of its row has no seat.
    paid = met(solution(RIGHT), solution(RIGHT), solution(RIGHT))
    assert [getattr(each, "value", None) for each in paid] == [1.0, 1.0, None]
    assert "more than the 2 solution samples" in str(paid[2])


def test_an_unknown_kind_is_refused():
    stranger = meta()._replace(sample=Sample("hint", "p", "?", "", 1))
    (refused,) = met(stranger)
    assert "must be 'solution' or 'meta': got 'hint'" in str(refused)


def test_an_error_reaches_everybody_who_waits(monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("in the rewards")

    monkeypatch.setattr("masa_rewards.integrations.group_collector.reward_samples", broken)
    paid = met(meta(), solution(FAILED), solution(RIGHT))
    assert [type(each) for each in paid] == [ZeroDivisionError] * 3
