"""What our own code takes of a step, by hand."""

from types import SimpleNamespace

import pytest
from masa_control.measures.overhead import overhead_metrics


def episode(**seconds):
    return SimpleNamespace(seconds=seconds)


def test_parts_are_summed_and_spread_over_the_engines():
    episodes = [
        episode(rewards=1.0, verification=0.5, verification_wait=4.0),
        episode(rewards=2.0, conversion=0.5, verification_wait=2.0),
        episode(rewards=1.0),  # skipped: nothing was verified
    ]
    trainer = {"conversion": 3.0, "control": 0.25}
    found = overhead_metrics(episodes, trainer, engines=2, step=100.0)
    assert found == {
        "overhead/rewards": 4.0,
        "overhead/verification": 0.5,
        "overhead/conversion": 3.5,
        "overhead/control": 0.25,
        "overhead/verification_wait": 3.0,
        # 3.25 in the trainer, and of the episodes' 5 what falls to one of two engines.
        "overhead/step": pytest.approx(5.75),
        "overhead/share": pytest.approx(0.0575),
    }


def test_a_step_of_which_nothing_was_timed_has_no_share():
    assert overhead_metrics([], {}, engines=1, step=0.0) == {"overhead/step": 0.0}
