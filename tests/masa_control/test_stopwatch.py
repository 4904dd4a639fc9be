"""Seconds by part: of sections that run, not of what waits."""

import asyncio
import contextlib
import time

import pytest
from masa_control import Stopwatch, run_episode

from tests.masa_control.fakes import (
    PROBLEM,
    ScriptedEngine,
    ScriptedVerifier,
    make_completion,
    make_prediction_text,
    make_settings,
)


class Clock:
    """Says what it is told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_sections_add_up_by_part_raised_or_not(clock):
    watch = Stopwatch(clock)
    with watch.time("a"):
        clock.now += 2
    clock.now += 100
    with contextlib.suppress(ValueError), watch.time("a"):
        clock.now += 3
        raise ValueError
    with watch.time("b"):
        clock.now += 1
    assert watch.take() == {"a": 5.0, "b": 1.0}
    assert watch.take() == {}


def test_a_function_is_timed_and_its_result_returned(clock):
    def slow(x):
        clock.now += 4
        return x + 1

    watch = Stopwatch(clock)
    assert watch.run("a", slow, 1) == 2
    assert watch.take() == {"a": 4.0}


def test_what_a_coroutine_waits_is_not_timed(clock):
    async def work():
        clock.now += 1
        await asyncio.sleep(0)
        clock.now += 2
        return "done"

    async def another():
        clock.now += 50

    async def both():
        return await asyncio.gather(watch.sliced("a", work()), another())

    watch = Stopwatch(clock)
    assert asyncio.run(both()) == ["done", None]
    assert watch.take() == {"a": 3.0}


def test_what_it_waits_for_may_fail_and_its_own_errors_go_up(clock):
    async def failing():
        await asyncio.sleep(0)
        raise KeyError("mine")

    async def catches():
        try:
            await failing()
        except KeyError:
            clock.now += 1
            return "caught"

    watch = Stopwatch(clock)

    async def sliced(coroutine):
        return await watch.sliced("a", coroutine)

    assert asyncio.run(sliced(catches())) == "caught"
    with pytest.raises(KeyError, match="mine"):
        asyncio.run(sliced(failing()))
    assert watch.take() == {"a": 1.0}


def test_a_cancelled_coroutine_hears_of_it(clock):
    heard = []

    async def waits():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    watch = Stopwatch(clock)

    async def main():
        async def sliced():
            await watch.sliced("a", waits())

        task = asyncio.ensure_future(sliced())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert heard == ["cancelled"]


def test_the_clock_is_the_threads_processor_time():
    watch = Stopwatch()
    with watch.time("slept"):
        time.sleep(0.05)
    assert watch.take()["slept"] < 0.04


def play(**delays):
    engine = ScriptedEngine(
        meta=[make_completion(make_prediction_text(4, 3))] * 2,
        solution=[make_completion("it is 4"), make_completion("it is 5")],
        delays=delays,
    )
    return asyncio.run(
        run_episode(
            PROBLEM, engine=engine, verifier=ScriptedVerifier(), settings=make_settings(2, 2)
        )
    )


def test_an_episode_says_what_it_took_and_equals_another_all_the_same():
    one, other = play(), play(meta=0.05, solution=0.05)
    assert set(one.seconds) == {"prompts", "rewards", "verification", "verification_wait"}
    assert all(0 <= seconds < 0.04 for seconds in other.seconds.values())  # not the engine's
    assert one.seconds != other.seconds
    assert one == other
