"""Where a stack shows targets one at a time, those that nothing can match are told once."""

import pickle
import time

import pytest
from masa_rewards import AnswerVerifier, MetaPrompt
from masa_rewards.integrations.openrlhf import RewardFunc
from masa_rewards.integrations.targets import TargetWatch


def wait_for_warning(caplog, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = [r.getMessage() for r in caplog.records if r.name == "masa_rewards"]
        if found:
            return found
        time.sleep(0.02)
    return []


@pytest.fixture
def verifier():
    with AnswerVerifier(workers=1) as made:
        yield made


def test_the_first_distinct_targets_are_told_once(caplog, verifier):
    watch = TargetWatch(verifier, size=3)
    for target in ("5", "5", "proof", "5"):
        watch.see(target)
    assert caplog.records == []
    watch.see("7")
    (told,) = wait_for_warning(caplog)
    assert told.startswith("1 of 3 targets cannot be compared")
    assert "(1 placeholder)" in told
    for number in range(10):
        watch.see(f"proof {number}")
    time.sleep(0.3)
    assert len(caplog.records) == 1


def test_a_small_set_is_told_after_many_samples(caplog, verifier):
    watch = TargetWatch(verifier, size=2)
    for _ in range(15):
        watch.see("notfound")
    assert caplog.records == []
    watch.see("notfound")
    assert wait_for_warning(caplog)[0].startswith("1 of 1 targets")


def test_targets_that_can_be_compared_are_not_told(caplog, verifier):
    watch = TargetWatch(verifier, size=2)
    watch.see("5")
    watch.see(r"\frac{1}{2}")
    time.sleep(0.5)
    assert caplog.records == []


def test_another_process_begins_anew():
    watch = pickle.loads(pickle.dumps(TargetWatch(AnswerVerifier(), size=7)))
    watch.see("5")
    with pytest.raises(ValueError, match="at least 1: got 0"):
        TargetWatch(AnswerVerifier(), size=0)


def test_openrlhfs_reward_function_sees_the_golds_of_solutions(caplog):
    reward = RewardFunc(MetaPrompt())
    for number in range(256):
        query = f"What? \\boxed{{{number}}}"
        label = "proof" if number == 3 else str(number)
        reward([query], ["What?"], [label])
    (told,) = wait_for_warning(caplog)
    assert told.startswith("1 of 256 targets cannot be compared with answers by value")
